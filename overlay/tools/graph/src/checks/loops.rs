//! Edges by which a frame comes back to where it was, and goes round for ever.
//!
//! What moves is a frame on an edge, in one of its two directions. At the node that it comes to, it leaves by the hooks that
//! the node's type passes it on to. A way back to the same edge in the same direction is a loop.
//!
//! Finding none has to be quick. So nodes are joined along the edges first, as if each passed everything on: an edge
//! between two that are joined already, and one that leads to a node that sends frames back, is suspect. Each loop has
//! one of these, and only from these the exact way is searched.

use std::collections::{HashMap, VecDeque};

use crate::catalog::{self, Passes};
use crate::error::Mistake;
use crate::parse::Notes;
use crate::{End, Graph};

/// Notes each loop, unless one that shares an edge with it is noted already.
pub fn check(graph: &Graph, notes: &mut Notes) {
    let map = Map::new(graph);
    let mut told = vec![false; graph.edges.len()];
    for edge in map.suspects() {
        if notes.is_full() {
            return;
        }
        let circle = [Way { edge, back: false }, Way { edge, back: true }]
            .into_iter()
            .find_map(|way| map.circle(way));
        let Some(circle) = circle else { continue };
        if circle.iter().any(|way| told[way.edge]) {
            continue;
        }
        circle.iter().for_each(|way| told[way.edge] = true);
        notes.wrong(map.mistake(&circle));
    }
}

/// Whether there is a loop.
pub fn has_one(graph: &Graph) -> bool {
    let map = Map::new(graph);
    let goes_round = |edge: usize| {
        [false, true]
            .into_iter()
            .any(|back| map.circle(Way { edge, back }).is_some())
    };
    map.suspects().into_iter().any(goes_round)
}

/// An edge in one of its directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Way {
    edge: usize,
    back: bool,
}

struct Map<'g> {
    graph: &'g Graph,
    /// How each node passes frames on.
    passes: Vec<Passes>,
    /// The ways out of each node.
    out: Vec<Vec<Way>>,
}

impl<'g> Map<'g> {
    fn new(graph: &'g Graph) -> Self {
        let passes = |node: &crate::Node| catalog::find(node.type_name()).map_or(Passes::Nothing, |kind| kind.passes);
        let mut map = Self {
            graph,
            passes: graph.nodes.iter().map(passes).collect(),
            out: vec![Vec::new(); graph.nodes.len()],
        };
        for edge in 0..graph.edges.len() {
            for way in [Way { edge, back: false }, Way { edge, back: true }] {
                let node = map.start(way).node;
                map.out[node].push(way);
            }
        }
        map
    }

    fn start(&self, way: Way) -> &'g End {
        let edge = &self.graph.edges[way.edge];
        if way.back { &edge.right } else { &edge.left }
    }

    fn end(&self, way: Way) -> &'g End {
        let edge = &self.graph.edges[way.edge];
        if way.back { &edge.left } else { &edge.right }
    }

    /// Edges of which each loop has at least one.
    fn suspects(&self) -> Vec<usize> {
        let mut joined: Vec<usize> = (0..self.graph.nodes.len()).collect();
        let mut suspects = Vec::new();
        for (index, edge) in self.graph.edges.iter().enumerate() {
            let (left, right) = (&self.passes[edge.left.node], &self.passes[edge.right.node]);
            if matches!((left, right), (Passes::Nothing, _) | (_, Passes::Nothing)) {
                continue;
            }
            let (one, other) = (root(&mut joined, edge.left.node), root(&mut joined, edge.right.node));
            let sent_back = matches!((left, right), (Passes::Back, _) | (_, Passes::Back));
            if one == other || sent_back {
                suspects.push(index);
            }
            joined[one] = other;
        }
        suspects
    }

    /// The shortest way that leads back to its first part.
    fn circle(&self, first: Way) -> Option<Vec<Way>> {
        let mut came_from: HashMap<Way, Way> = HashMap::new();
        let mut queue = VecDeque::from([first]);
        while let Some(way) = queue.pop_front() {
            let end = self.end(way);
            for &next in &self.out[end.node] {
                let leads = self.passes[end.node].leads(end.hook.as_str(), self.start(next).hook.as_str());
                if !leads || came_from.contains_key(&next) {
                    continue;
                }
                came_from.insert(next, way);
                if next == first {
                    return Some(traced(&came_from, first));
                }
                queue.push_back(next);
            }
        }
        None
    }

    /// Names the whole circle, at its last line: that is where it was closed.
    fn mistake(&self, circle: &[Way]) -> Mistake {
        let edges = circle.iter().map(|way| &self.graph.places.edges[way.edge].edge);
        let at = edges.max().copied().unwrap_or(crate::Position { line: 1, column: 1 });
        let parts: Vec<String> = circle
            .iter()
            .map(|way| {
                format!(
                    "{} -- {}",
                    self.graph.end(self.start(*way)),
                    self.graph.end(self.end(*way))
                )
            })
            .collect();
        let message = format!("frames would go round for ever: {}", parts.join(", "));
        Mistake::new(at, message)
            .hint("leave one of these edges out; or, if that is meant, add the line `loops: allow`")
    }
}

