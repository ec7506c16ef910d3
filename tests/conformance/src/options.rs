//! The command line.

use std::path::PathBuf;

use crate::Test;
use crate::tests;
use crate::tests::storm::Nodes;

/// What to say to those who got it wrong.
pub const USAGE: &str = "\
usage: conformance [--native | --module FILE.ko] [--json] [--list] [--skip TEXT]... [TEXT]...
       conformance [--native | --module FILE.ko] --rounds N [--processes P] [--sockets-only]

Runs the tests whose name contains one of the texts and none of those to skip.
  --native         on the hosted kernel, the module linked into this program (the default)
  --module FILE    on the hosted kernel, this kernel module
  --json           one JSON object for each test, instead of a line of text
  --list           only say which tests there are
  --rounds N       N rounds of sockets that come and go, by P processes (4; threads on the hosted kernel) at once; fails
                   if something of netgraph's stays allocated
  --sockets-only   in these rounds, no nodes but those of sockets
On FreeBSD the tests are of the running kernel, and need root.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Job {
    /// Say which tests there are.
    List,
    /// Say which system it is.
    Name,
    /// Run tests, each in a process of its own.
    All,
    /// Run so many rounds of the storm.
    Rounds(u32),
    /// Run this test, in this process.
    One(String),
    /// Run what a test needs done in this process, with this argument.
    Probe(String, String),
}

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// What to do.
    pub job: Job,
    /// How to say it.
    pub format: Format,
    /// The module that the hosted kernel loads; none for the one that is linked into this program.
    pub subject: Option<PathBuf>,
    /// How many processes share the rounds.
    pub processes: u32,
    /// Which nodes there are in the rounds.
    pub nodes: Nodes,
    skip: Vec<String>,
    only: Vec<String>,
}

impl Options {
    /// Reads the command line.
    pub fn new(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            job: Job::All,
            format: Format::Text,
            subject: None,
            processes: 4,
            nodes: Nodes::All,
            skip: Vec::new(),
            only: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--list" => options.job = Job::List,
                "--json" => options.format = Format::Json,
                "--native" => options.subject = None,
                "--module" => options.subject = Some(value()?.into()),
                "--skip" => options.skip.push(value()?),
                "--rounds" => options.job = Job::Rounds(number(&value()?)?),
                "--processes" => options.processes = number(&value()?)?,
                "--sockets-only" => options.nodes = Nodes::OfSockets,
                "--name" => options.job = Job::Name,
                "--run" => options.job = Job::One(value()?),
                "--probe" => options.job = Job::Probe(value()?, value()?),
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ => options.only.push(argument),
            }
        }
        Ok(options)
    }

    /// The tests asked for.
    pub fn tests(&self) -> impl Iterator<Item = &'static Test> {
        tests::all().filter(|test| self.wants(test))
    }

    fn wants(&self, test: &Test) -> bool {
        let is_in = |text: &String| test.name.contains(text.as_str());
        (self.only.is_empty() || self.only.iter().any(is_in)) && !self.skip.iter().any(is_in)
    }
}

/// A number of at least 1.
fn number(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{text} is no number of at least 1"))
}

#[cfg(test)]
mod check {
    use super::*;

    fn options(line: &str) -> Result<Options, String> {
        Options::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn texts_choose_tests_and_skip_excludes_them() {
        let chosen = options("b14 --skip empty").unwrap();
        let names: Vec<_> = chosen.tests().map(|test| test.name).collect();
        assert!(names.contains(&"b14_short_message_is_einval"), "{names:?}");
        assert!(
            names
                .iter()
                .all(|name| name.starts_with("b14_") && !name.contains("empty"))
        );
    }

    #[test]
    fn rounds_may_be_of_sockets_alone() {
        let chosen = options("--rounds 9 --processes 2 --sockets-only").unwrap();
        assert_eq!(
            (&chosen.job, chosen.processes, chosen.nodes),
            (&Job::Rounds(9), 2, Nodes::OfSockets)
        );
        assert_eq!(options("--rounds 9").unwrap().nodes, Nodes::All);
    }

    #[test]
    fn what_is_unknown_or_incomplete_is_refused() {
        assert!(options("--no-such-option").is_err());
        assert!(options("--module").is_err());
        assert!(options("--rounds 0").is_err());
    }
}
