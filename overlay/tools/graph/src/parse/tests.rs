//! Good and bad graph files.

mod mistakes;
mod nodes;

use super::*;
use crate::{Interface, Kind, Origin, Selector};

const GOOD: &str = "\
version: 1
nodes:
  wan:  { interface: vtnet1, messages: [ setpromisc: 1, setautosrc: 0 ] }
  lan:
    interface: vtnet2
  tap0: { type: tee }
  sw0:  { type: bridge, messages: [ { setconfig: { loopTimeout: 60 } } ] }
edges:
  - wan.lower  -- tap0.left
  - tap0.right -- sw0.link0
  - sw0.link1 -- lan.lower
";

fn read(text: &str) -> Result<Graph, Error> {
    parse(text, Path::new("graph.yaml"))
}

#[test]
fn a_good_file_keeps_its_order() {
    let graph = read(GOOD).unwrap();
    let names: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["wan", "lan", "tap0", "sw0"]);
    assert_eq!(graph.edges().len(), 3);
    assert_eq!(
        graph.nodes()[3].messages,
        [("setconfig".to_owned(), "{ loopTimeout=60 }".to_owned())]
    );
    assert_eq!(graph.nodes()[0].address().as_str(), "vtnet1:");
}

#[test]
fn interfaces_come_with_their_lines() {
    let interfaces: Vec<Interface> = read(GOOD).unwrap().interfaces().collect();
    let told: Vec<(&str, &Selector, usize)> = interfaces
        .iter()
        .map(|interface| (interface.node.as_str(), &interface.selector, interface.line))
        .collect();
    let named = |name: &str| Selector::Name(name.to_owned());
    assert_eq!(told, [("wan", &named("vtnet1"), 3), ("lan", &named("vtnet2"), 5)]);
}

#[test]
fn an_empty_graph_is_a_graph() {
    for text in [
        "version: 1\n",
        "version: 1\nnodes:\nedges:\n",
        "version: 1\nnodes: {}\nedges: []\n",
    ] {
        assert!(read(text).unwrap().nodes().is_empty(), "{text}");
    }
}

#[test]
fn vlan_interfaces_have_underscores_in_their_node_names() {
    let graph = read("version: 1\nnodes: { v: { interface: vtnet1.100 } }\n").unwrap();
    assert_eq!(graph.nodes()[0].live_name(), "vtnet1_100");
}

#[test]
fn an_error_shows_the_line_and_a_way_out() {
    let error = read("version: 1\nnodes:\n  wan: { interfce: vtnet1 }\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "graph.yaml:3:10: unknown key `interfce`\n    3 |   wan: { interfce: vtnet1 }\n      |          ^\n  \
         hint: did you mean `interface`?"
    );
}

#[test]
fn one_mistake_is_told_once_and_others_with_it() {
    let text = "version: 1\nnodes:\n  a: { typ: tee }\n  b: { type: tee }\n  c: { type: hub, mac: 1 }\n\
                edges:\n  - a.x -- b.left\n  - b.up -- d.x\n";
    let error = read(text).unwrap_err();
    let told: Vec<_> = error
        .all()
        .map(|error| (error.line().unwrap(), error.message.as_str()))
        .collect();
    let expected = [
        (3, "unknown key `typ`"),
        (5, "`mac` is about an interface, and a node of type hub has none"),
        (8, "a node of type tee has no hook `up`"),
        (8, "there is no node `d`"),
    ];
    assert_eq!(told, expected);
    assert_eq!(error.to_string().matches("graph.yaml:").count(), 4);
}

#[test]
fn no_flood_of_mistakes() {
    let nodes: String = (0..100).map(|number| format!("  n{number}: {{}}\n")).collect();
    let error = read(&format!("version: 1\nnodes:\n{nodes}")).unwrap_err();
    assert_eq!(error.all().count(), MAX_MISTAKES);
}

#[test]
fn types_of_ones_own() {
    let graph = |types: &str, name: &str| {
        read(&format!(
            "version: 1\n{types}nodes:\n  a: {{ type: {name} }}\n  b: {{ type: hub }}\nedges: [ a.x -- b.y ]\n"
        ))
    };
    let unknown = graph("", "mangler").unwrap();
    let [warning] = unknown.warnings() else {
        panic!("{:?}", unknown.warnings())
    };
    assert!(
        warning
            .to_string()
            .starts_with("graph.yaml:3:14: warning: the type `mangler` is none"),
        "{warning}"
    );
    assert!(graph("types: [ mangler ]\n", "mangler").unwrap().warnings().is_empty());
    assert!(graph("types: [ tee2 ]\n", "tee2").unwrap().warnings().is_empty());
    assert!(graph("", "tee2").is_err());
    assert_eq!(
        graph("types: [ vlan ]\n", "vlan").unwrap().warnings()[0].about.line(),
        Some(2)
    );
}

#[test]
fn all_keys_of_a_node_are_read() {
    let text = "version: 1\njail: outer\nloops: allow\nnodes:\n  a:\n    type: eiface\n    mac: 2:0:0:0:0:1\n    \
                rename: lan0\n    jail: outer.web\n  b: { interface: { pci: 'pci0:0:5:0' } }\n  \
                c: { interface: { order: 0 }, rename: wan0 }\nedges:\n  - a.ether -- b.lower\n";
    let graph = read(text).unwrap();
    let [a, b, c] = graph.nodes() else { panic!("{graph:?}") };
    assert_eq!((graph.jail(), graph.allows_loops()), (Some("outer"), true));
    assert_eq!(a.mac.unwrap().to_string(), "02:00:00:00:00:01");
    assert_eq!(
        (a.rename.as_deref(), a.jail.as_deref()),
        (Some("lan0"), Some("outer.web"))
    );
    assert_eq!(b.kind, Kind::Interface(Selector::Pci("0:0:5:0".parse().unwrap())));
    assert_eq!(c.kind, Kind::Interface(Selector::Order(0)));
    assert_eq!(
        graph.position(Origin::Node(2)).unwrap(),
        Position { line: 11, column: 3 }
    );
    assert_eq!(
        graph.position(Origin::Edge(0)).unwrap(),
        Position { line: 13, column: 5 }
    );
    assert_eq!(graph.position(Origin::Message(0, 0)), None);
}

#[test]
fn a_made_node_needs_an_edge() {
    let error = read("version: 1\nnodes:\n  t: { type: tee }\n").unwrap_err();
    assert!(error.to_string().contains("no edge leads to `t`"), "{error}");
    assert!(read("version: 1\nnodes:\n  t: { type: eiface }\n").is_ok());
}

#[test]
fn what_is_no_yaml_is_refused_with_its_place() {
    for text in [
        "version: 1\nnodes: [\n",
        "\tversion: 1\n\tnodes:\n",
        "",
        "version: one\n",
        "nodes: {}\n",
        "- 1\n",
    ] {
        let error = read(text).unwrap_err();
        assert!(!error.message.is_empty(), "{text:?}: {error}");
    }
}
