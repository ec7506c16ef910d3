//! The page is HTML as browsers parse it, needs nothing from outside, and is not led astray by what it shows.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::super::run::{Stage, Test};
use super::*;
use crate::report::run::Reasons;

const HOSTILE: &str =
    "</pre></td><script src=http://evil.example/x.js></script><img src=//evil onerror='x'>\u{1b}[2J\0\"'&";

fn facts() -> Facts {
    let manifest = serde_json::json!({
        "name": HOSTILE, "base": "freebsd", "release": HOSTILE, "hostname": "h", "nics": 3, "identity": null,
        "files": [{"path": HOSTILE, "format": "raw", "size": 5000000, "sha256": HOSTILE}],
        "inputs": {HOSTILE: HOSTILE},
        "areas": [{"name": HOSTILE, "files": 3, "bytes": 900, "largest": [{"path": HOSTILE, "bytes": 700}]}],
    });
    let test = |outcome: &str| Test {
        suite: HOSTILE.into(),
        name: HOSTILE.into(),
        outcome: outcome.into(),
        reason: Reasons::Several(vec![HOSTILE.into()]),
        seconds: 1.0,
        stdout: HOSTILE.into(),
        stderr: HOSTILE.into(),
    };
    let stage = |seconds| Stage {
        name: HOSTILE.into(),
        seconds,
    };
    let graph = "version: 1\nnodes: { a: { interface: vtnet1 }, h: { type: hub } }\nedges: [ a.lower -- h.x ]\n";
    let graph = graph::Graph::parse(graph, std::path::Path::new("g")).unwrap();
    Facts {
        manifest: serde_json::from_value(manifest).unwrap(),
        links: vec![
            ("Manifest", HOSTILE.into()),
            ("Log", "//evil.example/x".into()),
            ("Smoke run", "smoke/report.json".into()),
        ],
        picture: ng::svg(&graph, "g"),
        picture_is_newer: true,
        run: Ok(SmokeRun {
            image: HOSTILE.into(),
            introduction: HOSTILE.into(),
            accelerator: HOSTILE.into(),
            boot_seconds: Some(40.0),
            ended_early: Some(HOSTILE.into()),
            timeline: vec![stage(1.0), stage(f64::MAX), stage(-1.0)],
            tests: ["passed", "failed", "skipped", "not_run", HOSTILE].map(test).into(),
            ..SmokeRun::default()
        }),
        serial: Some([HOSTILE.as_bytes(), b"\xff\xfe\x80"].concat()),
    }
}

/// The page as a browser understands it, and what the parser complains about.
fn parsed(text: &str) -> RcDom {
    let options = ParseOpts {
        tokenizer: html5ever::tokenizer::TokenizerOpts {
            exact_errors: true,
            ..Default::default()
        },
        ..ParseOpts::default()
    };
    parse_document(RcDom::default(), options).one(text)
}

/// What is done with the name and the attributes of an element.
type Visit<'a> = dyn FnMut(&str, &[(String, String)]) + 'a;

fn walk(node: &Handle, visit: &mut Visit<'_>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attrs = attrs.borrow();
        let attributes: Vec<(String, String)> = { attrs.iter() }
            .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
            .collect();
        visit(&name.local, &attributes);
    }
    for child in node.children.borrow().iter() {
        walk(child, visit);
    }
}

#[test]
fn a_hostile_run_makes_a_page_without_mistakes_scripts_or_references() {
    let text = page(&facts());
    let dom = parsed(&text);
    let errors = dom.errors.borrow();
    assert!(errors.is_empty(), "{errors:?}");
    let mut elements = 0;
    walk(&dom.document, &mut |name, attributes| {
        elements += 1;
        assert!(
            !matches!(
                name,
                "script" | "iframe" | "object" | "embed" | "link" | "base" | "form"
            ),
            "<{name}>"
        );
        for (key, value) in attributes {
            assert!(!key.starts_with("on") && key != "style", "<{name} {key}>");
            assert!(key != "href" || value == "smoke/report.json", "{value}");
            assert!(
                key != "src" || value.starts_with("data:image/svg+xml;base64,"),
                "{value}"
            );
        }
    });
    assert!(elements > 100, "{elements}");
    assert!(!text.contains('\u{1b}') && !text.contains('\0'));
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn ids_are_there_once_and_labels_lead_to_them() {
    let (mut ids, mut labels, mut pictures) = (Vec::new(), Vec::new(), 0);
    let dom = parsed(&page(&facts()));
    walk(&dom.document, &mut |name, attributes| {
        let get = |wanted: &str| {
            attributes
                .iter()
                .find(|(key, _)| key == wanted)
                .map(|(_, value)| value.clone())
        };
        ids.extend(get("id"));
        labels.extend(get("aria-labelledby"));
        if name == "img" || (name == "svg" && get("aria-hidden").is_none()) {
            pictures += 1;
            assert!(
                get("alt").or(get("aria-label")).is_some_and(|words| words.len() > 10),
                "a picture without words"
            );
        }
    });
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(
        labels.len() >= 5 && labels.iter().all(|label| ids.contains(label)),
        "{labels:?}"
    );
    assert_eq!(pictures, 3, "graph, time line, treemap");
}

#[test]
fn failures_are_open_and_the_rest_is_folded() {
    let text = page(&facts());
    assert_eq!(
        text.matches("<details open><summary><strong class=\"failed\">failed</strong>")
            .count(),
        1
    );
    assert!(text.contains("<details><summary>All 5 tests"), "{text}");
    assert!(text.contains("<details><summary>What the guest wrote: "));
}

#[test]
fn without_a_smoke_run_the_page_says_so() {
    let mut facts = facts();
    facts.run = Err("No smoke run was reported.".into());
    facts.serial = None;
    let text = page(&facts);
    assert!(text.contains("<p>No smoke run was reported.</p>") && !text.contains("Serial console"));
    assert!(parsed(&text).errors.borrow().is_empty());
}
