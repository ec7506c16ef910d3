//! `ng tap`.

mod clean;
mod edge;
mod frail;
pub mod guardian;
mod hold;
pub mod names;
mod output;
mod surgery;
mod tee;
mod watching;

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use netgraph::{Address, NodeInfo, Transport};

use super::usage;
use crate::capture::filter::Filter;
use crate::capture::link::LinkType;
use crate::capture::pcapng::{Interface, Sink, Writer};
use crate::failure::{Failure, Result};
use crate::session::Session;
use edge::{Edge, Place};
use guardian::Guardian;
use output::Output;
use surgery::Removal;
use tee::Tap as Watched;
use watching::{Limits, Seen};

/// Watch the packets of an edge
///
/// EDGE is one end of it, `node:hook` or `node.hook`, or both, `sw0.link0 -- tap0.right`. An ng_tee(4) is put into the edge and
/// taken out again in the end; packets that pass at the moment of either may be lost. What a bridge has learned of that port,
/// it has to learn anew. Of control messages along the edge, the tee lets only those about links and queues pass. If an end of
/// the edge is a tee whose copies nobody takes, that one is used, and nothing is changed.
///
/// A second process waits for this one to end and then takes the tee out, even if this one was killed. Should both be killed,
/// `ng tap --clean` does it.
///
/// Each packet is one line: the time in UTC, the ends in the direction it went, its length in bytes and what is in it. With
/// --json, the time is in seconds since 1970. Times are those at which ng received the packet.
#[derive(Debug, Args)]
#[command(override_usage = "ng tap [OPTIONS] <EDGE>\n       ng tap --clean")]
pub struct Tap {
    /// The edge
    #[arg(value_name = "EDGE", num_args = 1..=2, required_unless_present = "clean")]
    edge: Vec<String>,

    /// Write the packets to FILE as pcapng, for wireshark or tcpdump -r; - is standard output
    #[arg(short = 'w', long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// End after so many packets
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End when so many seconds have passed; with -c, that is a failure
    #[arg(short = 't', long, value_name = "SECONDS")]
    timeout: Option<u64>,

    /// Only packets of this kind, in the words of pcap-filter(7), such as 'tcp port 80 and not host 10.0.0.1'
    ///
    /// Packets within VLANs are looked into without `vlan`. There are neither names of hosts nor expressions on bytes.
    #[arg(long)]
    filter: Option<Filter>,

    /// Keep at most so many bytes of a packet
    #[arg(long, value_name = "BYTES", default_value_t = 262_144, value_parser = clap::value_parser!(u32).range(1..))]
    snaplen: u32,

    /// What packets start with; without it, guessed from the types of the nodes
    #[arg(long, value_enum)]
    linktype: Option<LinkType>,

    /// Show the bytes of packets too
    #[arg(short = 'x', long)]
    hex: bool,

    /// Tap even where the node loses something by it
    #[arg(long)]
    force: bool,

    /// Remove taps that were left over, and end
    #[arg(long, conflicts_with = "edge")]
    clean: bool,
}

impl Tap {
    fn check(&self) -> Result<()> {
        if self.write.as_deref() == Some(Path::new("-")) && io::stdout().is_terminal() {
            return Err(usage("-w - writes binary data, and standard output is a terminal"));
        }
        Ok(())
    }

