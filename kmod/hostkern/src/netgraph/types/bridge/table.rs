//! What a bridge knows: its ports, and which stations are behind them.

use core::time::Duration;
use std::collections::BTreeMap;

use super::super::arguments::{ETHERNET_HEADER, Mac, counters, hook_field, is_group, mac, number, numbered, string};
use crate::netgraph::errors::{EINVAL, ELOOP, ENOENT, ENOTCONN, Result};
use crate::report;

const BROADCAST: Mac = [0xff; 6];

/// Who is on the other side of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `link0`, `link1`, …: stations that are learnt.
    Link,
    /// `uplink1`, `uplink2`, …: the world, of which nothing is learnt, and to which goes what nobody is known for.
    Uplink,
}

/// The side and the number of the port with a name; `None`: a bridge has no such port.
pub(super) fn port_of(name: &[u8]) -> Option<(Side, i32)> {
    let link = numbered(name, "link").map(|number| (Side::Link, number));
    // Messages call it by its negative number, so that there is no uplink0.
    let uplink = || numbered(name, "uplink").filter(|number| *number != 0);
    let (side, number) = link.or_else(|| uplink().map(|number| (Side::Uplink, number)))?;
    Some((side, i32::try_from(number).ok()?))
}

/// The name of a port by the number that messages have for it.
pub(super) fn port_name(number: i32) -> Vec<u8> {
    let word = if number < 0 { "uplink" } else { "link" };
    format!("{word}{}", number.unsigned_abs()).into_bytes()
}

/// A counter of `struct ng_bridge_link_stats`, by its place there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counter {
    ReceivedOctets,
    ReceivedPackets,
    ReceivedMulticasts,
    ReceivedBroadcasts,
    ReceivedUnknown,
    ReceivedRunts,
    ReceivedInvalid,
    SentOctets,
    SentPackets,
    SentMulticasts,
    SentBroadcasts,
    LoopDrops,
    LoopDetects,
    MemoryFailures,
}

struct Port {
    side: Side,
    /// Whether it gets frames for stations that are not known.
    gets_unknown: bool,
    /// Since when it is muted.
    muted: Option<Duration>,
    counts: [u64; 14],
}

impl Port {
    fn add(&mut self, counter: Counter, by: usize) {
        self.counts[counter as usize] += by as u64;
    }
}

struct Station {
    port: Vec<u8>,
    /// Since when it is there.
    since: Duration,
    heard: Duration,
}

/// `struct ng_bridge_config`
struct Config {
    debug_level: u8,
    loop_timeout: u32,
    max_staleness: u32,
    min_stable_age: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            debug_level: 1,
            loop_timeout: 60,
            max_staleness: 15 * 60,
            min_stable_age: 1,
        }
    }
}

/// The frame's header, looked at.
struct Header {
    to: Mac,
    from: Mac,
}

impl Header {
    /// `None`: the frame is too short for one.
    fn of(frame: &[u8]) -> Option<Self> {
        let header = frame.get(..ETHERNET_HEADER)?;
        Some(Self {
            to: header[..6].try_into().ok()?,
            from: header[6..12].try_into().ok()?,
        })
    }
}

/// Ports, stations and configuration. Times are those since boot.
#[derive(Default)]
pub(super) struct Table {
    config: Config,
    ports: BTreeMap<Vec<u8>, Port>,
    stations: BTreeMap<Mac, Station>,
    /// The first port was an uplink: frames for unknown stations go to uplinks only.
    only_uplinks_get_unknown: bool,
}

impl Table {
    /// A port is about to be connected, as the first one or not.
    pub(super) fn add_port(&mut self, name: &[u8], is_first: bool) -> Result {
        let (side, _) = port_of(name).ok_or(EINVAL)?;
        if is_first {
            self.only_uplinks_get_unknown = side == Side::Uplink;
        }
        let port = Port {
            side,
            gets_unknown: side == Side::Uplink || !self.only_uplinks_get_unknown,
            muted: None,
            counts: [0; 14],
        };
        self.ports.insert(name.to_vec(), port);
        Ok(())
    }

