//! Plans against live graphs written by hand.

use std::path::Path;

use super::*;

const LINE: &str = "\
version: 1
nodes:
  wan: { interface: vtnet1, messages: [ setpromisc: 1 ] }
  tap: { type: tee }
  sw: { type: bridge }
edges:
  - wan.lower -- tap.left
  - tap.right -- sw.link0
";

fn graph(text: &str) -> Graph {
    Graph::parse(text, Path::new("graph.yaml")).unwrap()
}

fn node(id: u32, name: &str, kind: &str, links: &[(&str, u32, &str)]) -> LiveNode {
    LiveNode {
        id: NodeId(id),
        name: Some(name.to_owned()),
        type_name: kind.to_owned(),
        links: links
            .iter()
            .map(|(hook, peer, peer_hook)| Link {
                hook: (*hook).to_owned(),
                peer: NodeId(*peer),
                peer_hook: (*peer_hook).to_owned(),
            })
            .collect(),
    }
}

fn live(nodes: &[LiveNode]) -> Snapshot {
    Snapshot { nodes: nodes.to_vec() }
}

/// The actions in short words.
fn told(graph: &Graph, snapshot: &Snapshot) -> Vec<String> {
    let end = |end: &End| graph.end(end);
    let plan = plan(graph, snapshot).unwrap();
    plan.actions
        .iter()
        .map(|(_, action)| match action {
            Action::Make { at, new } => format!("make {} at {}", end(new), end(at)),
            Action::MakeAlone { new } => format!("make {}", end(new)),
            Action::Release { end: released } => format!("release {}", end(released)),
            Action::Connect { left, right } => format!("connect {} {}", end(left), end(right)),
            Action::Send { node, message, made } => format!("send {node}.{message} {made}"),
        })
        .collect()
}

#[test]
fn from_an_interface_along_the_edges() {
    let graph = graph(LINE);
    let bare = live(&[node(1, "vtnet1", "ether", &[])]);
    let expected = [
        "make tap.left at wan.lower",
        "make sw.link0 at tap.right",
        "send 0.0 false",
    ];
    assert_eq!(told(&graph, &bare), expected);
}

#[test]
fn nothing_is_done_twice() {
    let graph = graph(LINE);
    let all = live(&[
        node(1, "vtnet1", "ether", &[("lower", 2, "left")]),
        node(2, "tap", "tee", &[("left", 1, "lower"), ("right", 3, "link0")]),
        node(3, "sw", "bridge", &[("link0", 2, "right")]),
    ]);
    assert_eq!(told(&graph, &all), ["send 0.0 false"]);
}

#[test]
fn a_missing_link_between_nodes_that_are_there_is_made() {
    let graph = graph(LINE);
    let half = live(&[
        node(1, "vtnet1", "ether", &[]),
        node(2, "tap", "tee", &[("right", 3, "link0")]),
        node(3, "sw", "bridge", &[("link0", 2, "right")]),
    ]);
    assert_eq!(told(&graph, &half), ["connect wan.lower tap.left", "send 0.0 false"]);
}

#[test]
fn a_graph_without_interfaces_starts_from_our_own_node() {
    let graph = graph(
        "version: 1\nnodes:\n  a: { type: bridge }\n  b: { type: bridge }\n  c: { type: eiface }\n\
         edges:\n  - a.link0 -- b.link0\n  - a.link1 -- b.link1\n",
    );
    let expected = [
        "make a.link1",
        "make b.link0 at a.link0",
        "release a.link1",
        "connect a.link1 b.link1",
        "make c.ether",
        "release c.ether",
    ];
    assert_eq!(told(&graph, &Snapshot::default()), expected);
}

#[test]
fn contradictions_name_the_line() {
    let graph = graph(LINE);
    let rows = [
        (live(&[]), 3, "there is no interface `vtnet1`"),
        (live(&[node(1, "vtnet11", "ether", &[])]), 3, "did you mean `vtnet11`?"),
        (
            live(&[node(1, "vtnet1", "ether", &[]), node(2, "tap", "hub", &[])]),
            4,
            "is of type hub, not tee",
        ),
        (
            live(&[node(1, "vtnet1", "ether", &[("lower", 9, "x")])]),
            7,
            "`ng rmhook vtnet1: lower` breaks that link",
        ),
    ];
    for (snapshot, line, part) in rows {
        let error = plan(&graph, &snapshot).unwrap_err();
        assert_eq!(error.line(), Some(line), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}
