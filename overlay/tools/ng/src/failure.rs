//! How `ng` fails: what it says and its exit status.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use netgraph::Errno;
use serde::Serialize;
use thiserror::Error;

use crate::program::Program;

/// Why a verb did not do what it was asked.
#[derive(Debug, Error)]
pub enum Failure {
    /// The kernel or a node said no.
    #[error("{error}{}", hint_lines(hints))]
    Netgraph {
        /// What it said.
        error: netgraph::Error,
        /// What exists instead, or what to do.
        hints: Vec<String>,
    },
    /// The graph file is wrong, or its graph cannot be made.
    #[error("{error}")]
    Graph {
        /// Where and why.
        error: Box<graph::Error>,
        /// Whether the file itself is at fault, and not the kernel that it is applied to.
        offline: bool,
    },
    /// A file cannot be read.
    #[error("could not read {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// A program of the system failed.
    #[error("`{command}` failed: {said}")]
    Program {
        /// The program and its arguments.
        command: String,
        /// What it said.
        said: String,
    },
    /// A packet or its way to the terminal got lost.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        error: io::Error,
    },
    /// What ng remembers cannot be written.
    #[error(
        "could not write {path}: {error}\n  hint: ng keeps there what it made; it needs root, or another folder: --state DIR"
    )]
    State {
        /// The file.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// Another process changes the graph.
    #[error("another ng is changing the graph (it holds {0}); try again when it is done")]
    Busy(String),
    /// A change that failed was taken back, or not.
    #[error("{failure}\n{}", .rollback)]
    Undone {
        /// Why it failed.
        failure: Box<Failure>,
        /// What became of the graph.
        rollback: String,
    },
    /// A graph was applied and never confirmed, so that it is not applied at boot.
    #[error("{0} was applied and not confirmed; `ng apply` and `ng confirm` would have it applied at the next boot")]
    Unconfirmed(String),
    /// Not to be told again: only the exit status.
    #[error("")]
    Told(u8),
    /// A signal came.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The live graph does not allow it, or has changed.
    #[error("{0}")]
    Refused(String),
    /// A wait came to its end.
    #[error("{0}")]
    Late(String),
    /// A line of a file that could not be carried out.
    #[error("{file}:{line}: {text}\n{failure}")]
    Line {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        text: String,
        /// Why not.
        failure: Box<Failure>,
    },
    /// Not an error: the graph is not as declared.
    #[error("")]
    Different,
}

/// A failure in JSON.
#[derive(Serialize)]
struct Report<'a> {
    error: String,
    hints: Vec<&'a str>,
    status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// What hints start with where they are told.
const HINT: &str = "  hint: ";

/// The result of a verb.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

fn hint_lines(hints: &[String]) -> String {
    hints.iter().map(|hint| format!("\n{HINT}{hint}")).collect()
}

impl From<netgraph::Error> for Failure {
    fn from(error: netgraph::Error) -> Self {
        let hints = Vec::new();
        Self::Netgraph { error, hints }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let what = "could not write";
        Self::Io { what, error }
    }
}

impl Failure {
    /// The exit status, in the numbers of sysexits(3) as ngctl(8) uses them.
    pub fn status(&self) -> u8 {
        match self {
            Self::Different => 1,
            Self::Usage(_) => 64,
            Self::Graph { offline: true, .. } => 65,
            Self::Undone { failure, .. } => failure.status(),
            Self::Interrupted | Self::Unconfirmed(_) => 71,
            Self::Told(status) => *status,
            Self::State { .. } => 73,
            Self::Busy(_) => 75,
            Self::File { .. } => 66,
            Self::Netgraph { error, .. } => match error.errno() {
                Some(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => 69,
                Some(Errno::EPERM | Errno::EACCES) => 77,
                _ => 71,
            },
            Self::Graph { .. } | Self::Refused(_) | Self::Program { .. } => 71,
            Self::Io { .. } => 74,
            Self::Late(_) => 75,
            Self::Line { failure, .. } => failure.status(),
        }
    }

    /// The same failure, of that line of a file.
    #[must_use]
    pub fn at_line(self, file: &Path, line: usize, text: &str) -> Self {
        match self {
            Self::Different => self,
            failure => Self::Line {
                file: file.display().to_string(),
                line,
                text: text.trim().to_owned(),
                failure: Box::new(failure),
            },
        }
    }

    /// Says it, and returns the exit status.
    ///
    /// A reader that has gone away is no failure.
    pub fn report(&self, program: Program, json: bool) -> ExitCode {
        if self.is_of_a_reader_gone() {
            return ExitCode::SUCCESS;
        }
        self.tell(program, json);
        self.status().into()
    }

    /// Says it on standard error.
    pub fn tell(&self, program: Program, json: bool) {
        let name = program.name();
        match self {
            Self::Different | Self::Told(_) => {}
            _ if json => tell!("{}", self.in_json()),
            Self::Graph { .. } | Self::Undone { .. } => tell!("{self}"),
            Self::Line { failure, line, .. } if program != Program::Ng => {
                failure.tell(program, json);
                tell!("{name}: line {line}: error in file");
            }
            _ => tell!("{name}: {self}"),
        }
    }

    fn is_of_a_reader_gone(&self) -> bool {
        match self {
            Self::Io { error, .. } => error.kind() == io::ErrorKind::BrokenPipe,
            Self::Line { failure, .. } => failure.is_of_a_reader_gone(),
            _ => false,
        }
    }

    /// `{"error": ..., "hints": [...], "status": N}`, with `errno`, `file` and `line` where there are.
    fn in_json(&self) -> String {
        let (failure, place) = match self {
            Self::Line {
                file, line, failure, ..
            } => (failure.as_ref(), Some((file.clone(), *line))),
            Self::Graph { error, .. } => {
                let place = error.line().map(|line| (error.file.display().to_string(), line));
                (self, place)
            }
            _ => (self, None),
        };
        let text = failure.to_string();
        let (hints, error): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with(HINT));
        let report = Report {
            error: error.join("\n"),
            hints: hints.iter().filter_map(|hint| hint.strip_prefix(HINT)).collect(),
            status: failure.status(),
            errno: failure.errno().and_then(Errno::name),
            file: place.as_ref().map(|(file, _)| file.clone()),
            line: place.map(|(_, line)| line),
        };
        serde_json::to_string(&report).unwrap_or_default()
    }

