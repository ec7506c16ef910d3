//! Captures, read back by another reader.

use std::fs::File;
use std::io::Read;

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use serde_json::Value;

use super::bench::{Bench, frame};

/// Interface, flags and bytes of each packet.
fn packets(capture: impl Read) -> Vec<(u32, u32, Vec<u8>)> {
    let mut reader = PcapNgReader::new(capture).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block.unwrap() else {
            continue;
        };
        let [EnhancedPacketOption::Flags(flags)] = packet.options.as_slice() else {
            panic!("{packet:?}");
        };
        packets.push((packet.interface_id, *flags, packet.data.to_vec()));
    }
    packets
}

#[test]
fn a_capture_has_every_frame_and_its_direction() {
    let bench = Bench::hubs();
    let path = bench.path("x.pcapng");
    let tap = bench.tap(&["a.x", "-w", path.to_str().unwrap(), "-c", "3", "--json"]);
    let frames = [frame(2, 1, b"one"), frame(1, 2, b"two"), frame(2, 1, &[7; 1500])];
    for (node, frame) in ["a:", "b:", "a:"].into_iter().zip(&frames) {
        bench.send(node, frame);
    }
    let output = tap.output();
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told["packets"], &told["seen"], &told["lost"]),
        (&3.into(), &3.into(), &0.into())
    );
    let [first, second, third] = frames;
    let expected = [(0, 2, first), (1, 1, second), (0, 2, third)];
    assert_eq!(packets(File::open(path).unwrap()), expected);
}

#[test]
fn a_capture_can_be_read_while_it_is_written_and_after_a_kill() {
    let bench = Bench::hubs();
    let before = bench.graph();
    let path = bench.path("x.pcapng");
    let mut tap = bench.tap(&["a.x", "-w", path.to_str().unwrap()]);
    for number in 1..=5 {
        bench.send("a:", &frame(2, 1, &[number]));
        let count = usize::from(number);
        bench.wait("the frame is in the file", || {
            packets(File::open(&path).unwrap()).len() == count
        });
    }
    tap.0.kill().unwrap();
    tap.0.wait().unwrap();
    assert_eq!(packets(File::open(&path).unwrap()).len(), 5);
    bench.wait_for(&before);
}

#[test]
fn a_capture_goes_through_a_pipe() {
    let bench = Bench::hubs();
    let tap = bench.tap(&["a.x", "-w", "-", "-c", "1", "--snaplen", "16"]);
    bench.send("a:", &frame(2, 1, b"long enough"));
    let output = tap.output();
    assert!(output.status.success(), "{output:?}");
    let captured = frame(2, 1, b"long enough")[..16].to_vec();
    assert_eq!(packets(output.stdout.as_slice()), [(0, 2, captured)]);
}
