//! What an apply does to what is there, and what it does when it fails.

use netgraph::{Connect, MakePeer, Name};

use super::{Machine, told};

const LINE: &str = "\
version: 1
nodes:
  a: { type: hub }
  tap: { type: tee }
  b: { type: hub }
edges:
  - a.x -- tap.left
  - tap.right -- b.x
";

/// The same without the tee.
const SHORT: &str = "\
version: 1
nodes:
  a: { type: hub }
  b: { type: hub }
edges:
  - a.x -- b.x
";

/// Makes a hub at the node `a`, as somebody else.
fn stranger(machine: &Machine) {
    let mut session = machine.session();
    let at = "a:".parse().unwrap();
    let request = MakePeer {
        type_name: "hub".parse().unwrap(),
        hook: "other".parse().unwrap(),
        peer_hook: "y".parse().unwrap(),
    };
    session.request(&at, &request).unwrap();
    session
        .request(&"a:other".parse().unwrap(), &Name("stranger".parse().unwrap()))
        .unwrap();
}

#[test]
fn what_others_made_stays_when_the_graph_changes_and_goes() {
    let machine = Machine::start();
    machine.apply(LINE).unwrap();
    stranger(&machine);
    machine.apply(SHORT).unwrap();
    assert_eq!(machine.changes(SHORT), 0);
    assert!(machine.edges().contains("a.other -- stranger.y"));
    machine.apply("version: 1\n").unwrap();
    assert_eq!(
        machine.nodes().into_iter().collect::<Vec<_>>(),
        Vec::<String>::new(),
        "with its last link, a hub goes"
    );
}

#[test]
fn a_hook_that_somebody_else_uses_is_not_taken() {
    let machine = Machine::start();
    machine.apply(SHORT).unwrap();
    stranger(&machine);
    let wanting = SHORT
        .replace("version: 1", "version: 1\nloops: allow")
        .replace("a.x -- b.x", "a.x -- b.x\n  - a.other -- b.other");
    let said = told(machine.apply(&wanting));
    assert!(
        said.contains("graph.yaml:8:5") && said.contains("`ng rmhook a: other`"),
        "{said}"
    );
    assert!(machine.edges().contains("a.other -- stranger.y") && machine.edges().len() == 2);
}

#[test]
fn a_failed_apply_takes_back_what_it_did() {
    let machine = Machine::start();
    machine.apply(LINE).unwrap();
    let before = (machine.nodes(), machine.edges());
    // The last edge is refused by its node, after the tee is gone and others are made.
    let wrong = SHORT.replace(
        "b: { type: hub }",
        "b: { type: hub }\n  c: { type: hub, messages: [ fly: 1 ] }",
    );
    let wrong = wrong.replace("a.x -- b.x", "a.x -- b.x\n  - a.z -- c.z");
    let said = told(machine.apply(&wrong));
    assert!(
        said.contains("fly") && said.contains("the graph is as it was before"),
        "{said}"
    );
    assert_eq!((machine.nodes(), machine.edges()), before);
    assert_eq!(machine.changes(LINE), 0);
    machine.apply("version: 1\n").unwrap();
    machine.assert_is("version: 1\n");
}

#[test]
fn settings_are_taken_back_too() {
    let machine = Machine::start();
    let with = |timeout: u32, command: &str| {
        format!(
            "version: 1\nnodes:\n  a: {{ type: bridge, messages: [ {{ setconfig: {{ loopTimeout: {timeout} }} }}, {command} ] }}\n  \
             b: {{ type: hub }}\nedges:\n  - a.link0 -- b.x\n"
        )
    };
    machine.apply(&with(30, "reset")).unwrap();
    assert_eq!(machine.changes(&with(30, "reset")), 0);
    let said = told(machine.apply(&with(77, "fly")));
    assert!(said.contains("as it was before"), "{said}");
    assert_eq!(machine.changes(&with(30, "reset")), 0);
    assert_eq!(machine.changes(&with(77, "reset")), 1);
}

#[test]
fn nodes_without_names_get_them() {
    let machine = Machine::start();
    machine.apply(SHORT).unwrap();
    let mut session = machine.session();
    let request = MakePeer {
        type_name: "tee".parse().unwrap(),
        hook: "t".parse().unwrap(),
        peer_hook: "left".parse().unwrap(),
    };
    session.request(&"a:".parse().unwrap(), &request).unwrap();
    let connect = Connect {
        peer: "b:".parse().unwrap(),
        hook: "right".parse().unwrap(),
        peer_hook: "t".parse().unwrap(),
    };
    session.request(&"a:t".parse().unwrap(), &connect).unwrap();
    let dumped = machine.dump().to_yaml();
    let outcome = machine.apply(&dumped).unwrap();
    assert_eq!(outcome.changes.len(), 1, "{dumped}");
    assert_eq!(machine.changes(&dumped), 0);
    machine.apply("version: 1\n").unwrap();
}

#[test]
fn what_is_not_there_yet_can_be_planned() {
    let machine = Machine::start();
    let text = "version: 1\nnodes:\n  lan: { type: eiface, mac: '02:00:00:00:00:01', rename: lan0 }\n  \
                sw: { type: bridge, messages: [ { setconfig: { loopTimeout: 30 } } ] }\nedges: [ lan.ether -- sw.link0 ]\n";
    assert_eq!(machine.changes(text), 6);
    // Made by somebody else without names: the node has none, and the eiface its own.
    let mut session = machine.session();
    let here = netgraph::Address::here();
    let make = |kind: &str, hook: &str, peer: &str| MakePeer {
        type_name: kind.parse().unwrap(),
        hook: hook.parse().unwrap(),
        peer_hook: peer.parse().unwrap(),
    };
    session.request(&here, &make("bridge", "b", "link9")).unwrap();
    session
        .request(&"b".parse().unwrap(), &make("eiface", "link0", "ether"))
        .unwrap();
    session
        .socket
        .command(&"b".parse().unwrap(), "setconfig", "{ loopTimeout=77 }")
        .unwrap();
    let dumped = machine.dump().to_yaml();
    assert_eq!(machine.changes(&dumped), 2, "{dumped}");
}
