//! Drawings for tests, and what is drawn of them.

use std::path::Path;

use graph::Graph;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A drawing of nodes of these types, with links between the nodes at these places.
pub fn drawing(types: &[&str], links: &[(usize, usize)]) -> Drawing {
    let node = |(index, kind): (usize, &&str)| node(Some(&format!("n{index}")), kind, index);
    let edge = |(index, &(left, right)): (usize, &(usize, usize))| Edge {
        left: end(left, format!("a{index}")),
        right: end(right, format!("b{index}")),
    };
    Drawing {
        nodes: types.iter().enumerate().map(node).collect(),
        edges: links.iter().enumerate().map(edge).collect(),
    }
}

fn node(name: Option<&str>, kind: &str, index: usize) -> Node {
    Node {
        name: name.map(str::to_owned),
        r#type: kind.to_owned(),
        id: Some(NodeId(u32::try_from(index).unwrap() + 1)),
        interface: None,
        class: Class::of(kind),
    }
}

fn end(node: usize, hook: String) -> End {
    End { node, hook }
}

/// Names as netgraph may have them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}[0-9]{0,2}", "[ -~&&[^.:]]{1,31}", "[\\PC&&[^.:]]{1,10}"]
}

/// Any drawing: several parts, links that come back, several between the same nodes.
pub fn drawings(nodes: usize, links: usize) -> impl Strategy<Value = Drawing> {
    let kinds = prop::sample::select(vec!["ether", "bridge", "tee", "socket", "netflow"]);
    vec((prop::option::weighted(0.9, name()), kinds), 0..nodes).prop_flat_map(move |nodes| {
        let count = nodes.len();
        let links = if count == 0 { 0 } else { links };
        vec((0..count.max(1), 0..count.max(1), name(), name()), 0..=links).prop_map(move |links| {
            let nodes = nodes.iter().enumerate();
            let edges = links.into_iter().map(|(one, other, left, right)| Edge {
                left: end(one, left),
                right: end(other, right),
            });
            Drawing {
                nodes: nodes
                    .map(|(index, (name, kind))| node(name.as_deref(), kind, index))
                    .collect(),
                edges: edges.collect(),
            }
        })
    })
}

const FILE: &str = "\
version: 1
nodes:
  wan: { interface: vtnet1 }
  lan: { type: eiface, rename: lan0 }
  sw: { type: bridge }
edges:
  - wan.lower -- sw.link0
  - lan.ether -- sw.link1
";

fn declared_graph() -> Drawing {
    declared::drawing(&Graph::parse(FILE, Path::new("graph.yaml")).unwrap())
}

#[test]
fn a_file_is_drawn_as_it_is_written() {
    let expected = r#"graph netgraph {
    node [shape=box, fontsize=12];
    edge [fontsize=10];
    "n0" [label="wan\nether vtnet1", shape=ellipse];
    "n1" [label="lan\neiface lan0", shape=ellipse];
    "n2" [label="sw\nbridge", shape=box3d];
    "n0" -- "n2" [taillabel="lower", headlabel="link0"];
    "n1" -- "n2" [taillabel="ether", headlabel="link1"];
}
"#;
    assert_eq!(dot::text(&declared_graph()), expected);
}

#[test]
fn mermaid_gets_shapes_classes_and_hooks() {
    let expected = r#"flowchart LR
    n0(["<b>wan</b><br/>ether vtnet1"]):::interface
    n1(["<b>lan</b><br/>eiface lan0"]):::interface
    n2[["<b>sw</b><br/>bridge"]]:::switch
    n0 ---|"lower — link0"| n2
    n1 ---|"ether — link1"| n2
    classDef interface fill:#dbeafe,stroke:#2563eb,color:#0f172a
    classDef switch fill:#dcfce7,stroke:#15803d,color:#0f172a
"#;
    assert_eq!(mermaid::text(&declared_graph()), expected);
    assert_eq!(mermaid::text(&Drawing::default()), "flowchart LR\n");
}

#[test]
fn paths_lead_through_a_file() {
    let drawing = declared_graph();
    let find = |path: &str| declared::find(&drawing, &path.parse().unwrap()).map_err(|failure| failure.to_string());
    assert_eq!(find("sw:"), Ok(2));
    assert_eq!(find("wan:lower.link1"), Ok(1));
    assert_eq!(
        find("sv:").unwrap_err(),
        "the file has no node `sv`; did you mean `sw`?"
    );
    assert_eq!(
        find("wan:upper").unwrap_err(),
        "no edge of the file begins at `wan.upper`"
    );
    assert!(
        find(".")
            .unwrap_err()
            .contains("does not start with the name of a node")
    );
}

#[test]
fn only_so_many_links_away() {
    let drawing = drawing(
        &["ether", "tee", "tee", "hub", "hub"],
        &[(0, 1), (2, 1), (2, 3), (1, 1)],
    );
    let names = |depth| {
        let near = drawing.around(0, depth);
        let names: Vec<String> = near.nodes.iter().map(Node::label).collect();
        (names.join(" "), near.edges.len())
    };
    assert_eq!(names(Some(0)), ("n0".to_owned(), 0));
    assert_eq!(names(Some(1)), ("n0 n1".to_owned(), 2));
    assert_eq!(names(Some(2)), ("n0 n1 n2".to_owned(), 3));
    assert_eq!(names(None), ("n0 n1 n2 n3".to_owned(), 4));
}

#[test]
fn indices_follow_what_is_left_out() {
    let drawing = drawing(&["socket", "ether", "tee"], &[(0, 2), (1, 2)]);
    let left = drawing.only(|node| drawing.nodes[node].class != Class::Socket);
    assert_eq!(left.nodes, drawing.nodes[1..]);
    assert_eq!(left.edges.len(), 1);
    assert_eq!((left.edges[0].left.node, left.edges[0].right.node), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_node_and_link_is_drawn_once(drawing in drawings(20, 30)) {
        let lines = |text: &str, part: &str| text.lines().filter(|line| line.contains(part)).count();
        let dot = dot::text(&drawing);
        prop_assert_eq!(lines(&dot, "\" [label=\""), drawing.nodes.len());
        prop_assert_eq!(lines(&dot, "\" [taillabel=\""), drawing.edges.len());
        let mermaid = mermaid::text(&drawing);
        prop_assert_eq!(lines(&mermaid, ":::"), drawing.nodes.len());
        prop_assert_eq!(lines(&mermaid, " ---|\""), drawing.edges.len());
        // Each label is one quoted text.
        let quoted = mermaid.lines().filter(|line| line.contains('"'));
        prop_assert!(quoted.clone().all(|line| line.matches('"').count() == 2));
    }
}
