//! Graphs that are wrong as a whole.

use std::path::Path;

use crate::{Error, Graph};

/// Reads nodes (`name: type`, or `name` for an interface of that name) and edges.
fn read(head: &str, nodes: &[&str], edges: &[&str]) -> Result<Graph, Error> {
    let mut text = format!("version: 1\n{head}nodes:\n");
    for node in nodes {
        match node.split_once(": ") {
            Some((name, kind)) => text += &format!("  {name}: {{ type: {kind} }}\n"),
            None => text += &format!("  {node}: {{ interface: {node} }}\n"),
        }
    }
    text += "edges:\n";
    edges.iter().for_each(|edge| text += &format!("  - {edge}\n"));
    Graph::parse(&text, Path::new("graph.yaml"))
}

fn loops(nodes: &[&str], edges: &[&str]) -> Vec<String> {
    let allowed = read("loops: allow\n", nodes, edges);
    assert!(allowed.is_ok(), "{}", allowed.unwrap_err());
    match read("", nodes, edges) {
        Ok(_) => Vec::new(),
        Err(error) => error.all().map(|error| error.message.clone()).collect(),
    }
}

#[test]
fn loops_are_named_from_end_to_end() {
    let told = loops(
        &["em0", "a: bridge", "t: tee", "b: hub"],
        &[
            "em0.lower -- a.link0",
            "a.link1 -- t.left",
            "t.right -- b.x",
            "a.link2 -- b.y",
        ],
    );
    assert_eq!(
        told,
        ["frames would go round for ever: a.link2 -- b.y, b.x -- t.right, t.left -- a.link1"]
    );
}

#[test]
fn loops_are_found_where_frames_really_go_round() {
    let pair = ["a: bridge", "b: bridge"];
    let rows: [(&[&str], &[&str], usize); 15] = [
        (&pair, &["a.link0 -- b.link0", "a.link1 -- b.link1"], 1),
        (&pair, &["a.link0 -- b.link0"], 0),
        (
            &["em0", "a: bridge"],
            &["em0.lower -- a.link0", "em0.upper -- a.link1"],
            0,
        ),
        // Aggregated links: from `one` to a `many`, and on to `one`.
        (
            &["a: one2many", "b: one2many", "c: hole", "d: hole"],
            &[
                "a.many0 -- b.many0",
                "a.many1 -- b.many1",
                "a.one -- c.x",
                "b.one -- d.x",
            ],
            0,
        ),
        // Two switches joined by them twice over.
        (
            &["a: one2many", "b: one2many", "c: hub"],
            &["a.many0 -- b.many0", "a.one -- c.x", "b.one -- c.y"],
            1,
        ),
        // A copy that leads back to where the original came from.
        (
            &["a: bridge", "t: tee"],
            &["a.link0 -- t.left", "a.link1 -- t.left2right"],
            1,
        ),
        // A copy that leads to where the original goes.
        (&["a: hub", "t: tee"], &["a.x -- t.right", "a.y -- t.left2right"], 0),
        (&["t: tee"], &["t.left -- t.right"], 1),
        (&["h: hub"], &["h.x -- h.y"], 1),
        (&["h: hole"], &["h.x -- h.y"], 0),
        (&["a: echo", "b: echo"], &["a.x -- b.x"], 1),
        (&["a: echo", "b: hub", "c: echo"], &["a.x -- b.x", "c.x -- b.y"], 1),
        (&["a: echo", "b: hub"], &["a.x -- b.x"], 0),
        (
            &["a: vlan", "b: bridge"],
            &["a.downstream -- b.link0", "a.v7 -- b.link1"],
            0,
        ),
        (
            &["a: netflow", "b: bridge"],
            &["a.iface0 -- b.link0", "a.out1 -- b.link1"],
            0,
        ),
    ];
    for (nodes, edges, expected) in rows {
        assert_eq!(loops(nodes, edges).len(), expected, "{nodes:?} {edges:?}");
    }
}

#[test]
fn arity_is_checked() {
    let rows: [(&[&str], &[&str], &str); 6] = [
        (
            &["k: ksocket", "h: hub"],
            &["k.inet/dgram/udp -- h.x", "k.inet/raw/gre -- h.y"],
            "one hook only",
        ),
        (
            &["d: deflate", "h: hub"],
            &["d.comp -- h.x", "d.decomp -- h.y"],
            "one hook only",
        ),
        (
            &["em0", "h: hub"],
            &["em0.lower -- h.x", "em0.divert -- h.y"],
            "cannot have `lower` and `divert` at once",
        ),
        (&["t: tee"], &[], "no edge leads to `t`"),
        (&["t: mine"], &[], "no edge leads to `t`"),
        (
            &["b: bridge", "h: hub"],
            &["b.link0 -- h.x", "h.x -- b.link1"],
            "`h.x` is taken by the edge of line 6",
        ),
    ];
    for (nodes, edges, expected) in rows {
        let error = read("", nodes, edges).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn idle_nodes_are_warned_about() {
    let rows: [(&[&str], &[&str], Option<&str>); 6] = [
        (
            &["o: one2many", "h: hole"],
            &["o.many0 -- h.x"],
            Some("nothing leads to `one` of `o`"),
        ),
        (
            &["p: pipe", "h: hole"],
            &["p.upper -- h.x"],
            Some("nothing leads to `lower` of `p`"),
        ),
        (&["e: eiface"], &[], Some("nothing leads to `ether` of `e`")),
        (&["i: iface"], &[], None),
        (&["em0"], &[], Some("no edge leads to `em0`")),
        (&["t: tee", "h: hole"], &["t.left -- h.x"], None),
    ];
    for (nodes, edges, expected) in rows {
        let graph = read("", nodes, edges).unwrap();
        let told: Vec<&str> = graph
            .warnings()
            .iter()
            .map(|warning| warning.about.message.as_str())
            .collect();
        assert_eq!(told.len(), usize::from(expected.is_some()), "{told:?}");
        assert!(expected.is_none_or(|start| told[0].starts_with(start)), "{told:?}");
    }
}

#[test]
fn interfaces_are_used_once() {
    let text = "version: 1\nnodes:\n  a: { interface: { order: 1 } }\n  b: { interface: { order: 1 } }\n";
    let error = Graph::parse(text, Path::new("graph.yaml")).unwrap_err();
    assert!(
        error
            .message
            .starts_with("`a` and `b` are both the interface with number 1"),
        "{error}"
    );
    let text = "version: 1\nnodes:\n  a: { type: eiface, rename: x }\n  b: { type: eiface, rename: x }\n";
    let error = Graph::parse(text, Path::new("graph.yaml")).unwrap_err();
    assert_eq!(
        error.position.map(|place| (place.line, place.column)),
        Some((4, 30)),
        "{error}"
    );
}
