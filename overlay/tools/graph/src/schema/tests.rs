//! The schema against the parser: they know the same keys and types, and refuse the same files.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::catalog;
use crate::parse::{GRAPH_KEYS, NODE_KEYS, SELECTOR_KEYS};
use crate::{Graph, Selector};

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn words(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_keys_are_those_of_the_parser() {
    let schema = schema();
    let node = &schema["$defs"]["node"]["properties"];
    assert_eq!(keys(&schema["properties"]), BTreeSet::from(GRAPH_KEYS));
    assert_eq!(keys(node), BTreeSet::from(NODE_KEYS));
    assert_eq!(
        keys(&node["interface"]["oneOf"][1]["properties"]),
        BTreeSet::from(SELECTOR_KEYS)
    );
}

#[test]
fn the_types_are_those_of_the_catalog() {
    let schema = schema();
    let node = &schema["$defs"]["node"];
    let without =
        |left_out: &[&str]| -> BTreeSet<&str> { catalog::names().filter(|name| !left_out.contains(name)).collect() };
    let listed = &node["properties"]["type"]["anyOf"][0]["enum"];
    assert_eq!(words(listed), without(&["ether", "socket"]));
    let no_mac = &node["allOf"][0]["if"]["properties"]["type"]["enum"];
    assert_eq!(words(no_mac), without(&["ether", "socket", "eiface"]));
    let no_name = &node["allOf"][1]["if"]["properties"]["type"]["enum"];
    assert_eq!(words(no_name), without(&["ether", "socket", "eiface", "iface"]));
}

#[test]
fn every_key_is_described() {
    let schema = schema();
    let mut described = vec![&schema["properties"], &schema["$defs"]["node"]["properties"]];
    while let Some(properties) = described.pop() {
        for (key, value) in properties.as_object().unwrap() {
            let target = value["$ref"].as_str().map_or(value, |reference| {
                schema.pointer(reference.trim_start_matches('#')).unwrap()
            });
            let text = value["description"].as_str().or(target["description"].as_str());
            assert!(text.is_some_and(|text| text.ends_with('.')), "{key}");
        }
    }
}

fn parse(text: &str) -> Result<Graph, crate::Error> {
    Graph::parse(text, Path::new("graph.yaml"))
}

fn is_valid(validator: &jsonschema::Validator, text: &str) -> bool {
    let value: Value = serde_yaml::from_str(text).unwrap();
    validator.is_valid(&value)
}

#[test]
fn good_files_are_good_for_both() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let rows = [
        "version: 1",
        "version: 1\nnodes:\nedges:\n",
        "version: 1\nloops: allow\njail: web.db\ntypes: [ mine ]\nnodes: {}\nedges: []\n",
        "version: 1\nnodes:\n  a: { interface: { pci: '0:0:5:0' } }\n  b: { interface: em0.100, rename: wan.5 }\n",
        "version: 1\nnodes:\n  a: { type: iface, rename: lan0, jail: web, messages: [ broadcast, { x: } ] }\n",
        "version: 1\nnodes:\n  a: { type: hub }\n  b: { type: ksocket }\nedges: [ 'a.x--b.inet/dgram/udp' ]\n",
    ];
    for text in rows {
        assert!(parse(text).is_ok(), "{}", parse(text).unwrap_err());
        assert!(is_valid(&validator, text), "{text}");
    }
}

#[test]
fn bad_files_are_bad_for_both() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let node = |inside: &str| format!("version: 1\nnodes:\n  a: {inside}\n");
    let edge =
        |inside: &str| format!("version: 1\nnodes:\n  a: {{ type: hub }}\n  b: {{ type: hub }}\nedges: [ {inside} ]\n");
    let rows = [
        "[ version ]".to_owned(),
        "nodes: {}".to_owned(),
        "version: 2".to_owned(),
        "version: 1\nloops: yes".to_owned(),
        "version: 1\nlopps: allow".to_owned(),
        "version: 1\njail: '7'".to_owned(),
        "version: 1\ntypes: [ a/b ]\nnodes: { a: { type: a/b } }".to_owned(),
        "version: 1\nnodes: [ a ]".to_owned(),
        "version: 1\nnodes: { a.b: { type: iface } }".to_owned(),
        node("tee"),
        node("{}"),
        node("{ type: ether }"),
        node("{ type: t/e }"),
        node("{ type: tee, interface: em0 }"),
        node("{ type: tee, colour: red }"),
        node("{ interface: 02:00:00:00:00:01 }"),
        node("{ interface: averyverylongname }"),
        node("{ interface: {} }"),
        node("{ interface: { order: 0, pci: pci0:0:5:0 } }"),
        node("{ interface: { order: -1 } }"),
        node("{ interface: { mac: 03:00:00:00:00:01 } }"),
        node("{ interface: { pci: somewhere } }"),
        node("{ type: eiface, mac: 00:00:00:00:00:00 }"),
        node("{ type: eiface, mac: 02:00:00:00:00 }"),
        node("{ type: eiface, rename: 0lan }"),
        node("{ type: eiface, jail: web..db }"),
        node("{ type: iface, mac: 02:00:00:00:00:01 }"),
        node("{ type: gif_demux, rename: x }"),
        node("{ type: iface, messages: broadcast }"),
        node("{ type: iface, messages: [ { a: 1, b: 2 } ] }"),
        node("{ type: iface, messages: [ [ a ] ] }"),
        edge("a.x -> b.x"),
        edge("a -- b.x"),
        edge("{ a.x: b.x }"),
        edge("a.x -- b.x -- a.y"),
        edge("a.x.y -- b.x"),
    ];
    for text in rows {
        assert!(parse(&text).is_err(), "{text}");
        assert!(!is_valid(&validator, &text), "{text}");
    }
}

