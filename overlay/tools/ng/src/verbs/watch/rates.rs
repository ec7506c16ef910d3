//! Counters of nodes, and how fast they grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Instant;

use netgraph::{Errno, NodeId, NodeInfo, Transport};
use serde::Serialize;

use crate::counters;
use crate::session::Session;

/// A counter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    pub node: String,
    /// The hook that it belongs to, where the node counts by hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    pub counter: String,
    pub value: u64,
    /// How much it grows in a second.
    pub rate: f64,
}

impl Rate {
    /// `tap0 left.inFrames`, or `sw0.link0 recvPackets`.
    pub fn label(&self) -> String {
        match &self.hook {
            Some(hook) => format!("{}.{hook} {}", self.node, self.counter),
            None => format!("{} {}", self.node, self.counter),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.1}/s, {}", self.label(), self.rate, self.value)
    }
}

/// A node, or a hook of it.
type Whose = (NodeId, Option<String>);

/// Counters by name; those that are zero may be missing.
type Counters = Vec<(String, u64)>;

/// What was counted the last time.
#[derive(Debug, Default)]
pub struct Rates {
    before: BTreeMap<Whose, (Counters, Instant)>,
    /// Types without counters.
    without: BTreeSet<String>,
}

impl Rates {
    /// Asks the nodes, each given with its hooks, for their counters.
    pub fn take<T: Transport>(
        &mut self,
        session: &mut Session<T>,
        nodes: &[(&NodeInfo, Vec<&str>)],
        now: Instant,
    ) -> Vec<Rate> {
        let mut rates = Vec::new();
        let mut taken = BTreeMap::new();
        for (node, hooks) in nodes {
            for (hook, arguments) in questions(&node.type_name, hooks) {
                let Some(counters) = self.ask(session, node, &arguments) else {
                    continue;
                };
                let whose = (node.id, hook.map(str::to_owned));
                rates.extend(counters.iter().map(|counter| self.rate(node, &whose, counter, now)));
                taken.insert(whose, (counters, now));
            }
        }
        self.before = taken;
        rates
    }

    /// A type that does not know the command is not asked again.
    fn ask<T: Transport>(&mut self, session: &mut Session<T>, node: &NodeInfo, arguments: &str) -> Option<Counters> {
        if self.without.contains(&node.type_name) {
            return None;
        }
        match counters::ask(session, &node.address(), arguments) {
            Ok(counters) => Some(counters),
            Err(error) => {
                if error.errno() == Some(Errno::ENOSYS) {
                    self.without.insert(node.type_name.clone());
                }
                None
            }
        }
    }

    /// A counter that was cleared meanwhile has grown by what it has.
    fn rate(&self, node: &NodeInfo, whose: &Whose, (name, value): &(String, u64), now: Instant) -> Rate {
        let grown = self.before.get(whose).map(|(counters, then)| {
            let grown = value.checked_sub(counters::value(counters, name)).unwrap_or(*value);
            (grown, now.duration_since(*then))
        });
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown with few digits")]
        let rate = grown.map(|(grown, time)| grown as f64 / time.as_secs_f64());
        Rate {
            node: node.label().trim_end_matches(':').to_owned(),
            hook: whose.1.clone(),
            counter: name.clone(),
            value: *value,
            rate: rate.filter(|rate| rate.is_finite()).unwrap_or(0.0),
        }
    }
}

/// What to ask a node for, with which arguments: once, or for each hook that is counted.
///
/// Source: ng_bridge(4), ng_one2many(4), ng_ppp(4), ng_hole(4), ng_bpf(4), ng_tag(4), ng_tcpmss(4).
fn questions<'a>(kind: &str, hooks: &[&'a str]) -> Vec<(Option<&'a str>, String)> {
    let number = |hook: &str| {
        let digits = hook.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        digits.parse::<i64>().ok()
    };
    let ask = |hook: &'a str| {
        let arguments = match (kind, hook) {
            // Uplinks are counted downwards, from -1.
            ("bridge", _) if hook.starts_with("uplink") => (-number(hook)?).to_string(),
            ("one2many", "one") => "-1".to_owned(),
            ("bridge" | "one2many", _) => number(hook)?.to_string(),
            ("ppp", _) if hook.starts_with("link") => number(hook)?.to_string(),
            ("hole" | "bpf" | "tag" | "tcpmss", _) => format!("\"{hook}\""),
            _ => return None,
        };
        Some((Some(hook), arguments))
    };
    match kind {
        "bridge" | "one2many" | "ppp" | "hole" | "bpf" | "tag" | "tcpmss" => {
            hooks.iter().filter_map(|hook| ask(hook)).collect()
        }
        _ => vec![(None, String::new())],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nodes_that_count_by_hooks_are_asked_for_each() {
        type Row = (
            &'static str,
            &'static [&'static str],
            &'static [(Option<&'static str>, &'static str)],
        );
        let rows: [Row; 5] = [
            ("tee", &["left", "right"], &[(None, "")]),
            (
                "bridge",
                &["link3", "uplink2"],
                &[(Some("link3"), "3"), (Some("uplink2"), "-2")],
            ),
            (
                "one2many",
                &["one", "many7"],
                &[(Some("one"), "-1"), (Some("many7"), "7")],
            ),
            ("ppp", &["bypass", "link0"], &[(Some("link0"), "0")]),
            ("hole", &["in"], &[(Some("in"), "\"in\"")]),
        ];
        for (kind, hooks, expected) in rows {
            let found = questions(kind, hooks);
            let found: Vec<_> = found.iter().map(|(hook, text)| (*hook, text.as_str())).collect();
            assert_eq!(found, expected, "{kind}");
        }
    }

    #[test]
    fn a_rate_is_per_second_also_after_a_reset() {
        let node = NodeInfo {
            name: Some("tap0".to_owned()),
            type_name: "tee".to_owned(),
            id: NodeId(3),
            hooks: 2,
        };
        let whose = (NodeId(3), None);
        let counter = |value| ("left.inFrames".to_owned(), value);
        let then = Instant::now();
        let mut rates = Rates::default();
        let rate = rates.rate(&node, &whose, &counter(10), then).rate;
        assert!(rate.abs() < 1e-9, "nothing is known of the time before");
        let now = then + Duration::from_millis(500);
        rates.before.insert(whose.clone(), (Vec::new(), then));
        assert!((rates.rate(&node, &whose, &counter(4), now).rate - 8.0).abs() < 1e-9);
        rates.before.insert(whose.clone(), (vec![counter(10)], then));
        let rate = rates.rate(&node, &whose, &counter(25), now);
        assert_eq!(rate.to_string(), "tap0 left.inFrames: 30.0/s, 25");
        assert!((rates.rate(&node, &whose, &counter(4), now).rate - 8.0).abs() < 1e-9);
    }
}