    fn errno(&self) -> Option<Errno> {
        match self {
            Self::Netgraph { error, .. } => error.errno(),
            _ => None,
        }
    }
}

/// What clap says about arguments, in the form of the other failures.
pub fn from_clap(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let mut said: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n") {
        let paragraph = paragraph.trim();
        if paragraph.is_empty() || paragraph.starts_with("For more information") {
            continue;
        }
        let said_so = paragraph.strip_prefix("error: ").unwrap_or(paragraph);
        match (said_so.strip_prefix("tip: "), said_so.strip_prefix("Usage: ")) {
            (Some(tip), _) => said.push(format!("{HINT}{tip}")),
            (None, Some(_)) if error.kind() == ErrorKind::InvalidSubcommand => {}
            (None, Some(usage)) => said.push(format!("{HINT}usage: {usage}")),
            (None, None) => said.push(said_so.to_owned()),
        }
    }
    if error.kind() == ErrorKind::InvalidSubcommand && error.get(ContextKind::SuggestedSubcommand).is_none() {
        said.push(format!("{HINT}`help` lists the commands"));
    }
    Failure::Usage(said.join("\n"))
}

/// Says what is wrong with the arguments, or gives the help that was asked for.
pub fn usage(error: &clap::Error, program: Program, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        return from_clap(error).report(program, json);
    }
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (false, _) => ExitCode::SUCCESS,
        (true, _) => 64.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Failure {
        let error = netgraph::Error::Refused {
            operation: netgraph::Operation::Shutdown,
            path: "x:".to_owned(),
            errno: Errno::ENOENT,
        };
        let hints = vec!["look around".to_owned()];
        Failure::Netgraph { error, hints }
    }

    #[test]
    fn a_failure_in_json_has_its_parts() {
        let failure = refused().at_line(Path::new("file"), 3, "shutdown x:");
        let expected = concat!(
            r#"{"error":"could not shut down `x:`: there is no such node or hook (ENOENT)","hints":["look around"],"#,
            r#""status":71,"errno":"ENOENT","file":"file","line":3}"#
        );
        assert_eq!(failure.in_json(), expected);
    }

    #[test]
    fn a_line_has_the_status_of_its_failure() {
        let line = Failure::Late("late".to_owned()).at_line(Path::new("x"), 1, " hook ");
        assert_eq!((line.status(), line.to_string().as_str()), (75, "x:1: hook\nlate"));
        assert!(matches!(
            Failure::Different.at_line(Path::new("x"), 1, ""),
            Failure::Different
        ));
    }

    #[test]
    fn what_clap_says_is_told_in_the_same_form() {
        let rows = [
            (
                "lst",
                "unrecognized subcommand 'lst'\n  hint: some similar subcommands exist: 'ls', 'list'",
            ),
            (
                "fly",
                "unrecognized subcommand 'fly'\n  hint: `help` lists the commands",
            ),
            (
                "show",
                "the following required arguments were not provided:\n  <PATH>\n  hint: usage: show",
            ),
        ];
        for (words, start) in rows {
            let error = crate::words::parse::<crate::script::Line>([words]).unwrap_err();
            let said = from_clap(&error).to_string();
            assert!(said.starts_with(start), "{said}");
        }
    }
}
