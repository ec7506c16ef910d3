//! Taking packets from a tee until it is enough.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use netgraph::{Address, Connect, Errno, HookName, ListHooks, RemoveHook, Transport};
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;

use super::output::Output;
use super::tee::Tap;
use crate::capture::facts::Facts;
use crate::capture::filter::Filter;
use crate::capture::pcapng::Counts;
use crate::capture::{Direction, Packet};
use crate::clock;
use crate::counters;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// The largest packet that is read, in bytes.
const LARGEST_PACKET: usize = 256 * 1024;

/// How often is looked whether the tap is still there.
const ROUNDS: Duration = Duration::from_secs(1);

/// How long what has come already is taken in the end.
const LAST: Duration = Duration::from_secs(2);

/// The hooks of a tee by which copies leave, as are those of the own node that take them.
const COPIES: [&str; 2] = ["left2right", "right2left"];

/// When it is enough.
#[derive(Debug)]
pub struct Limits<'a> {
    pub filter: Option<&'a Filter>,
    pub count: Option<u64>,
    pub deadline: Option<Instant>,
}

/// What was seen, in both directions.
#[derive(Debug, Default, Serialize)]
pub struct Seen {
    /// Packets that the filter let pass.
    pub packets: u64,
    /// All packets.
    seen: u64,
    /// Packets that did not reach this process.
    lost: u64,
    /// The time was over.
    #[serde(skip)]
    pub late: bool,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.packets == 1 { "" } else { "s" };
        write!(
            f,
            "{} packet{s}, of {} seen; {} lost",
            self.packets, self.seen, self.lost
        )
    }
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Enough,
    Asked,
    Late,
}

/// What there is to do.
#[derive(Debug, Default, Clone, Copy)]
struct Ready {
    packets: bool,
    stop: bool,
    guardian: bool,
}

/// Takes packets until the limits are reached, until `stop` can be read, or until the tap is gone.
pub fn watch<T: Transport>(
    session: &mut Session<T>,
    tap: &Tap,
    limits: &Limits<'_>,
    output: Output,
    stop: BorrowedFd<'_>,
    guardian: Option<BorrowedFd<'_>>,
) -> Result<Seen>
where
    T::Endpoint: AsFd,
{
    connect(session, tap)?;
    let before = losses(session, tap);
    let mut watching = Watching {
        tap,
        limits,
        output,
        start: clock::now(),
        buffer: vec![0; LARGEST_PACKET],
        counts: Default::default(),
    };
    let ended = watching.run(session, stop, guardian);
    for (counts, (before, after)) in watching
        .counts
        .iter_mut()
        .zip(before.into_iter().zip(losses(session, tap)))
    {
        counts.lost = after.saturating_sub(before);
    }
    disconnect(session);
    watching.finish(ended)
}

/// Connects the own node to both copies.
fn connect<T: Transport>(session: &mut Session<T>, tap: &Tap) -> Result<()> {
    session.socket.open_data()?;
    for hook in COPIES {
        let hook: HookName = hook.parse().map_err(netgraph::Error::from)?;
        let request = Connect {
            peer: tap.tee.address(),
            hook: hook.clone(),
            peer_hook: hook,
        };
        session.request(&Address::here(), &request)?;
    }
    Ok(())
}

/// Leaves a tee that stays.
fn disconnect<T: Transport>(session: &mut Session<T>) {
    for hook in COPIES.into_iter().filter_map(|hook| hook.parse().ok()) {
        // The tee may be gone, and the hooks with it.
        let _ = session.socket.request(&Address::here(), &RemoveHook(hook));
    }
}

/// How many packets the tee could not copy so far: outbound, inbound. Nothing when it is gone.
fn losses<T: Transport>(session: &mut Session<T>, tap: &Tap) -> [u64; 2] {
    let counters = counters::ask(session, &tap.tee.address(), "").unwrap_or_default();
    let value = |name: &str| counters::value(&counters, name);
    let left = value("left.inFrames").saturating_sub(value("left2right.outFrames"));
    let right = value("right.inFrames").saturating_sub(value("right2left.outFrames"));
    if tap.turned { [right, left] } else { [left, right] }
}

struct Watching<'a> {
    tap: &'a Tap,
    limits: &'a Limits<'a>,
    output: Output,
    start: Duration,
    buffer: Vec<u8>,
    /// Of outbound and inbound packets.
    counts: [Counts; 2],
}