/// All files that come with the tools, by name.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = std::fs::read_dir(root.join("examples")).unwrap();
    let paths = examples
        .map(|entry| entry.unwrap().path())
        .chain([root.join("../../graph.yaml")]);
    let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read_to_string(path).unwrap());
    paths.map(read).collect()
}

#[test]
fn every_example_is_good_and_leaves_no_doubt() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let files = files();
    assert!(files.len() > 8, "{files:?}");
    for (name, text) in files {
        let graph = parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(graph.warnings().is_empty(), "{name}: {}", graph.warnings()[0]);
        assert!(is_valid(&validator, &text), "{name}");
        assert!(text.starts_with("# yaml-language-server: $schema="), "{name}");
    }
}

/// Another YAML reader finds the same in the examples.
#[test]
fn every_example_reads_as_others_read_it() {
    for (name, text) in files() {
        let graph = parse(&text).unwrap();
        let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let nodes = value["nodes"].as_mapping().unwrap();
        let names: Vec<&str> = nodes.keys().filter_map(serde_yaml::Value::as_str).collect();
        let found: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        assert_eq!(found, names, "{name}");
        for (node, value) in graph.nodes().iter().zip(nodes.values()) {
            let messages = value
                .get("messages")
                .and_then(serde_yaml::Value::as_sequence)
                .map_or(0, Vec::len);
            assert_eq!(node.messages.len(), messages, "{name} {}", node.name);
            assert_eq!(
                node.rename.as_deref(),
                value.get("rename").and_then(serde_yaml::Value::as_str),
                "{name}"
            );
        }
        let edges = value["edges"].as_sequence().unwrap();
        let told: Vec<String> = graph
            .edges()
            .iter()
            .map(|edge| format!("{}--{}", graph.end(&edge.left), graph.end(&edge.right)))
            .collect();
        let written: Vec<String> = edges
            .iter()
            .map(|edge| edge.as_str().unwrap().replace(' ', ""))
            .collect();
        assert_eq!(told, written, "{name}");
    }
}

#[test]
fn the_examples_send_what_the_manual_says() {
    let text = |file: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)).unwrap()
    };
    let rows = [
        (
            "link-aggregation.yaml",
            "bundle",
            "setconfig",
            "{ xmitAlg=1 failAlg=1 enabledLinks=[ 1 1 ] }",
        ),
        ("netflow.yaml", "collector", "connect", "inet/198.51.100.9:2055"),
        ("netflow.yaml", "flows", "setifindex", "{ iface=0 index=1 }"),
        ("pppoe-client.yaml", "access", "pppoe_setmode", "\"standard\""),
        ("udp-tunnel-a.yaml", "wire", "bind", "inet/192.0.2.1:4500"),
        ("vlans.yaml", "split", "addfilter", "{ hook=\"office\" vid=10 }"),
        ("vm-switch.yaml", "sw0", "setpersistent", ""),
    ];
    for (file, node, command, arguments) in rows {
        let graph = parse(&text(file)).unwrap();
        let node = graph.nodes().iter().find(|found| found.name.as_str() == node).unwrap();
        let message = (command.to_owned(), arguments.to_owned());
        assert!(node.messages.contains(&message), "{file}: {:?}", node.messages);
    }
    let switch = parse(&text("vm-switch.yaml")).unwrap();
    assert_eq!(switch.interfaces().next().unwrap().selector, Selector::Order(1));
}
