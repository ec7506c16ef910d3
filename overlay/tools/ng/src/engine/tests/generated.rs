//! Generated graphs: applied, dumped, planned again, edited.

use std::collections::HashSet;
use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Machine, links, parsed};

/// How many graphs are tried, unless `PROPTEST_CASES` says otherwise.
const GRAPHS: u32 = 200;

/// A graph that can be drawn: types of nodes, and pairs of nodes to be linked.
#[derive(Debug, Clone)]
pub struct Sketch {
    kinds: Vec<&'static str>,
    pairs: Vec<(usize, usize)>,
}

/// Types that are alike on the hosted kernel and on FreeBSD.
const KINDS: [&str; 6] = ["hub", "bridge", "tee", "one2many", "eiface", "hole"];

/// Graphs of up to so many nodes and edges.
pub fn sketches(nodes: usize, edges: usize) -> impl Strategy<Value = Sketch> {
    let kinds = vec(prop::sample::select(&KINDS[..]), 1..=nodes);
    let pairs = vec((0..nodes, 0..nodes), 0..=edges);
    (kinds, pairs).prop_map(|(kinds, pairs)| Sketch { kinds, pairs })
}

impl Sketch {
    /// The graph's file. Pairs between nodes that have no hook left are left out, and nodes that would have no links.
    pub fn yaml(&self) -> String {
        let count = self.kinds.len();
        let mut used = vec![0; count];
        let mut edges = Vec::new();
        // A bridge refuses links to itself.
        let is_taken = |&(left, right): &(usize, usize)| left != right || self.kinds[left] != "bridge";
        let pairs = self.pairs.iter().map(|(left, right)| (left % count, right % count));
        for (left, right) in pairs.filter(is_taken) {
            let ends = (
                self.hook(left, used[left]),
                self.hook(right, used[right] + usize::from(left == right)),
            );
            if let (Some(one), Some(other)) = ends {
                used[left] += 1;
                used[right] += 1;
                edges.push(format!("  - n{left}.{one} -- n{right}.{other}\n"));
            }
        }
        let mut text = String::from("version: 1\nloops: allow\nnodes:\n");
        for (node, kind) in self.kinds.iter().enumerate() {
            if used[node] > 0 || *kind == "eiface" {
                let _ = writeln!(text, "  n{node}: {{ type: {kind} }}");
            }
        }
        text.push_str("edges:\n");
        text.extend(edges);
        text
    }

    /// The hook that a node uses after so many others.
    fn hook(&self, node: usize, used: usize) -> Option<String> {
        match self.kinds[node] {
            "tee" => ["left", "right", "left2right", "right2left"]
                .get(used)
                .map(|&hook| hook.to_owned()),
            "bridge" => Some(format!("link{used}")),
            "one2many" if used == 0 => Some("one".to_owned()),
            "one2many" => (used <= 32).then(|| format!("many{}", used - 1)),
            "eiface" => (used == 0).then(|| "ether".to_owned()),
            _ => Some(format!("x{used}")),
        }
    }
}

/// An edit: nodes change their types, and pairs go and come.
#[derive(Debug, Clone)]
struct Edit {
    retyped: Vec<(usize, &'static str)>,
    removed: Vec<usize>,
    added: Vec<(usize, usize)>,
}

fn edits() -> impl Strategy<Value = Edit> {
    let retyped = vec((0..300_usize, prop::sample::select(&KINDS[..])), 0..4);
    let removed = vec(0..600_usize, 0..40);
    let added = vec((0..300_usize, 0..300_usize), 0..40);
    (retyped, removed, added).prop_map(|(retyped, removed, added)| Edit {
        retyped,
        removed,
        added,
    })
}

impl Edit {
    fn of(&self, sketch: &Sketch) -> Sketch {
        let mut edited = sketch.clone();
        for (node, kind) in &self.retyped {
            let count = edited.kinds.len();
            edited.kinds[node % count] = kind;
        }
        let removed: HashSet<usize> = self
            .removed
            .iter()
            .map(|index| index % sketch.pairs.len().max(1))
            .collect();
        let mut index = 0..;
        edited.pairs.retain(|_| !removed.contains(&index.next().unwrap()));
        edited.pairs.extend(&self.added);
        edited
    }
}

/// The same graphs each time, so that a verdict can be repeated.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases: std::env::var("PROPTEST_CASES").map_or(cases, |text| text.parse().unwrap()),
        failure_persistence: None,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Applied, dumped and read again, there is nothing to change; edited, there is exactly what is declared.
#[test]
fn what_is_declared_is_what_there_is() {
    let machine = Machine::start();
    let sketches = (sketches(300, 600), edits());
    let check = |(sketch, edit): (Sketch, Edit)| {
        let text = sketch.yaml();
        machine.apply(&text).unwrap();
        machine.assert_is(&text);
        assert_eq!(machine.changes(&text), 0, "{text}");
        let dumped = machine.dump();
        let again = dumped.to_yaml();
        assert_eq!(links(&dumped).len(), parsed(&again).edges().len());
        assert_eq!(machine.changes(&again), 0, "{again}");
        let edited = edit.of(&sketch).yaml();
        machine
            .apply(&edited)
            .unwrap_or_else(|failure| panic!("{text}\n{edited}\n{failure}"));
        machine.assert_is(&edited);
        assert_eq!(machine.changes(&edited), 0, "{edited}");
        Ok(())
    };
    runner(GRAPHS).run(&sketches, check).unwrap();
    machine.apply("version: 1\n").unwrap();
    machine.assert_is("version: 1\n");
}