impl Watching<'_> {
    fn run<T: Transport>(
        &mut self,
        session: &mut Session<T>,
        stop: BorrowedFd<'_>,
        guardian: Option<BorrowedFd<'_>>,
    ) -> Result<End>
    where
        T::Endpoint: AsFd,
    {
        let mut checked = Instant::now();
        loop {
            let ready = self.wait(session, stop, guardian)?;
            if ready.stop {
                let is_enough = self.take(session, LAST)?;
                return Ok(if is_enough { End::Enough } else { End::Asked });
            }
            if ready.guardian {
                let text = "the process that is to remove the tap has ended early; the tap is removed now";
                return Err(Failure::Refused(text.to_owned()));
            }
            if ready.packets && self.take(session, ROUNDS / 10)? {
                return Ok(End::Enough);
            }
            let now = Instant::now();
            if self.limits.deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(End::Late);
            }
            if now.duration_since(checked) >= ROUNDS {
                self.check(session)?;
                checked = now;
            }
        }
    }

    /// Takes what is there, but no longer than this; whether that is enough.
    fn take<T: Transport>(&mut self, session: &mut Session<T>, longest: Duration) -> Result<bool> {
        let until = Instant::now() + longest;
        while Instant::now() < until {
            let received = session.socket.receive_data(&mut self.buffer, Some(Instant::now()));
            let (length, hook) = match received {
                Ok(Some(received)) => received,
                Ok(None) => break,
                // Some were lost, which the tee counts.
                Err(error) if error.errno() == Some(Errno::ENOBUFS) => continue,
                Err(error) => return Err(error.into()),
            };
            if self.packet(session, length, &hook)? {
                self.output.flush()?;
                return Ok(true);
            }
        }
        self.output.flush()?;
        Ok(false)
    }

    /// Whether that was the last one.
    fn packet<T: Transport>(&mut self, session: &mut Session<T>, length: usize, hook: &str) -> Result<bool> {
        let direction = self.tap.direction(hook);
        let packet = Packet {
            time: clock::now(),
            direction,
            bytes: &self.buffer[..length],
        };
        let counts = &mut self.counts[usize::from(direction == Direction::Inbound)];
        counts.seen += 1;
        let facts = Facts::of(packet.bytes, self.output.link);
        if self.limits.filter.is_some_and(|filter| !filter.accepts(&facts)) {
            return Ok(false);
        }
        counts.accepted += 1;
        self.output.packet(session, &packet, &facts)?;
        let accepted: u64 = self.counts.iter().map(|counts| counts.accepted).sum();
        Ok(self.limits.count.is_some_and(|count| accepted >= count))
    }

    /// Waits for something to do, but not longer than until the next check.
    fn wait<T: Transport>(
        &self,
        session: &Session<T>,
        stop: BorrowedFd<'_>,
        guardian: Option<BorrowedFd<'_>>,
    ) -> Result<Ready>
    where
        T::Endpoint: AsFd,
    {
        let Some(data) = session.socket.data_endpoint() else {
            return Ok(Ready::default());
        };
        let left = self
            .limits
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map_or(ROUNDS, |left| left.min(ROUNDS));
        let time = Timespec::try_from(left).ok();
        let descriptors = [Some(data.as_fd()), Some(stop), guardian];
        let mut entries: Vec<PollFd<'_>> = descriptors
            .into_iter()
            .flatten()
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
            .collect();
        match rustix::event::poll(&mut entries, time.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            other => other.map_err(|error| Failure::Io {
                what: "could not wait for packets",
                error: error.into(),
            })?,
        };
        let ready = |index: usize| entries.get(index).is_some_and(|entry| !entry.revents().is_empty());
        Ok(Ready {
            packets: ready(0),
            stop: ready(1),
            guardian: ready(2),
        })
    }

    /// Fails when no packet can come any more.
    fn check<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let list = match session.socket.request(&self.tap.tee.address(), &ListHooks) {
            Err(error) if error.errno() == Some(Errno::ENOENT) => {
                return Err(Failure::Refused(format!("`{}` was shut down", self.tap.tee.label())));
            }
            other => other?,
        };
        let has = |hook: &str| list.links.iter().any(|link| link.hook == hook);
        if self.tap.between && !(has("left") && has("right")) {
            let [near, far] = self.tap.labels();
            return Err(Failure::Refused(format!("an end of `{near} -- {far}` is gone")));
        }
        match COPIES.into_iter().all(has) {
            true => Ok(()),
            false => Err(Failure::Refused(format!(
                "`{}` gives no copies any more",
                self.tap.tee.label()
            ))),
        }
    }

    /// Ends the capture, whatever has ended it.
    fn finish(self, ended: Result<End>) -> Result<Seen> {
        let mut seen = Seen {
            late: matches!(ended, Ok(End::Late)),
            ..Seen::default()
        };
        for counts in self.counts {
            seen.packets += counts.accepted;
            seen.seen += counts.seen;
            seen.lost += counts.lost;
        }
        let finished = self.output.finish(self.counts, self.start, clock::now());
        ended.and(finished).map(|()| seen)
    }
}
