//! The verbs on a netgraph in memory: what they print, what they change, and what they say when they cannot.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use netgraph::fake::Fake;

use crate::cli::Command;
use crate::failure::Failure;
use crate::script;
use crate::session::Session;
use crate::session::tests::session;

mod examples;
mod mistakes;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs one command as a process of its own would.
fn run(fake: &Fake, line: &str, json: bool) -> Result<String, Failure> {
    let output = Output::default();
    let mut session = session(fake.clone(), json, Box::new(output.clone()));
    run_line(&mut session, line)?;
    Ok(output.text())
}

/// Runs a line by the node of that session.
fn run_line(session: &mut Session<Fake>, line: &str) -> Result<(), Failure> {
    script::line(session, line, &|command, session| match command {
        Command::Verb(verb) => verb.run(session),
        other => panic!("{other:?} needs a kernel with descriptors"),
    })
}

fn failure_of<T>(result: Result<T, Failure>) -> Failure {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(failure) => failure,
    }
}

fn text(fake: &Fake, line: &str) -> String {
    run(fake, line, false).unwrap_or_else(|failure| panic!("{line}: {failure}"))
}

fn refusal(fake: &Fake, line: &str) -> String {
    run(fake, line, false).unwrap_err().to_string()
}

/// em0 with a tee called tap on its lower hook.
fn tapped() -> Fake {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    text(&fake, "mkpeer em0: tee lower left");
    text(&fake, "name em0:lower tap");
    fake
}

#[test]
fn nodes_are_listed_as_ngctl_does() {
    let expected = "There are 4 total named nodes:
  Name: em0             Type: ether           ID: 00000001   Num hooks: 1
  Name: em1             Type: ether           ID: 00000002   Num hooks: 0
  Name: tap             Type: tee             ID: 00000004   Num hooks: 1
  Name: ng1             Type: socket          ID: 00000006   Num hooks: 0
";
    assert_eq!(text(&tapped(), "list -n"), expected);
}

#[test]
fn a_node_is_shown_with_its_hooks() {
    let expected = "  Name: tap             Type: tee             ID: 00000004   Num hooks: 1
  Local hook      Peer name       Peer type    Peer ID         Peer hook      
  ----------      ---------       ---------    -------         ---------      
  left            em0             ether        00000001        lower          
";
    assert_eq!(text(&tapped(), "show em0:lower"), expected);
    assert_eq!(text(&tapped(), "show -n tap:").lines().count(), 1);
}

#[test]
fn json_has_everything_that_text_has() {
    let fake = tapped();
    let shown: serde_json::Value = serde_json::from_str(&run(&fake, "show tap:", true).unwrap()).unwrap();
    assert_eq!(shown["name"], "tap");
    assert_eq!(shown["links"][0]["peer_hook"], "lower");
    let types: serde_json::Value = serde_json::from_str(&run(&fake, "types", true).unwrap()).unwrap();
    assert!(
        types["types"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| kind["name"] == "tee" && kind["nodes"] == 1)
    );
    let list: serde_json::Value = serde_json::from_str(&run(&fake, "list -l", true).unwrap()).unwrap();
    assert_eq!(list["nodes"][0]["links"][0]["hook"], "lower");
}

#[test]
fn the_graph_is_drawn_with_each_link_once() {
    let fake = tapped();
    text(&fake, "connect tap: em1: right lower");
    let expected = r#"graph netgraph {
    node [shape=box, fontsize=12];
    edge [fontsize=10];
    "1" [label="em0:\nether [1]", shape=ellipse];
    "2" [label="em1:\nether [2]", shape=ellipse];
    "4" [label="tap:\ntee [4]"];
    "1" -- "4" [taillabel="lower", headlabel="left"];
    "2" -- "4" [taillabel="lower", headlabel="right"];
}
"#;
    assert_eq!(text(&fake, "dot"), expected);
    assert_eq!(text(&fake, "dot em1:"), expected);
}

