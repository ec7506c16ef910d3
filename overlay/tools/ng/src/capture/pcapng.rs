//! Captures in the form of pcapng (draft-ietf-opsawg-pcapng), which Wireshark and tcpdump(1) read.
//!
//! One section, one interface for each direction of the edge, times in nanoseconds. A write consists of whole blocks; when
//! one fails, a file is cut back to the block before, so that it can be read at any time.

use std::fs::File;
use std::io::{self, Stdout, Write};
use std::path::Path;
use std::time::Duration;

use super::link::LinkType;
use super::{Direction, Packet};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// What tells a reader the byte order.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// More than this many bytes are not kept back.
const PENDING: usize = 1 << 18;

/// Where a capture goes.
#[derive(Debug)]
pub enum Sink {
    /// A file, and how many bytes of whole blocks are in it.
    File(File, u64),
    /// Standard output.
    Output(Stdout),
}

impl Sink {
    /// Makes the file, or empties it; `-` is standard output.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Output(io::stdout()));
        }
        Ok(Self::File(File::create(path)?, 0))
    }

    fn write(&mut self, blocks: &[u8]) -> io::Result<()> {
        match self {
            Self::Output(out) => out.write_all(blocks).and_then(|()| out.flush()),
            Self::File(file, end) => {
                let written = file.write_all(blocks);
                if written.is_err() {
                    // A pipe or device has nothing to be cut back, and says so.
                    let _ = file.set_len(*end);
                }
                *end += blocks.len() as u64;
                written
            }
        }
    }
}

/// An end of the capture's edge, and what is told of it.
#[derive(Debug, Clone)]
pub struct Interface {
    /// A short name.
    pub name: String,
    /// What goes through it.
    pub description: String,
}

/// What was counted in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets that were seen.
    pub seen: u64,
    /// Those of them that the filter let pass.
    pub accepted: u64,
    /// Those that got lost on the way to this process.
    pub lost: u64,
}

/// Writes a capture.
#[derive(Debug)]
pub struct Writer {
    sink: Sink,
    pending: Vec<u8>,
    snap_length: usize,
}

impl Writer {
    /// Writes what stands before the packets. `interfaces` are those of outbound and of inbound packets.
    pub fn new(sink: Sink, link: LinkType, snap_length: usize, interfaces: &[Interface; 2]) -> io::Result<Self> {
        let mut writer = Self {
            sink,
            pending: Vec::new(),
            snap_length,
        };
        writer.section();
        for interface in interfaces {
            writer.interface(link, interface);
        }
        writer.flush()?;
        Ok(writer)
    }

    fn section(&mut self) {
        let mut body = BYTE_ORDER.to_ne_bytes().to_vec();
        body.extend(1_u16.to_ne_bytes());
        body.extend(0_u16.to_ne_bytes());
        // How long the section gets is not known yet.
        body.extend((-1_i64).to_ne_bytes());
        option(&mut body, 4, concat!("ng ", env!("CARGO_PKG_VERSION")).as_bytes());
        end_of_options(&mut body);
        self.block(SECTION_HEADER, &body);
    }

    fn interface(&mut self, link: LinkType, interface: &Interface) {
        let mut body = link.number().to_ne_bytes().to_vec();
        body.extend([0, 0]);
        body.extend(number(self.snap_length).to_ne_bytes());
        option(&mut body, 2, interface.name.as_bytes());
        option(&mut body, 3, interface.description.as_bytes());
        // Times are counted in units of 10^-9 s.
        option(&mut body, 9, &[9]);
        end_of_options(&mut body);
        self.block(INTERFACE_DESCRIPTION, &body);
    }

    /// Adds a packet; it is written with the next [`Self::flush`], or before.
    pub fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let captured = &packet.bytes[..packet.bytes.len().min(self.snap_length)];
        let (interface, flags): (u32, u32) = match packet.direction {
            Direction::Outbound => (0, 2),
            Direction::Inbound => (1, 1),
        };
        let mut body = interface.to_ne_bytes().to_vec();
        time(&mut body, packet.time);
        body.extend(number(captured.len()).to_ne_bytes());
        body.extend(number(packet.bytes.len()).to_ne_bytes());
        padded(&mut body, captured);
        option(&mut body, 2, &flags.to_ne_bytes());
        end_of_options(&mut body);
        self.block(ENHANCED_PACKET, &body);
        if self.pending.len() > PENDING {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is pending.
    pub fn flush(&mut self) -> io::Result<()> {
        let blocks = std::mem::take(&mut self.pending);
        self.sink.write(&blocks)
    }

    /// Ends the capture with what was counted of outbound and inbound packets between two times.
    pub fn finish(mut self, counts: [Counts; 2], from: Duration, to: Duration) -> io::Result<()> {
        for (interface, counts) in (0_u32..).zip(counts) {
            let mut body = interface.to_ne_bytes().to_vec();
            time(&mut body, to);
            for (code, at) in [(2, from), (3, to)] {
                let mut value = Vec::new();
                time(&mut value, at);
                option(&mut body, code, &value);
            }
            for (code, count) in [(4, counts.seen + counts.lost), (5, counts.lost), (6, counts.accepted)] {
                option(&mut body, code, &count.to_ne_bytes());
            }
            end_of_options(&mut body);
            self.block(INTERFACE_STATISTICS, &body);
        }
        self.flush()
    }

    /// A block: its type, its length, its body, its length again.
    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = number(body.len() + 12).to_ne_bytes();
        self.pending.extend(kind.to_ne_bytes());
        self.pending.extend(length);
        self.pending.extend(body);
        self.pending.extend(length);
    }
}