    /// Watches until it is enough, and leaves everything as it was.
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        self.check()?;
        if self.clean {
            return clean::run(session);
        }
        match edge::find(session, &self.edge)? {
            Place::Node(list) => match tee::free(&list)? {
                Some(tap) => self.watch(session, tap),
                None => Err(tee::refusal(&list)),
            },
            Place::Edge(edge) => match tee::existing(session, &edge)? {
                Some(tap) => self.watch(session, tap),
                None => self.insert(session, &edge),
            },
        }
    }

    /// Watches the edge through a tee of its own.
    fn insert<T: Transport>(&self, session: &mut Session<T>, edge: &Edge) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        let whole = edge::without_taps(session, edge)?;
        // What can fail for other reasons does so before anything is changed.
        let output = self.output([edge.near.label(), edge.far.label()], self.link_of(edge))?;
        let stop = crate::signal::requests_to_end()?;
        let mut guardian = Guardian::start(&session.host.arguments()?, edge, self.force)?;
        let name = guardian.tee()?;
        let Some(id) = guardian.inserted()? else {
            let failure = Failure::Refused("the process that inserts the tap was killed".to_owned());
            let tee = Address::from(&name);
            return surgery::alone(session, |session| {
                Err(surgery::restore(session, (edge, &whole), &tee, failure))
            });
        };
        let tee = NodeInfo {
            name: Some(name.to_string()),
            type_name: "tee".to_owned(),
            id,
            hooks: 2,
        };
        let tap = Watched::inserted(tee.clone(), edge);
        let seen = watching::watch(
            session,
            &tap,
            &self.limits(),
            output,
            stop.as_fd(),
            Some(guardian.as_fd()),
        );
        let removed = match guardian.remove() {
            Ok(None) => surgery::alone(session, |session| surgery::remove(session, &tee, &whole)),
            Ok(Some(removal)) => Ok(removal),
            Err(failure) => Err(failure),
        };
        report_removal(edge, &removed);
        self.conclude(session, seen).and(removed.map(drop))
    }

    /// Watches through a tee that is there.
    fn watch<T: Transport>(&self, session: &mut Session<T>, tap: Watched) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        let stop = crate::signal::requests_to_end()?;
        let output = self.output(tap.labels(), self.linktype.unwrap_or(tap.link))?;
        let seen = watching::watch(session, &tap, &self.limits(), output, stop.as_fd(), None);
        self.conclude(session, seen)
    }

    fn link_of(&self, edge: &Edge) -> LinkType {
        let ends = [&edge.near, &edge.far].map(|end| (end.node.type_name.as_str(), end.hook.as_str()));
        self.linktype.unwrap_or_else(|| LinkType::of_edge(ends))
    }

    /// `ends`: the one that was named, and the other one.
    fn output(&self, ends: [String; 2], link: LinkType) -> Result<Output> {
        let snap_length = usize::try_from(self.snaplen).unwrap_or(usize::MAX);
        let Some(path) = &self.write else {
            return Ok(Output::lines(ends, link, self.hex));
        };
        let failed = |error| Failure::Io {
            what: "could not write the capture",
            error,
        };
        let [near, far] = &ends;
        let interfaces = [(near, far), (far, near)].map(|(from, to)| Interface {
            name: from.clone(),
            description: format!("packets from {from} to {to}"),
        });
        let sink = Sink::create(path).map_err(|error| Failure::File {
            path: path.display().to_string(),
            error,
        })?;
        let writer = Writer::new(sink, link, snap_length, &interfaces).map_err(failed)?;
        Ok(Output::capture(writer, link))
    }

    fn limits(&self) -> Limits<'_> {
        let deadline = self
            .timeout
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        Limits {
            filter: self.filter.as_ref(),
            count: self.count,
            deadline,
        }
    }

    /// Says what was seen, and whether that is what was asked for.
    fn conclude<T: Transport>(&self, session: &mut Session<T>, seen: Result<Seen>) -> Result<()> {
        let seen = seen?;
        let into_file = self.write.as_deref().is_some_and(|path| path != Path::new("-"));
        if session.json && into_file {
            session.print(&seen, |_| Ok(()))?;
        } else {
            tell!("ng: {seen}");
        }
        match (self.count, self.timeout) {
            (Some(count), Some(seconds)) if seen.late => Err(Failure::Late(format!(
                "{} of {count} packets came in {seconds} s",
                seen.packets
            ))),
            _ => Ok(()),
        }
    }
}

/// Says what is not as it should be.
fn report_removal(edge: &Edge, removed: &Result<Removal>) {
    match removed {
        Ok(Removal::Healed) | Err(_) => {}
        Ok(Removal::Gone) => tell!("ng: somebody else has removed the tap from `{}`", edge.label()),
        Ok(Removal::Apart) => tell!("ng: an end of `{}` is gone", edge.label()),
    }
}
