//! What is not touched loses no frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use graphs::{edits, runner, sketches};
use netgraph::{Connect, HookName};
use proptest::strategy::{Strategy, ValueTree};

use super::Machine;

/// Nodes and edges that every graph has, for frames from one end to the other.
const LINE: &str = "  first: { type: hub }\n  tap: { type: tee }\n  last: { type: bridge }\n";
const EDGES: &str = "  - first.x -- tap.left\n  - tap.right -- last.link0\n";

/// The graph, with the line beside it and linked to it.
fn with_line(text: &str) -> String {
    let nodes = text.replacen("nodes:\n", &format!("nodes:\n{LINE}"), 1);
    nodes.replacen("edges:\n", &format!("edges:\n{EDGES}"), 1)
}

fn drawn() -> Vec<String> {
    let mut runner = runner(1);
    let strategy = (sketches(40, 60), edits());
    let graphs = (0..10).flat_map(|_| {
        let (sketch, edit) = strategy.new_tree(&mut runner).unwrap().current();
        [sketch.yaml(), edit.of(&sketch).yaml()]
    });
    graphs.map(|text| with_line(&text)).collect()
}

/// A hook of an own node at an end of the line.
fn end(machine: &Machine, node: &str, hook: &str) -> crate::session::Session<netgraph::hosted::Hosted> {
    let mut session = machine.session();
    let request = Connect {
        peer: node.parse().unwrap(),
        hook: "out".parse().unwrap(),
        peer_hook: hook.parse().unwrap(),
    };
    session.request(&netgraph::Address::here(), &request).unwrap();
    session.socket.open_data().unwrap();
    session
}

#[test]
fn an_edge_that_stays_loses_no_frame() {
    let machine = Machine::start();
    let graphs = drawn();
    machine.apply(&graphs[0]).unwrap();
    let mut receiver = end(&machine, "last:", "link77");
    let mut sender = end(&machine, "first:", "in");
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let sending = thread::spawn(move || {
        let hook: HookName = "out".parse().unwrap();
        let mut sent = 0_u64;
        while !told.load(Ordering::Relaxed) {
            let mut frame = vec![0xff; 60];
            frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
            frame[14..22].copy_from_slice(&sent.to_be_bytes());
            sender.socket.send_data(Some(&hook), &frame).unwrap();
            sent += 1;
            thread::sleep(Duration::from_micros(200));
        }
        sent
    });
    for text in &graphs {
        machine
            .apply(text)
            .unwrap_or_else(|failure| panic!("{failure}\n{text}"));
    }
    over.store(true, Ordering::Relaxed);
    let sent = sending.join().unwrap();
    let mut buffer = [0; 2048];
    let mut received = 0;
    let patience = Duration::from_secs(2);
    while let Some((length, _)) = receiver
        .socket
        .receive_data(&mut buffer, Some(Instant::now() + patience))
        .unwrap()
    {
        assert_eq!(buffer[14..22.min(length)], received_number(received), "in order");
        received += 1;
        if received == sent {
            break;
        }
    }
    assert!(sent > 100, "{sent}");
    assert_eq!(received, sent);
    drop(receiver);
    machine.apply("version: 1\n").unwrap();
}

fn received_number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}