/// Lengths are far below 4 GiB.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Nanoseconds since 1970, the upper half first.
fn time(body: &mut Vec<u8>, time: Duration) {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let [upper, lower] = [nanoseconds >> 32, nanoseconds & 0xffff_ffff];
    body.extend(u32::try_from(upper).unwrap_or(u32::MAX).to_ne_bytes());
    body.extend(u32::try_from(lower).unwrap_or(u32::MAX).to_ne_bytes());
}

/// Bytes, and zeros up to a multiple of four.
fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    // Names of nodes and hooks are short.
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    body.extend(code.to_ne_bytes());
    body.extend(length.to_ne_bytes());
    padded(body, &value[..usize::from(length)]);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

#[cfg(test)]
mod tests {
    use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
    use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
    use pcap_file::pcapng::blocks::interface_statistics::InterfaceStatisticsOption;
    use pcap_file::pcapng::{Block, PcapNgReader};

    use super::*;

    const INTERFACES: [(&str, &str); 2] = [("sw0.link0", "from the bridge"), ("tap0.right", "to the bridge")];

    fn writer(path: &Path, snap_length: usize) -> Writer {
        let interfaces = INTERFACES.map(|(name, description)| Interface {
            name: name.to_owned(),
            description: description.to_owned(),
        });
        Writer::new(
            Sink::create(path).unwrap(),
            LinkType::Ethernet,
            snap_length,
            &interfaces,
        )
        .unwrap()
    }

    fn blocks(path: &Path) -> Vec<Block<'static>> {
        let mut reader = PcapNgReader::new(File::open(path).unwrap()).unwrap();
        let mut blocks = Vec::new();
        while let Some(block) = reader.next_block() {
            blocks.push(block.unwrap().into_owned());
        }
        blocks
    }

    #[test]
    fn another_reader_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pcapng");
        let mut writer = writer(&path, 4);
        let time = Duration::new(1_700_000_000, 123_456_789);
        for (direction, bytes) in [(Direction::Outbound, &b"hello"[..]), (Direction::Inbound, b"you")] {
            writer.packet(&Packet { time, direction, bytes }).unwrap();
        }
        let counts = Counts {
            seen: 3,
            accepted: 1,
            lost: 2,
        };
        writer.finish([counts, Counts::default()], time, time).unwrap();
        let blocks = blocks(&path);
        let [
            Block::InterfaceDescription(out),
            Block::InterfaceDescription(_),
            Block::EnhancedPacket(first),
            Block::EnhancedPacket(second),
            Block::InterfaceStatistics(statistics),
            Block::InterfaceStatistics(_),
        ] = blocks.as_slice()
        else {
            panic!("{blocks:?}");
        };
        assert_eq!(out.snaplen, 4);
        assert!(
            out.options
                .contains(&InterfaceDescriptionOption::IfName("sw0.link0".into()))
        );
        assert!(out.options.contains(&InterfaceDescriptionOption::IfTsResol(9)));
        assert_eq!((first.interface_id, first.timestamp), (0, time));
        assert_eq!((first.data.as_ref(), first.original_len), (&b"hell"[..], 5));
        assert_eq!(first.options, [EnhancedPacketOption::Flags(2)]);
        assert_eq!((second.interface_id, second.data.as_ref()), (1, &b"you"[..]));
        assert!(statistics.options.contains(&InterfaceStatisticsOption::IsbIfRecv(5)));
        assert!(statistics.options.contains(&InterfaceStatisticsOption::IsbIfDrop(2)));
    }

    #[test]
    fn it_can_be_read_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.pcapng");
        let mut writer = writer(&path, 65536);
        assert_eq!(blocks(&path).len(), 2);
        let packet = Packet {
            time: Duration::ZERO,
            direction: Direction::Inbound,
            bytes: &[7; 1501],
        };
        for count in 1..=300 {
            writer.packet(&packet).unwrap();
            assert!(blocks(&path).len() <= 2 + count);
        }
        writer.flush().unwrap();
        assert_eq!(blocks(&path).len(), 302);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let interfaces = INTERFACES.map(|_| Interface {
            name: String::new(),
            description: String::new(),
        });
        let sink = Sink::create(Path::new("/dev/full"));
        let Ok(sink) = sink else { return };
        assert!(Writer::new(sink, LinkType::Raw, 64, &interfaces).is_err());
    }
}
