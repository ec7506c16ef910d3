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
        assumed: false,
        type_name: kind.to_owned(),
        hooks: u32::try_from(links.len()).unwrap(),
        links: links
            .iter()
            .map(|(hook, peer, peer_hook)| Link {
                hook: (*hook).to_owned(),
                peer: NodeId(*peer),
                peer_hook: (*peer_hook).to_owned(),
                tapped: false,
            })
            .collect(),
    }
}

fn live(nodes: &[LiveNode]) -> Snapshot {
    Snapshot { nodes: nodes.to_vec() }
}

/// The actions in words.
fn told(graph: &Graph, snapshot: &Snapshot) -> Vec<String> {
    told_with(graph, snapshot, &Record::default())
}

fn told_with(graph: &Graph, snapshot: &Snapshot, record: &Record) -> Vec<String> {
    let plan = plan(graph, snapshot, record).unwrap();
    let describe = |(_, action): &(_, Action)| action.describe(graph);
    plan.actions.iter().map(describe).collect()
}

/// What is recorded once a graph has been made from nothing but its interfaces.
fn record_of(graph: &Graph, bare: &Snapshot) -> Record {
    let nothing = Record::default();
    plan(graph, bare, &nothing)
        .unwrap()
        .intent(graph, &nothing)
        .reduced_to(graph)
}

#[test]
fn from_an_interface_along_the_edges() {
    let graph = graph(LINE);
    let bare = live(&[node(1, "vtnet1", "ether", &[])]);
    let expected = [
        "make tap.left (tee) at wan.lower",
        "make sw.link0 (bridge) at tap.right",
        "send wan setpromisc 1",
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
    assert_eq!(told(&graph, &all), ["send wan setpromisc 1"]);
}

#[test]
fn a_missing_link_between_nodes_that_are_there_is_made() {
    let graph = graph(LINE);
    let half = live(&[
        node(1, "vtnet1", "ether", &[]),
        node(2, "tap", "tee", &[("right", 3, "link0")]),
        node(3, "sw", "bridge", &[("link0", 2, "right")]),
    ]);
    assert_eq!(
        told(&graph, &half),
        ["connect wan.lower -- tap.left", "send wan setpromisc 1"]
    );
}

#[test]
fn a_graph_without_interfaces_starts_from_our_own_node() {
    let graph = graph(
        "version: 1\nloops: allow\nnodes:\n  a: { type: bridge }\n  b: { type: bridge }\n  c: { type: eiface }\n\
         edges:\n  - a.link0 -- b.link0\n  - a.link1 -- b.link1\n",
    );
    let expected = [
        "make a.link2 (bridge)",
        "make b.link0 (bridge) at a.link0",
        "connect a.link1 -- b.link1",
        "make c.ether (eiface)",
        "release c.ether",
        "release a.link2",
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
        let error = plan(&graph, &snapshot, &Record::default()).unwrap_err();
        assert_eq!(error.line(), Some(line), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// `LINE` made, live.
fn made() -> (Snapshot, Record) {
    let all = live(&[
        node(1, "vtnet1", "ether", &[("lower", 2, "left")]),
        node(2, "tap", "tee", &[("left", 1, "lower"), ("right", 3, "link0")]),
        node(3, "sw", "bridge", &[("link0", 2, "right")]),
    ]);
    let bare = live(&[node(1, "vtnet1", "ether", &[])]);
    (all, record_of(&graph(LINE), &bare))
}

#[test]
fn what_was_made_and_is_declared_no_longer_goes() {
    let (all, record) = made();
    let without_tap = graph(
        "version: 1\nnodes:\n  wan: { interface: vtnet1 }\n  sw: { type: bridge }\nedges:\n  - wan.lower -- sw.link0\n",
    );
    let expected = [
        "hold sw.link1",
        "disconnect tap.left -- vtnet1.lower",
        "shut down tap (tee)",
        "connect wan.lower -- sw.link0",
        "release sw.link1",
    ];
    assert_eq!(told_with(&without_tap, &all, &record), expected);
}

#[test]
fn what_somebody_else_made_stays() {
    let (mut all, record) = made();
    all.nodes.push(node(7, "other", "bridge", &[("link0", 8, "x")]));
    all.nodes[2].links.push(Link {
        hook: "link7".to_owned(),
        peer: NodeId(8),
        peer_hook: "y".to_owned(),
        tapped: false,
    });
    let smaller = graph("version: 1\nnodes:\n  wan: { interface: vtnet1 }\n");
    let told = told_with(&smaller, &all, &record);
    assert!(told.iter().all(|action| !action.contains("other")), "{told:?}");
    let untouched = graph(LINE);
    assert_eq!(
        told_with(&untouched, &all, &record),
        ["send wan setpromisc 1"],
        "nothing is in the way"
    );
}

#[test]
fn a_node_of_that_name_made_by_somebody_else_is_not_shut_down() {
    let (all, mut record) = made();
    record.nodes.get_mut("sw").unwrap()[0].id = Some(99);
    let smaller = graph(
        "version: 1\nnodes:\n  wan: { interface: vtnet1 }\n  tap: { type: tee }\nedges:\n  - wan.lower -- tap.left\n",
    );
    assert!(told_with(&smaller, &all, &record).is_empty());
}

#[test]
fn a_node_that_lost_its_name_giver_is_found_by_its_link() {
    let (mut all, record) = made();
    all.nodes[1].name = None;
    assert_eq!(
        told_with(&graph(LINE), &all, &record),
        ["name [2] tap", "send wan setpromisc 1"]
    );
}

#[test]
fn a_node_without_a_spare_hook_is_made_again() {
    let before = graph(
        "version: 1\nnodes:\n  a: { interface: vtnet1 }\n  b: { interface: vtnet2 }\n  f: { type: unheard_of }\n\
         edges:\n  - a.lower -- f.x\n",
    );
    let after = graph(
        "version: 1\nnodes:\n  a: { interface: vtnet1 }\n  b: { interface: vtnet2 }\n  f: { type: unheard_of }\n\
         edges:\n  - b.lower -- f.x\n",
    );
    let bare = [node(1, "vtnet1", "ether", &[]), node(2, "vtnet2", "ether", &[])];
    let record = record_of(&before, &live(&bare));
    let all = live(&[
        node(1, "vtnet1", "ether", &[("lower", 3, "x")]),
        node(2, "vtnet2", "ether", &[]),
        node(3, "f", "unheard_of", &[("x", 1, "lower")]),
    ]);
    let expected = [
        "disconnect f.x -- vtnet1.lower",
        "shut down f (unheard_of)",
        "make f.x (unheard_of) at b.lower",
    ];
    assert_eq!(told_with(&after, &all, &record), expected);
}

#[test]
fn two_nodes_with_one_link_between_them_can_be_made() {
    let pair = graph("version: 1\nnodes:\n  a: { type: hub }\n  b: { type: hub }\nedges:\n  - a.x -- b.y\n");
    let expected = ["make a.spare0 (hub)", "make b.y (hub) at a.x", "release a.spare0"];
    assert_eq!(told(&pair, &Snapshot::default()), expected);
}
