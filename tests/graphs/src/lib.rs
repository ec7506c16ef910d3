//! Generated graphs: drawn, written as files that declare them, and edited.
//!
//! They are the same each time, so that a verdict can be repeated.

use std::collections::HashSet;
use std::env;
use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Types that are alike on the hosted kernel and on FreeBSD.
const KINDS: [&str; 6] = ["hub", "bridge", "tee", "one2many", "eiface", "hole"];

/// A graph that can be drawn: types of nodes, and pairs of nodes to be linked.
#[derive(Debug, Clone)]
pub struct Sketch {
    kinds: Vec<&'static str>,
    pairs: Vec<(usize, usize)>,
}

/// An edit of a graph: nodes change their types, and pairs go and come.
#[derive(Debug, Clone)]
pub struct Edit {
    retyped: Vec<(usize, &'static str)>,
    removed: Vec<usize>,
    added: Vec<(usize, usize)>,
}

/// Graphs of up to so many nodes and edges.
pub fn sketches(nodes: usize, edges: usize) -> impl Strategy<Value = Sketch> {
    let kinds = vec(prop::sample::select(&KINDS[..]), 1..=nodes);
    let pairs = vec((0..nodes, 0..nodes), 0..=edges);
    (kinds, pairs).prop_map(|(kinds, pairs)| Sketch { kinds, pairs })
}

/// Edits of graphs of any size.
pub fn edits() -> impl Strategy<Value = Edit> {
    let retyped = vec((0..300_usize, prop::sample::select(&KINDS[..])), 0..4);
    let removed = vec(0..600_usize, 0..40);
    let added = vec((0..300_usize, 0..300_usize), 0..40);
    (retyped, removed, added).prop_map(|(retyped, removed, added)| Edit {
        retyped,
        removed,
        added,
    })
}

/// Tries as many graphs, or as many as `PROPTEST_CASES` says.
///
/// # Panics
/// `PROPTEST_CASES` is no number.
#[must_use]
pub fn runner(graphs: u32) -> TestRunner {
    let asked = env::var("PROPTEST_CASES").ok();
    let config = Config {
        cases: asked.map_or(graphs, |text| text.parse().expect("PROPTEST_CASES is a number")),
        failure_persistence: None,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

impl Sketch {
    /// The file that declares it. Pairs of nodes that have no hook left are left out, and so are nodes without links that
    /// would not live without one.
    #[must_use]
    pub fn yaml(&self) -> String {
        let (edges, used) = self.edges();
        let mut text = String::from("version: 1\nloops: allow\nnodes:\n");
        for (node, kind) in self.kinds.iter().enumerate() {
            if used[node] > 0 || *kind == "eiface" {
                let _ = writeln!(text, "  n{node}: {{ type: {kind} }}");
            }
        }
        text.push_str("edges:\n");
        text.extend(edges.into_iter().map(|edge| format!("  - {edge}\n")));
        text
    }

    /// The edges, and how many hooks of each node they use.
    fn edges(&self) -> (Vec<String>, Vec<usize>) {
        let count = self.kinds.len();
        let mut used = vec![0; count];
        let mut edges = Vec::new();
        // A bridge refuses links to itself.
        let is_taken = |&(left, right): &(usize, usize)| left != right || self.kinds[left] != "bridge";
        let pairs = self.pairs.iter().map(|(left, right)| (left % count, right % count));
        for (left, right) in pairs.filter(is_taken) {
            let second = used[right] + usize::from(left == right);
            if let (Some(one), Some(other)) = (self.hook(left, used[left]), self.hook(right, second)) {
                used[left] += 1;
                used[right] += 1;
                edges.push(format!("n{left}.{one} -- n{right}.{other}"));
            }
        }
        (edges, used)
    }

    /// The hook that a node uses after so many others.
    fn hook(&self, node: usize, used: usize) -> Option<String> {
        match self.kinds[node] {
            "tee" => {
                let hooks = ["left", "right", "left2right", "right2left"];
                hooks.get(used).map(|&hook| hook.to_owned())
            }
            "bridge" => Some(format!("link{used}")),
            "one2many" if used == 0 => Some("one".to_owned()),
            "one2many" => (used <= 32).then(|| format!("many{}", used - 1)),
            "eiface" => (used == 0).then(|| "ether".to_owned()),
            _ => Some(format!("x{used}")),
        }
    }
}

impl Edit {
    /// The graph, edited.
    #[must_use]
    pub fn of(&self, sketch: &Sketch) -> Sketch {
        let mut edited = sketch.clone();
        let count = edited.kinds.len();
        for (node, kind) in &self.retyped {
            edited.kinds[node % count] = kind;
        }
        let pairs = sketch.pairs.len().max(1);
        let removed: HashSet<usize> = self.removed.iter().map(|index| index % pairs).collect();
        let kept = sketch
            .pairs
            .iter()
            .enumerate()
            .filter(|(index, _)| !removed.contains(index));
        edited.pairs = kept.map(|(_, pair)| *pair).chain(self.added.iter().copied()).collect();
        edited
    }
}