    /// Forgets a port, and who is behind it.
    pub(super) fn remove_port(&mut self, name: &[u8]) {
        self.ports.remove(name);
        self.stations.retain(|_, station| station.port != name);
    }

    /// Forgets who is where.
    pub(super) fn reset(&mut self) {
        self.stations.clear();
        self.ports.values_mut().for_each(|port| port.muted = None);
    }

    /// Forgets stations that nothing was heard of for too long.
    fn expire(&mut self, now: Duration) {
        let longest = u64::from(self.config.max_staleness);
        self.stations
            .retain(|_, station| now.saturating_sub(station.heard).as_secs() <= longest);
    }

    fn port(&mut self, name: &[u8]) -> Result<&mut Port> {
        self.ports.get_mut(name).ok_or(ENOTCONN)
    }

    /// Takes note of a frame that came in by a port, and says which ports it is to be sent to.
    pub(super) fn route(&mut self, name: &[u8], frame: &[u8], now: Duration) -> Result<Vec<Vec<u8>>> {
        let header = self.receive(name, frame, now)?;
        if self.port(name)?.side == Side::Link {
            self.place(header.from, name, now)
                .inspect_err(|_| self.count(name, Counter::LoopDrops))?;
        }
        let known = self.stations.get(&header.to).filter(|_| !is_group(header.to));
        if let Some(station) = known {
            let there = Some(&station.port).filter(|port| *port != name);
            return Ok(there.cloned().into_iter().collect());
        }
        if !is_group(header.to) {
            self.count(name, Counter::ReceivedUnknown);
        }
        let others = self.ports.iter().filter(|(other, _)| *other != name);
        let takers = others.filter(|(_, port)| is_group(header.to) || port.gets_unknown);
        Ok(takers.map(|(name, _)| name.clone()).collect())
    }

    /// Counts a frame that came in, unless it is to be dropped.
    fn receive(&mut self, name: &[u8], frame: &[u8], now: Duration) -> Result<Header> {
        self.expire(now);
        let mute_for = u64::from(self.config.loop_timeout);
        let port = self.port(name)?;
        let Some(header) = Header::of(frame) else {
            port.add(Counter::ReceivedRunts, 1);
            return Err(EINVAL);
        };
        if is_group(header.from) {
            port.add(Counter::ReceivedInvalid, 1);
            return Err(EINVAL);
        }
        if port
            .muted
            .is_some_and(|since| now.saturating_sub(since).as_secs() < mute_for)
        {
            port.add(Counter::LoopDrops, 1);
            return Err(ELOOP);
        }
        port.muted = None;
        port.add(Counter::ReceivedOctets, frame.len());
        port.add(Counter::ReceivedPackets, 1);
        match header.to {
            BROADCAST => port.add(Counter::ReceivedBroadcasts, 1),
            to if is_group(to) => port.add(Counter::ReceivedMulticasts, 1),
            _ => {}
        }
        Ok(header)
    }

    /// A station was heard behind a port. If it was behind another one just before, the port is muted: `ELOOP`.
    fn place(&mut self, mac: Mac, name: &[u8], now: Duration) -> Result {
        let stable = u64::from(self.config.min_stable_age);
        match self.stations.get_mut(&mac) {
            Some(station) if station.port == name => station.heard = now,
            Some(station) if now.saturating_sub(station.since).as_secs() < stable => {
                return Err(self.mute(mac, name, now));
            }
            _ => {
                let port = name.to_vec();
                let (since, heard) = (now, now);
                self.stations.insert(mac, Station { port, since, heard });
            }
        }
        Ok(())
    }

