//! The command line.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use netgraph::{NodeName, Transport};

use crate::failure::{Failure, Result};
use crate::guard;
use crate::invocation::{Invocation, Task};
use crate::jail;
use crate::program::Program;
use crate::session::Session;
use crate::table::Style;
use crate::verbs::{
    apply, complete, completions, config, confirm, connect, debug, destroy, diff, dot, dump, help, hook, interfaces,
    list, manual, mermaid, mkpeer, msg, name, plan, quit, read, rmhook, show, shutdown, status, svg, tap, trace_node,
    types, validate, watch, write,
};
use crate::words;

/// See and change the netgraph(4) graph
///
/// ng does what ngctl(8) and nghook(8) do, with the same words, and makes the graph that a file declares. Commands may be
/// shortened as long as they stay unambiguous.
///
/// PATH is the address of a node: `name:`, `[id]:` with the ID in hexadecimal, or `.:` for ng's own node; hooks behind the
/// colon lead further (`em0:lower.right`). A path without a colon starts at ng's own node.
///
/// Without a command, commands are asked for on a terminal, and read from standard input, one per line, elsewhere.
#[derive(Debug, Parser)]
#[command(
    name = "ng",
    version,
    infer_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = EXIT_STATUS
)]
pub struct Opt {
    /// Print JSON instead of text; errors are JSON, too
    #[arg(long, global = true)]
    json: bool,

    /// Print tables, as on a terminal, wherever output goes
    #[arg(long, global = true, conflicts_with = "json")]
    table: bool,

    /// Print in ngctl's form, as elsewhere, on a terminal, too
    #[arg(long, global = true, conflicts_with_all = ["json", "table"])]
    plain: bool,

    /// Tell on standard error what is sent and received; twice: with its bytes
    #[arg(short = 'd', long, global = true, action = clap::ArgAction::Count)]
    debug: u8,

    /// Work on the hosted kernel that hostkernd serves at this Unix socket
    #[cfg(not(target_os = "freebsd"))]
    #[arg(long, global = true, value_name = "SOCKET", env = "NG_HOSTED")]
    hosted: Option<PathBuf>,

    /// Where ng remembers what it made; on FreeBSD /var/db/ng, and beside the socket of a hosted kernel
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Work on the netgraph of a jail that has a network stack of its own (vnet), from outside
    ///
    /// A graph that says `jail: NAME` is that jail's without this option.
    #[arg(long, global = true, value_name = "NAME")]
    jail: Option<String>,

    /// Name of ng's own node
    ///
    /// Without it, the node is called ng and the number of the process.
    #[arg(short = 'n', long, value_name = "NAME")]
    node_name: Option<NodeName>,

    /// Run the commands in FILE, one per line, by one and the same node of ng; - is standard input
    ///
    /// Empty lines and lines that start with # are left out. The first command that fails ends it.
    #[arg(short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

pub const EXIT_STATUS: &str = "\
Exit status:
  0   done
  1   plan, diff, apply --dry-run: the live graph is not as declared
  64  the command line is wrong
  65  the graph file is wrong
  66  a file cannot be read
  69  this kernel has no netgraph sockets
  71  the kernel or a node refused
  73  what ng remembers cannot be written
  74  a packet or output could not be read or written
  75  nothing came in the time given, or another ng is changing the graph
  77  not permitted; ng needs root";

/// What can be said on the command line, in a file, and at the prompt.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Verb(Verb),
    Hook(hook::Hook),
    Validate(validate::Validate),
    #[command(visible_alias = "source", alias = ".")]
    Read(read::Read),
    Tap(tap::Tap),
    #[command(name = tap::guardian::COMMAND, hide = true)]
    TapGuardian(tap::guardian::Guard),
    #[command(hide = true)]
    Interfaces(interfaces::Interfaces),
    #[command(hide = true)]
    JailAgent(jail::agent::Agent),
    #[command(hide = true)]
    Completions(completions::Completions),
    #[command(hide = true)]
    Manual(manual::Manual),
    #[command(hide = true, name = "__complete")]
    Complete(complete::Complete),
}

/// What works on any kernel, also one that has no descriptors to wait for.
#[derive(Debug, Subcommand)]
pub enum Verb {
    #[command(visible_alias = "ls")]
    List(list::List),
    #[command(visible_aliases = ["inquire", "info"])]
    Show(show::Show),
    Types(types::Types),
    Dot(dot::Dot),
    Mermaid(mermaid::Mermaid),
    Svg(svg::Svg),
    Mkpeer(mkpeer::Mkpeer),
    #[command(visible_alias = "join")]
    Connect(connect::Connect),
    #[command(visible_alias = "disconnect")]
    Rmhook(rmhook::Rmhook),
    Name(name::Name),
    #[command(visible_aliases = ["kill", "rmnode"])]
    Shutdown(shutdown::Shutdown),
    #[command(visible_alias = "cmd")]
    Msg(msg::Msg),
    Status(status::Status),
    Config(config::Config),
    #[command(visible_alias = "w")]
    Write(write::Write),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Confirm(confirm::Confirm),
    Diff(diff::Diff),
    Dump(dump::Dump),
    Destroy(destroy::Destroy),
    #[command(hide = true, name = guard::COMMAND)]
    Guard(guard::Wait),
    Watch(watch::Watch),
    Trace(trace_node::Trace),
    Debug(debug::Debug),
    #[command(visible_alias = "?")]
    Help(help::Help),
    #[command(visible_alias = "exit")]
    Quit(quit::Quit),
}