/// The way back from where a circle closes, first part first.
fn traced(came_from: &HashMap<Way, Way>, first: Way) -> Vec<Way> {
    let mut circle = Vec::new();
    let mut way = came_from.get(&first).copied();
    while let Some(part) = way.filter(|part| *part != first) {
        circle.push(part);
        way = came_from.get(&part).copied();
    }
    circle.push(first);
    circle.reverse();
    circle
}

/// The node that stands for all that are joined with that one.
fn root(joined: &mut [usize], mut node: usize) -> usize {
    while joined[node] != node {
        joined[node] = joined[joined[node]];
        node = joined[node];
    }
    node
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const TYPES: [&str; 5] = ["bridge", "hub", "echo", "one2many", "hole"];

    /// A hook of the type that nothing else uses.
    fn hook(kind: usize, number: usize, used: &mut bool) -> String {
        match TYPES[kind] {
            "bridge" => format!("link{number}"),
            "one2many" if !std::mem::replace(used, true) => "one".to_owned(),
            "one2many" => format!("many{number}"),
            _ => format!("x{number}"),
        }
    }

    fn graph(kinds: &[usize], edges: &[(usize, usize)]) -> Graph {
        let mut text = "version: 1\nloops: allow\nnodes:\n".to_owned();
        for (index, kind) in kinds.iter().enumerate() {
            text += &format!(
                "  n{index}: {{ type: {} }}\n  h{index}: {{ type: hole }}\n",
                TYPES[*kind]
            );
        }
        text += "edges:\n";
        let mut used = vec![false; kinds.len()];
        for (number, (left, right)) in edges.iter().enumerate() {
            let (left, right) = (left % kinds.len(), right % kinds.len());
            if left != right {
                let (a, b) = (
                    hook(kinds[left], number, &mut used[left]),
                    hook(kinds[right], number, &mut used[right]),
                );
                text += &format!("  - n{left}.{a} -- n{right}.{b}\n");
            }
        }
        for (index, kind) in kinds.iter().enumerate() {
            let end = hook(*kind, 60, &mut used[index]);
            text += &format!("  - n{index}.{end} -- h{index}.x\n");
        }
        Graph::parse(&text, Path::new("graph.yaml")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_loop_has_a_suspect_edge(
            kinds in prop::collection::vec(0..TYPES.len(), 2..8),
            edges in prop::collection::vec((0..8_usize, 0..8_usize), 0..12),
        ) {
            let graph = graph(&kinds, &edges);
            let map = Map::new(&graph);
            let is_loop = |edge: usize| map.circle(Way { edge, back: false }).or(map.circle(Way { edge, back: true })).is_some();
            let any = (0..graph.edges.len()).any(is_loop);
            prop_assert_eq!(map.suspects().into_iter().any(is_loop), any);
        }
    }
}
