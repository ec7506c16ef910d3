//! Good and bad graph files.

use super::*;
use crate::{Interface, Selector};

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

/// `GOOD` with one part replaced, the line and column of the error, and a part of what it says.
#[test]
fn mistakes_are_found_where_they_are() {
    let rows = [
        (
            "version: 1",
            "version: 2",
            (1, 10),
            "version 2 of the syntax is not known",
        ),
        ("edges:", "egdes:", (8, 1), "did you mean `edges`?"),
        ("type: tee", "typ: tee", (6, 11), "did you mean `type`?"),
        ("type: tee", "type: t/e", (6, 17), "contains '/'"),
        ("type: tee", "type: ether", (6, 17), "write `interface: NAME`"),
        (
            "{ type: tee }",
            "tee",
            (6, 9),
            "expected a mapping such as `{ type: tee }`",
        ),
        ("{ type: tee }", "{}", (6, 3), "is of no kind"),
        (
            "{ type: tee }",
            "{ type: tee, interface: em0 }",
            (6, 3),
            "both `interface` and `type`",
        ),
        ("tap0: { type", "sw0: { type", (7, 3), "there are two nodes `sw0`"),
        (
            "interface: vtnet2",
            "interface: vtnet1",
            (4, 3),
            "are both the node `vtnet1:`",
        ),
        (
            "interface: vtnet2",
            "interface: averyverylonginterface",
            (5, 16),
            "15 is the most",
        ),
        (
            "  lan:",
            "  averyveryveryveryverylongnodename:",
            (4, 3),
            "31 is the most",
        ),
        ("- wan.lower ", "- wan.lower", (9, 5), "graph"),
        ("- wan.lower ", "- wam.lower", (9, 5), "there is no node `wam`"),
        ("- wan.lower ", "- wam.lower", (9, 5), "did you mean `wan`?"),
        ("wan.lower  --", "wan.lower  ->", (9, 5), "is no edge"),
        ("wan.lower  --", "wan  --", (9, 5), "`wan` is no end of an edge"),
        ("tap0.left", "tap0.lefft", (9, 5), "did you mean `left`?"),
        ("sw0.link0", "sw0.port0", (10, 5), "its hooks are `link0` onwards"),
        (
            "sw0.link1",
            "sw0.link0",
            (11, 5),
            "`sw0.link0` is taken by the edge of line 10",
        ),
        (
            "{ setconfig: { loopTimeout: 60 } }",
            "[ 1 ]",
            (7, 37),
            "a message is a command",
        ),
    ];
    for (from, to, (line, column), part) in rows {
        assert!(GOOD.contains(from), "{from}");
        let Err(error) = read(&GOOD.replacen(from, to, 1)) else {
            assert_eq!(part, "graph", "{to} was accepted");
            continue;
        };
        let place = error.position.map(|place| (place.line, place.column));
        assert_eq!(place, Some((line, column)), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
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
