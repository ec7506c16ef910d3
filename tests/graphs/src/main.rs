//! Has `ng` apply generated graphs to the running kernel, dump them, and apply edits of them.
//!
//! `graphs COUNT NODES EDGES [NG [ARGUMENT...]]` tries so many graphs of up to so many nodes and edges, by that ng called
//! with these arguments; by `ng` without them. What ng remembers goes into a folder of its own. It ends with the first graph
//! that does not become what it declares, and prints its file.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use graphs::{edits, runner, sketches};
use proptest::strategy::{Strategy, ValueTree};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("graphs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [count, nodes, edges, ng @ ..] = arguments else {
        return Err("usage: graphs COUNT NODES EDGES [NG [ARGUMENT...]]".into());
    };
    let count: u32 = count.parse()?;
    let folder = tempfile::tempdir()?;
    let ng = Ng::new(folder.path(), ng);
    let strategy = (sketches(nodes.parse()?, edges.parse()?), edits());
    let mut runner = runner(count);
    let before = ng.graph()?;
    for number in 0..count {
        let tree = strategy.new_tree(&mut runner).map_err(|reason| reason.to_string())?;
        let (sketch, edit) = tree.current();
        for text in [sketch.yaml(), edit.of(&sketch).yaml()] {
            ng.becomes(&text)
                .map_err(|error| format!("graph {number}: {error}\n{text}"))?;
        }
    }
    ng.apply("version: 1\n")?;
    if ng.graph()? != before {
        return Err("something is left of the graphs".into());
    }
    println!("{count} graphs, each edited once: as declared");
    Ok(())
}

/// The program that is tried.
struct Ng {
    program: String,
    arguments: Vec<String>,
    folder: PathBuf,
}

impl Ng {
    fn new(folder: &Path, words: &[String]) -> Self {
        let (program, arguments) = words
            .split_first()
            .map_or(("ng", &[][..]), |(program, arguments)| (program.as_str(), arguments));
        Self {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            folder: folder.to_owned(),
        }
    }

    /// Applied, a graph is what it declares; applied again, and dumped and planned, there is nothing to change.
    fn becomes(&self, text: &str) -> Result<()> {
        self.apply(text)?;
        let file = self.file("graph.yaml", text)?;
        self.succeed(&["plan", &file])?;
        let dumped = self.succeed(&["dump", "--own"])?;
        let (declared, live) = (edges(text), edges(&dumped));
        if declared != live {
            let missing = declared.difference(&live).count();
            let surplus = live.difference(&declared).count();
            return Err(format!("{missing} edges are missing, {surplus} are there for nothing").into());
        }
        let dumped = self.file("dump.yaml", &dumped)?;
        self.succeed(&["plan", &dumped]).map(drop)
    }

    fn apply(&self, text: &str) -> Result<String> {
        let file = self.file("graph.yaml", text)?;
        self.succeed(&["apply", &file])
    }

    /// Names and types of all nodes but sockets.
    fn graph(&self) -> Result<BTreeSet<String>> {
        let listed: Value = serde_json::from_str(&self.succeed(&["list", "--json"])?)?;
        let nodes = listed["nodes"].as_array().ok_or("no list of nodes")?;
        let others = nodes.iter().filter(|node| node["type"] != "socket");
        Ok(others
            .map(|node| format!("{} {}", node["name"], node["type"]))
            .collect())
    }

    fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    fn succeed(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .arg("--state")
            .arg(self.folder.join("state"));
        let Output { status, stdout, stderr } = command.args(arguments).output()?;
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        if status.success() {
            return Ok(stdout);
        }
        let stderr = String::from_utf8_lossy(&stderr);
        Err(format!("{arguments:?}: {status}\n{stdout}{stderr}").into())
    }
}

/// The edges of a file, each with its ends in order.
fn edges(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("  - "));
    lines
        .map(|line| {
            let mut ends: Vec<&str> = line.trim_matches('"').split(" -- ").collect();
            ends.sort_unstable();
            ends.join(" -- ")
        })
        .collect()
}