    fn mute(&mut self, mac: Mac, name: &[u8], now: Duration) -> i32 {
        if self.config.debug_level >= 2 {
            let name = String::from_utf8_lossy(name);
            report::note(&format!("ng_bridge: {mac:02x?} has moved to {name} too fast: a loop"));
        }
        if let Some(port) = self.ports.get_mut(name) {
            port.add(Counter::LoopDetects, 1);
            port.muted = Some(now);
        }
        self.stations.retain(|_, station| station.port != name);
        ELOOP
    }

    /// `NGM_BRIDGE_MOVE_HOST`: puts a station behind the port named, else behind that of the message.
    pub(super) fn move_host(&mut self, arguments: &[u8], fallback: Option<Vec<u8>>, now: Duration) -> Result {
        let (address, hook) = arguments.split_at_checked(6).ok_or(EINVAL)?;
        let station = mac(address)?;
        let hook: [u8; 32] = hook.try_into().map_err(|_| EINVAL)?;
        let name = match string(&hook) {
            [] => fallback.ok_or(EINVAL)?,
            name => name.to_vec(),
        };
        if !self.ports.contains_key(&name) {
            return Err(ENOENT);
        }
        self.expire(now);
        self.place(station, &name, now)
    }

    fn count(&mut self, name: &[u8], counter: Counter) {
        if let Some(port) = self.ports.get_mut(name) {
            port.add(counter, 1);
        }
    }

    /// Counts a frame that is sent out of a port.
    pub(super) fn count_out(&mut self, name: &[u8], frame: &[u8]) {
        let Some(port) = self.ports.get_mut(name) else { return };
        port.add(Counter::SentOctets, frame.len());
        port.add(Counter::SentPackets, 1);
        match Header::of(frame).map(|header| header.to) {
            Some(BROADCAST) => port.add(Counter::SentBroadcasts, 1),
            Some(to) if is_group(to) => port.add(Counter::SentMulticasts, 1),
            _ => {}
        }
    }

    /// There was no memory for a frame that was to be sent out of a port.
    pub(super) fn count_failure(&mut self, name: &[u8]) {
        self.count(name, Counter::MemoryFailures);
    }

    /// `struct ng_bridge_link_stats`
    pub(super) fn counts(&mut self, number: i32) -> Result<Vec<u8>> {
        Ok(counters(&self.port(&port_name(number))?.counts))
    }

    pub(super) fn clear_counts(&mut self, number: i32) -> Result {
        self.port(&port_name(number))?.counts = [0; 14];
        Ok(())
    }

    /// `struct ng_bridge_host_ary`
    pub(super) fn stations(&mut self, now: Duration) -> Vec<u8> {
        self.expire(now);
        let seconds = |since: Duration| {
            let seconds = now.saturating_sub(since).as_secs();
            u16::try_from(seconds).unwrap_or(u16::MAX).to_ne_bytes()
        };
        let count = u32::try_from(self.stations.len()).unwrap_or(u32::MAX);
        let hosts = self.stations.iter().flat_map(|(mac, station)| {
            let times = [seconds(station.since), seconds(station.heard)];
            [&mac[..], &hook_field(&station.port), times.as_flattened()].concat()
        });
        count.to_ne_bytes().into_iter().chain(hosts).collect()
    }

    /// `struct ng_bridge_config`
    pub(super) fn config(&self) -> Vec<u8> {
        let Config {
            debug_level,
            loop_timeout,
            max_staleness,
            min_stable_age,
        } = self.config;
        let numbers = [u32::from(debug_level), loop_timeout, max_staleness, min_stable_age];
        numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
    }

    pub(super) fn configure(&mut self, arguments: &[u8]) -> Result {
        let numbers: &[u8; 16] = arguments.try_into().map_err(|_| EINVAL)?;
        let field = |index: usize| number(&numbers[4 * index..4 * index + 4]);
        self.config = Config {
            debug_level: numbers[0], // The rest of the word is padding.
            loop_timeout: field(1)?,
            max_staleness: field(2)?,
            min_stable_age: field(3)?,
        };
        Ok(())
    }
}
