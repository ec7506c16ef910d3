//! What becomes of the packets that are watched.

use std::time::Duration;

use netgraph::Transport;
use serde::Serialize;

use crate::capture::facts::Facts;
use crate::capture::link::LinkType;
use crate::capture::pcapng::{Counts, Writer};
use crate::capture::{Direction, Packet, summary};
use crate::clock;
use crate::dump;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Where packets go.
#[derive(Debug)]
pub struct Output {
    /// What packets start with.
    pub link: LinkType,
    to: To,
}

#[derive(Debug)]
enum To {
    /// Standard output, in words; the labels of the end that was named and of the other one.
    Lines {
        ends: [String; 2],
        hex: bool,
    },
    Capture(Box<Writer>),
}

/// A packet as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since 1970, exactly.
    time: String,
    from: &'a str,
    to: &'a str,
    length: usize,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

impl Output {
    /// One line for each packet, to standard output.
    pub fn lines(ends: [String; 2], link: LinkType, hex: bool) -> Self {
        let to = To::Lines { ends, hex };
        Self { link, to }
    }

    /// A capture.
    pub fn capture(writer: Writer, link: LinkType) -> Self {
        let to = To::Capture(Box::new(writer));
        Self { link, to }
    }

    /// Shows or keeps a packet.
    pub fn packet<T: Transport>(&mut self, session: &mut Session<T>, packet: &Packet<'_>, facts: &Facts) -> Result<()> {
        let (ends, hex) = match &mut self.to {
            To::Capture(writer) => return writer.packet(packet).map_err(lost),
            To::Lines { ends, hex } => (ends, *hex),
        };
        let [near, far] = ends;
        let (from, to) = match packet.direction {
            Direction::Outbound => (near, far),
            Direction::Inbound => (far, near),
        };
        let line = Line {
            time: clock::seconds(packet.time),
            from,
            to,
            length: packet.bytes.len(),
            summary: summary::line(facts),
            data: hex.then(|| dump::hex(packet.bytes)),
        };
        session.print(&line, |out| {
            let (time, length) = (clock::time_of_day(packet.time), line.length);
            writeln!(
                out,
                "{time} {} > {}, {length} bytes: {}",
                line.from, line.to, line.summary
            )?;
            if hex {
                write!(out, "{}", dump::lines(packet.bytes))?;
            }
            Ok(())
        })
    }

    /// Writes what was kept back.
    pub fn flush(&mut self) -> Result<()> {
        match &mut self.to {
            To::Capture(writer) => writer.flush().map_err(lost),
            To::Lines { .. } => Ok(()),
        }
    }

    /// Nothing more will come; what was counted of outbound and inbound packets since `start`.
    pub fn finish(self, counts: [Counts; 2], start: Duration, end: Duration) -> Result<()> {
        match self.to {
            To::Capture(writer) => writer.finish(counts, start, end).map_err(lost),
            To::Lines { .. } => Ok(()),
        }
    }
}

fn lost(error: std::io::Error) -> Failure {
    Failure::Io {
        what: "could not write the capture",
        error,
    }
}