impl Opt {
    /// What the arguments ask for.
    pub fn invocation(arguments: impl IntoIterator<Item = OsString>) -> clap::error::Result<Invocation> {
        let opt: Self = words::parse(arguments)?;
        let style = opt.style();
        let task = match (opt.command, opt.file) {
            (Some(_), Some(_)) => {
                let text = "-f FILE and a command exclude each other";
                return Err(words::grammar::<Self>().error(clap::error::ErrorKind::ArgumentConflict, text));
            }
            (Some(command), None) => Task::Command(command),
            (None, Some(file)) => Task::File(file),
            (None, None) if io::stdin().is_terminal() => Task::Typed,
            (None, None) => Task::File("-".into()),
        };
        Ok(Invocation {
            program: Program::Ng,
            json: opt.json,
            style,
            level: opt.debug,
            #[cfg(not(target_os = "freebsd"))]
            hosted: opt.hosted,
            jail: opt.jail,
            state: opt.state,
            node_name: opt.node_name,
            task,
        })
    }

    fn style(&self) -> Style {
        match (self.table, self.plain) {
            (true, _) => Style::table(),
            (_, true) => Style::Plain,
            _ => Style::fitting(),
        }
    }
}

impl Command {
    /// Does it if it needs no kernel.
    pub fn run_alone(&self, json: bool) -> Option<Result<()>> {
        match self {
            Self::Validate(verb) => Some(verb.run(json)),
            Self::Completions(verb) => Some(verb.run()),
            Self::Manual(verb) => Some(verb.run()),
            Self::JailAgent(verb) => Some(verb.run()),
            Self::Verb(verb) => verb.run_offline(json),
            _ => None,
        }
    }

    /// Finds what is wrong without asking the kernel.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Verb(verb) => verb.check(),
            _ => Ok(()),
        }
    }

    /// Does it.
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        match self {
            Self::Verb(verb) => verb.run(session),
            Self::Hook(verb) => verb.run(session),
            Self::Tap(verb) => verb.run(session),
            Self::TapGuardian(verb) => verb.run(session),
            Self::Read(verb) => verb.run(session),
            alone => alone.run_alone(session.json).unwrap_or_else(|| {
                let text = "this works on the command line only";
                Err(Failure::Usage(text.to_owned()))
            }),
        }
    }
}

impl Verb {
    /// Does it without a kernel, if that is how it is asked for.
    fn run_offline(&self, json: bool) -> Option<Result<()>> {
        match self {
            Self::Dot(verb) => verb.run_offline(json),
            Self::Mermaid(verb) => verb.run_offline(json),
            Self::Svg(verb) => verb.run_offline(json),
            _ => None,
        }
    }

    /// The jail that the graph to be worked on is for.
    pub fn jail(&self) -> Result<Option<String>> {
        match self {
            Self::Plan(verb) => verb.jail(),
            Self::Apply(verb) => verb.jail(),
            Self::Diff(verb) => verb.jail(),
            Self::Destroy(verb) => verb.jail(),
            _ => Ok(None),
        }
    }

    /// Finds what is wrong without asking the kernel.
    fn check(&self) -> Result<()> {
        match self {
            Self::Mkpeer(verb) => verb.check(),
            Self::Connect(verb) => verb.check(),
            Self::Rmhook(verb) => verb.check(),
            Self::Plan(verb) => verb.check(),
            Self::Apply(verb) => verb.check(),
            Self::Diff(verb) => verb.check(),
            Self::Destroy(verb) => verb.check(),
            _ => Ok(()),
        }
    }

    /// Does it.
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        match self {
            Self::List(verb) => verb.run(session),
            Self::Show(verb) => verb.run(session),
            Self::Types(verb) => verb.run(session),
            Self::Dot(verb) => verb.run(session),
            Self::Mermaid(verb) => verb.run(session),
            Self::Svg(verb) => verb.run(session),
            Self::Mkpeer(verb) => verb.run(session),
            Self::Connect(verb) => verb.run(session),
            Self::Rmhook(verb) => verb.run(session),
            Self::Name(verb) => verb.run(session),
            Self::Shutdown(verb) => verb.run(session),
            Self::Msg(verb) => verb.run(session),
            Self::Status(verb) => verb.run(session),
            Self::Config(verb) => verb.run(session),
            Self::Write(verb) => verb.run(session),
            Self::Plan(verb) => verb.run(session),
            Self::Apply(verb) => verb.run(session),
            Self::Confirm(verb) => verb.run(session),
            Self::Diff(verb) => verb.run(session),
            Self::Dump(verb) => verb.run(session),
            Self::Guard(verb) => verb.run(session),
            Self::Watch(verb) => verb.run(session),
            Self::Trace(verb) => verb.run(session),
            Self::Destroy(verb) => verb.run(session),
            Self::Debug(verb) => verb.run(session),
            Self::Help(verb) => verb.run(session),
            Self::Quit(verb) => verb.run(session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        words::grammar::<Opt>().debug_assert();
    }

    #[test]
    fn ngctls_words_are_understood() {
        for line in [
            "ng list -ln",
            "ng ls",
            "ng dot",
            "ng dot em0:lower",
            "ng show -n em0:",
            "ng mkpeer tee a b",
            "ng mkpeer em0: tee lower left",
            "ng connect em0: x: a b",
            "ng rmhook lower",
            "ng msg em0: setpromisc -1",
            "ng w hook 0x10 -1 7",
            "ng write hook -f file",
            "ng hook -an em0: lower",
            "ng sho em0:",
            "ng -f -",
            "ng apply --json x.yaml",
            "ng --jail j1 list",
            "ng jail-agent 3",
            "ng interfaces x.yaml",
        ] {
            let parsed = words::parse::<Opt>(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
        for line in ["ng show", "ng s x", "ng show a..b", "ng name em0: a.b", "ng write x"] {
            assert!(words::parse::<Opt>(line.split(' ')).is_err(), "{line}");
        }
    }
}
