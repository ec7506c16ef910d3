//! Good and bad graph files.

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

/// `GOOD` with one part replaced, the line and column of the error, and parts of what it says.
type Mistake = (&'static str, &'static str, (usize, usize), &'static str, &'static str);

fn check_mistakes(rows: &[Mistake]) {
    for (from, to, (line, column), message, hint) in rows {
        assert!(GOOD.contains(from), "{from}");
        let error = read(&GOOD.replacen(from, to, 1)).expect_err(to);
        let place = error.position.map(|place| (place.line, place.column));
        assert_eq!(place, Some((*line, *column)), "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.as_deref().unwrap_or("").contains(hint), "{error}");
        assert!(error.others.is_empty(), "{error}");
    }
}

#[test]
fn mistakes_in_keys_are_found_where_they_are() {
    check_mistakes(&[
        (
            "version: 1",
            "version: 2",
            (1, 10),
            "version 2 of the syntax is not known",
            "version: 1",
        ),
        (
            "version: 1",
            "version: one",
            (1, 10),
            "version one of the syntax",
            "version: 1",
        ),
        (
            "version: 1",
            "version:",
            (1, 8),
            "`version` is a text, but this is empty",
            "",
        ),
        ("version: 1\n", "", (1, 1), "`version` is missing", "first line"),
        (
            "version: 1",
            "verison: 1",
            (1, 1),
            "unknown key `verison`",
            "did you mean `version`?",
        ),
        ("edges:", "egdes:", (8, 1), "unknown key", "did you mean `edges`?"),
        (
            "edges:",
            "loops: yes\nedges:",
            (8, 8),
            "`yes` has no meaning",
            "loops: allow",
        ),
        (
            "edges:",
            "jail: [ x ]\nedges:",
            (8, 7),
            "`jail` is a text, but this is a list",
            "",
        ),
        ("edges:", "types: x\nedges:", (8, 8), "`types` is a list", "`- `"),
        (
            "type: tee",
            "typ: tee",
            (6, 11),
            "unknown key `typ`",
            "did you mean `type`?",
        ),
        (
            "type: tee",
            "type:tee",
            (6, 11),
            "unknown key `type:tee`",
            "put a space behind the colon: `type: tee`",
        ),
        ("type: tee", "<<: tee", (6, 11), "merge keys", "whole value"),
        (
            "type: tee",
            "type: tee, type: tee",
            (6, 22),
            "there are two `type`; the first is in line 6",
            "",
        ),
        (
            "tap0: { type",
            "tap0:{ type",
            (6, 3),
            "`tap0:{ type` is no entry",
            "put a space behind the colon",
        ),
    ]);
}

#[test]
fn mistakes_in_nodes_are_found_where_they_are() {
    check_mistakes(&[
        ("type: tee", "type: t/e", (6, 17), "contains '/'", ""),
        (
            "type: tee",
            "type: ether",
            (6, 17),
            "come with their interface",
            "write `interface: NAME`",
        ),
        ("type: tee", "type: socket", (6, 17), "belong to processes", ""),
        (
            "type: tee",
            "type: te",
            (6, 17),
            "there is no type `te`",
            "did you mean `tee`?",
        ),
        (
            "type: tee",
            "type: ipfw",
            (6, 17),
            "the only node of type ipfw",
            "call this one `ipfw`",
        ),
        (
            "{ type: tee }",
            "tee",
            (6, 9),
            "a node is a mapping, but this is a text",
            "write `{ type: tee }`",
        ),
        (
            "{ type: tee }",
            "vtnet1",
            (6, 9),
            "a node is a mapping",
            "`{ interface: vtnet1 }`",
        ),
        (
            "{ type: tee }",
            "[ type ]",
            (6, 9),
            "a node is a mapping, but this is a list",
            "",
        ),
        ("{ type: tee }", "", (6, 3), "is of no kind", "`type: TYPE`"),
        ("{ type: tee }", "{}", (6, 3), "is of no kind", "`type: TYPE`"),
        (
            "{ type: tee }",
            "{ type: tee, interface: em0 }",
            (6, 3),
            "both `interface` and `type`",
            "",
        ),
        (
            "tap0: { type",
            "sw0: { type: tee }\n  tap0: { type",
            (8, 3),
            "there are two `sw0`; the first is in line 6",
            "",
        ),
        (
            "interface: vtnet2",
            "interface: vtnet1",
            (4, 3),
            "are both the node `vtnet1:`",
            "use `wan`",
        ),
        (
            "interface: vtnet2",
            "interface: averyverylonginterface",
            (5, 16),
            "15 is the most",
            "",
        ),
        (
            "interface: vtnet2",
            "interface: [ em0 ]",
            (5, 16),
            "an interface is a name",
            "`interface: vtnet1`",
        ),
        (
            "interface: vtnet2",
            "interface: 02:00:00:00:00:01",
            (5, 16),
            "is a hardware address",
            "{ mac:",
        ),
        (
            "interface: vtnet2",
            "interface: pci0:0:5:0",
            (5, 16),
            "is a PCI address",
            "{ pci:",
        ),
        (
            "interface: vtnet2",
            "interface: { nam: em0 }",
            (5, 18),
            "unknown key `nam`",
            "`order`",
        ),
        (
            "interface: vtnet2",
            "interface: { order: 1, mac: 2 }",
            (5, 16),
            "chosen by one thing",
            "{ order: 0 }",
        ),
        (
            "interface: vtnet2",
            "interface: { order: first }",
            (5, 25),
            "no place in an order",
            "the first card is 0",
        ),
        (
            "interface: vtnet2",
            "interface: { mac: 01:00:5e:00:00:01 }",
            (5, 23),
            "multicast",
            "02:00:5e:00:00:01",
        ),
        (
            "interface: vtnet2",
            "interface: { pci: x }",
            (5, 23),
            "is no PCI address",
            "",
        ),
        (
            "  lan:",
            "  averyveryveryveryverylongnodename: { type: iface }\n  lan:",
            (4, 3),
            "31 is the most",
            "",
        ),
        (
            "{ setconfig: { loopTimeout: 60 } }",
            "[ 1 ]",
            (7, 37),
            "a message is a command",
            "",
        ),
        (
            "[ setpromisc: 1, setautosrc: 0 ]",
            "{ setpromisc: 1 }",
            (3, 40),
            "`messages` is a list",
            "- ",
        ),
        (
            "type: tee",
            "type: tee, mac: 02:00:00:00:00:01",
            (6, 27),
            "is about an interface",
            "eiface",
        ),
        (
            "type: tee",
            "type: tee, rename: tap",
            (6, 30),
            "is about an interface",
            "eiface",
        ),
        (
            "type: tee",
            "type: tee, jail: web",
            (6, 28),
            "is about an interface",
            "eiface",
        ),
        (
            "  tap0:",
            "  x: { type: iface, mac: 02:00:00:00:00:01 }\n  tap0:",
            (6, 26),
            "has no hardware address",
            "eiface",
        ),
        (
            "    interface: vtnet2",
            "    interface: vtnet2\n    mac: 0:0:0:0:0:0",
            (6, 10),
            "address of nothing",
            "02:",
        ),
        (
            "    interface: vtnet2",
            "    interface: vtnet2\n    mac: x",
            (6, 10),
            "is no hardware address",
            "",
        ),
        (
            "    interface: vtnet2",
            "    interface: vtnet2\n    rename: 0lan",
            (6, 13),
            "`0lan`",
            "a letter first",
        ),
        (
            "    interface: vtnet2",
            "    interface: vtnet2\n    rename: vtnet1",
            (6, 13),
            "both be called `vtnet1`",
            "",
        ),
        (
            "    interface: vtnet2",
            "    interface: vtnet2\n    jail: 7",
            (6, 11),
            "is no name of a jail",
            "ID",
        ),
        (
            "    interface: vtnet2",
            "    interface: vtnet2\n    jail: web",
            (12, 18),
            "goes to the jail with it",
            "eiface",
        ),
    ]);
}

#[test]
fn mistakes_in_edges_are_found_where_they_are() {
    check_mistakes(&[
        (
            "- wan.lower ",
            "- wam.lower",
            (9, 5),
            "there is no node `wam`",
            "did you mean `wan`?",
        ),
        (
            "wan.lower  --",
            "wan.lower  ->",
            (9, 5),
            "is no edge",
            "write `wan.lower -- tap0.left`",
        ),
        (
            "wan.lower  --",
            "wan.lower",
            (9, 5),
            "is no edge",
            "write `wan.lower -- tap0.left`",
        ),
        (
            "tap0.right -- ",
            "tap0.right - ",
            (10, 5),
            "is no edge",
            "write `tap0.right -- sw0.link0`",
        ),
        (
            "wan.lower  -- tap0.left",
            "wan.lower: tap0.left",
            (9, 5),
            "but this is a mapping",
            "without a colon",
        ),
        (
            "wan.lower  -- tap0.left",
            "[ a, b ]",
            (9, 5),
            "but this is a list",
            "- wan.lower -- tap0.left",
        ),
        (
            "wan.lower  --",
            "wan  --",
            (9, 5),
            "`wan` is no end of an edge",
            "an edge is written",
        ),
        (
            "wan.lower  --",
            "wan:lower  --",
            (9, 5),
            "is no end of an edge",
            "write `wan.lower`",
        ),
        (
            "tap0.left",
            "tap0.left.x",
            (9, 19),
            "contains '.'",
            "an edge is written",
        ),
        (
            "tap0.left",
            "tap0.lefft",
            (9, 19),
            "has no hook `lefft`",
            "did you mean `left`?",
        ),
        (
            "sw0.link0",
            "sw0.port0",
            (10, 19),
            "has no hook `port0`",
            "its hooks are `link0` onwards",
        ),
        (
            "sw0.link1",
            "sw0.link0",
            (11, 5),
            "is taken by the edge of line 10",
            "`sw0.link1` is free",
        ),
        (
            "- sw0.link1 -- lan",
            "- sw0.link1 -- sw0.link2\n  - sw0.link3 -- lan",
            (11, 5),
            "from `sw0` to itself",
            "",
        ),
    ]);
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
