//! The graph that is made: the same one every time.

use std::fmt::Write;

/// Types of nodes, and how many hooks of such a node are used at most.
const KINDS: [(&str, usize); 10] = [
    ("hub", usize::MAX),
    ("bridge", usize::MAX),
    ("tee", 4),
    ("hub", usize::MAX),
    ("bridge", usize::MAX),
    ("eiface", 1),
    ("one2many", 32),
    ("bridge", usize::MAX),
    ("hub", usize::MAX),
    ("hole", usize::MAX),
];

/// The hooks of a tee.
const TEE: [&str; 4] = ["left", "right", "left2right", "right2left"];

/// A node and one of its hooks.
type End = (usize, String);

/// A graph in which every node but the first is linked to an earlier one.
pub struct Sketch {
    /// How many hooks of each node are in use.
    used: Vec<usize>,
    edges: Vec<Edge>,
    random: Random,
}

struct Edge {
    left: End,
    right: End,
    /// Whether the right node is first linked by it.
    is_first: bool,
}

impl Sketch {
    /// Draws a graph with so many nodes, and with so many edges, at least two for each node.
    pub fn new(nodes: usize, edges: usize) -> Self {
        let mut sketch = Self {
            used: vec![0],
            edges: Vec::with_capacity(edges),
            random: Random(1),
        };
        for node in 1..nodes {
            let earlier = sketch.any_node(None);
            sketch.used.push(0);
            sketch.link(earlier, node, true);
            sketch.link_any();
        }
        while sketch.edges.len() < edges {
            sketch.link_any();
        }
        sketch
    }

    /// Links two nodes that are there.
    fn link_any(&mut self) {
        let left = self.any_node(None);
        let right = self.any_node(Some(left));
        self.link(left, right, false);
    }

    /// A node with a free hook, but not that one. Of the first two, both always have one.
    fn any_node(&mut self, but: Option<usize>) -> usize {
        loop {
            let node = self.random.below(self.used.len());
            let (_, most) = KINDS[node % KINDS.len()];
            if self.used[node] < most && but != Some(node) {
                return node;
            }
        }
    }

    fn link(&mut self, left: usize, right: usize, is_first: bool) {
        let (left, right) = (self.next_end(left), self.next_end(right));
        self.edges.push(Edge { left, right, is_first });
    }

    fn next_end(&mut self, node: usize) -> End {
        let number = self.used[node];
        self.used[node] += 1;
        let hook = match kind(node) {
            "bridge" => format!("link{number}"),
            "tee" => TEE[number].to_owned(),
            "eiface" => "ether".to_owned(),
            "one2many" if number == 0 => "one".to_owned(),
            "one2many" => format!("many{}", number - 1),
            _ => format!("port{number}"),
        };
        (node, hook)
    }

    /// The graph as `ng apply` reads it.
    pub fn yaml(&self) -> String {
        let mut text = "version: 1\nloops: allow\nnodes:\n".to_owned();
        for node in 0..self.used.len() {
            let _ = writeln!(text, "  n{node}: {{ type: {} }}", kind(node));
        }
        text.push_str("edges:\n");
        for Edge { left, right, .. } in &self.edges {
            let _ = writeln!(text, "  - n{}.{} -- n{}.{}", left.0, left.1, right.0, right.1);
        }
        text
    }

    /// The fewest messages that make it, a line each, in the words of ngctl(8).
    pub fn messages(&self) -> String {
        let mut text = format!("mkpeer . {} first spare\nname first n0\n", kind(0));
        for Edge { left, right, is_first } in &self.edges {
            let ((left, hook), (right, peer_hook)) = (left, right);
            let _ = match is_first {
                true => writeln!(
                    text,
                    "mkpeer n{left}: {} {hook} {peer_hook}\nname n{left}:{hook} n{right}",
                    kind(*right)
                ),
                false => writeln!(text, "connect n{left}: n{right}: {hook} {peer_hook}"),
            };
        }
        text
    }
}

fn kind(node: usize) -> &'static str {
    KINDS[node % KINDS.len()].0
}

/// Numbers without a pattern, from a linear congruential generator (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use graph::Graph;

    use super::*;

    #[test]
    fn it_is_a_good_graph_of_that_size() {
        let graph = Graph::parse(&Sketch::new(1000, 2000).yaml(), Path::new("graph.yaml")).unwrap();
        assert_eq!((graph.nodes().len(), graph.edges().len()), (1000, 2000));
    }

    #[test]
    fn there_is_a_message_for_each_node_its_name_and_each_further_edge() {
        let messages = Sketch::new(1000, 2000).messages();
        let count = |verb: &str| messages.lines().filter(|line| line.starts_with(verb)).count();
        assert_eq!(["mkpeer ", "name ", "connect "].map(count), [1000, 1000, 1001]);
    }
}