#[test]
fn pictures_are_restricted_and_written_to_files() {
    let fake = tapped();
    text(&fake, "connect tap: em1: right lower");
    let near = text(&fake, "mermaid em0: --depth 1");
    assert!(near.contains("tap") && !near.contains("em1"), "{near}");
    let _other = netgraph::Socket::open_on(fake.clone(), Some(&"other".parse().unwrap())).unwrap();
    assert!(text(&fake, "svg").contains(">other</text>"));
    let drawn = text(&fake, "svg --no-sockets");
    assert!(
        drawn.contains(">tap</text>") && !drawn.contains(">other</text>"),
        "{drawn}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("graph.svg");
    let line = format!("svg em0: --no-sockets -o {}", file.display());
    assert_eq!(text(&fake, &line), "");
    assert!(fs::read_to_string(&file).unwrap().ends_with("</svg>\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = refusal(&fake, &format!("dot -o {}/no/x", folder.path().display()));
    assert!(nowhere.contains("/no/x: No such file"), "{nowhere}");
    let json: serde_json::Value = serde_json::from_str(&run(&fake, "dot em0: --no-sockets", true).unwrap()).unwrap();
    assert_eq!(json["nodes"][0]["class"], "interface");
    assert_eq!(json["edges"][0]["right"]["hook"], "left");
}

#[test]
fn files_are_drawn_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("graph.yaml");
    fs::write(&file, "version: 1\nnodes:\n  wan: { interface: em9 }\n").unwrap();
    let drawn = text(&Fake::default(), &format!("mermaid -f {}", file.display()));
    assert!(drawn.contains("<b>wan</b><br/>ether em9"), "{drawn}");
    let title = text(&Fake::default(), &format!("svg -f {} wan:", file.display()));
    assert!(
        title.contains("<title id=\"title\">graph.yaml around wan:</title>"),
        "{title}"
    );
}

#[test]
fn only_what_a_path_reaches_is_drawn() {
    let fake = tapped();
    let drawn = text(&fake, "dot em0:lower");
    assert!(
        drawn.contains("em0") && drawn.contains("tap") && !drawn.contains("em1"),
        "{drawn}"
    );
    let alone = text(&fake, "dot .");
    assert!(alone.contains("socket") && !alone.contains(" -- "), "{alone}");
    assert!(refusal(&fake, "dot tpa:").contains("did you mean `tap`?"));
}

#[test]
fn links_of_one_node_with_itself_and_strange_names_are_drawn() {
    let fake = Fake::with_interfaces(&["em0"]);
    text(&fake, r#"mkpeer em0: hub lower a"\N"#);
    text(&fake, "connect em0:lower em0:lower y x");
    let drawn = text(&fake, "dot");
    let links: Vec<_> = drawn.lines().filter(|line| line.contains(" -- ")).collect();
    let expected = [
        r#"    "1" -- "3" [taillabel="lower", headlabel="a\"\\N"];"#,
        r#"    "3" -- "3" [taillabel="x", headlabel="y"];"#,
    ];
    assert_eq!(links, expected);
}

#[test]
fn answers_are_printed_in_words() {
    let fake = tapped();
    assert_eq!(text(&fake, "msg em0: setpromisc 1"), "");
    let answer = text(&fake, "msg em0: getpromisc");
    assert_eq!(answer, "Rec'd response \"getpromisc\" (1) from \"[1]:\":\nArgs:\t1\n");
}

#[test]
fn a_node_without_status_is_no_failure() {
    assert_eq!(text(&tapped(), "status tap:"), "No status available for \"tap:\"\n");
    assert_eq!(text(&tapped(), "config tap:"), "No config available for \"tap:\"\n");
    assert_eq!(
        run(&tapped(), "status tap:", true).unwrap(),
        "{\"path\":\"tap:\",\"status\":null}\n"
    );
}

#[test]
fn links_are_made_and_broken() {
    let fake = tapped();
    text(&fake, "connect tap: em1: right lower");
    assert!(text(&fake, "show em1:").contains("right"));
    text(&fake, "rmhook em1: lower");
    text(&fake, "shutdown tap:");
    assert!(!text(&fake, "list").contains("tap"));
}

const GRAPH: &str = "\
version: 1
nodes:
  one: { interface: em0, messages: [ setpromisc: 1, setautosrc: 0 ] }
  two: { interface: em1, messages: [ setpromisc: 1 ] }
  tap: { type: tee }
  sw: { type: bridge, messages: [ { setconfig: { loopTimeout: 60 } } ] }
edges:
  - one.lower -- tap.left
  - tap.right -- sw.link0
  - sw.link1 -- two.lower
";

fn graph_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn applying_twice_changes_nothing_the_second_time() {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    let file = graph_file(GRAPH);
    let apply = format!("apply {}", file.path().display());
    let said = text(&fake, &apply);
    let expected = "+ node tap (tee)
+ edge one.lower -- tap.left
+ node sw (bridge)
+ edge tap.right -- sw.link0
+ edge sw.link1 -- two.lower
~ one: setpromisc 1  (now 0)
~ two: setpromisc 1  (now 0)
~ sw: setconfig { loopTimeout=60 }  (now 0)
untouched: 2 nodes, 0 edges
";
    assert_eq!(said, expected);
    let changes = fake.changes();
    assert!(text(&fake, &apply).starts_with("the graph is as "));
    assert_eq!(fake.changes(), changes);
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_is_missing() {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    let file = graph_file(GRAPH);
    let result = run(&fake, &format!("apply --dry-run {}", file.path().display()), false);
    assert!(matches!(result, Err(Failure::Different)));
    assert_eq!(fake.changes(), 0);
}

#[test]
fn a_broken_link_is_healed() {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    let file = graph_file(GRAPH);
    let apply = format!("apply {}", file.path().display());
    text(&fake, &apply);
    text(&fake, "rmhook em0: lower");
    assert_eq!(
        text(&fake, &apply),
        "+ edge one.lower -- tap.left\nuntouched: 4 nodes, 2 edges\n"
    );
}

#[test]
fn a_failed_apply_shows_the_line() {
    let rows = [
        (
            "tap: { type: tee }",
            "tap: { type: unheard-of }",
            "no type `unheard-of` is loaded",
        ),
        ("interface: em1", "interface: em7", "there are `em0` and `em1`"),
        ("setautosrc: 0", "fly: 0", "the node's type knows no such command"),
    ];
    for (from, to, part) in rows {
        let fake = Fake::with_interfaces(&["em0", "em1"]);
        let file = graph_file(&GRAPH.replace(from, to));
        let failure = run(&fake, &format!("apply {}", file.path().display()), false).unwrap_err();
        let said = failure.to_string();
        assert!(said.contains(part) && said.contains(" | "), "{said}");
        assert_eq!(failure.status(), 71);
    }
}

#[test]
fn a_wrong_file_is_not_applied_at_all() {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    let file = graph_file(&GRAPH.replace("edges", "egdes"));
    let failure = run(&fake, &format!("apply {}", file.path().display()), false).unwrap_err();
    assert_eq!((failure.status(), fake.changes()), (65, 0));
    let failure = run(&fake, "apply /nonexistent/graph.yaml", false).unwrap_err();
    assert_eq!(failure.status(), 66);
}

#[test]
fn a_destroyed_graph_leaves_the_interfaces() {
    let fake = Fake::with_interfaces(&["em0", "em1"]);
    let file = graph_file(GRAPH);
    text(&fake, &format!("apply {}", file.path().display()));
    text(&fake, &format!("destroy {}", file.path().display()));
    assert_eq!(text(&fake, "list -n").lines().count(), 4);
}
