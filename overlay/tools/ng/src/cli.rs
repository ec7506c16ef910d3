//! The command line.

use std::os::fd::AsFd;
#[cfg(not(target_os = "freebsd"))]
use std::path::Path;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
#[cfg(not(target_os = "freebsd"))]
use netgraph::hosted::Hosted;
use netgraph::{Kernel, NodeName, Transport};

use crate::failure::{Failure, Result};
use crate::host::{self, Host};
#[cfg(not(target_os = "freebsd"))]
use crate::hosted;
use crate::jail::{self, InJail};
use crate::script;
use crate::session::Session;
use crate::trace::Traced;
use crate::verbs::{
    apply, config, connect, destroy, dot, hook, interfaces, list, mkpeer, msg, name, rmhook, show, shutdown, status,
    types, validate, write,
};

/// See and change the netgraph(4) graph
///
/// ng does what ngctl(8) and nghook(8) do, with the same words, and makes the graph that a file declares. Commands may be
/// shortened as long as they stay unambiguous.
///
/// PATH is the address of a node: `name:`, `[id]:` with the ID in hexadecimal, or `.:` for ng's own node; hooks behind the
/// colon lead further (`em0:lower.right`). A path without a colon starts at ng's own node.
#[derive(Debug, Parser)]
#[command(name = "ng", version, infer_subcommands = true, max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Opt {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,

    /// Tell on standard error what is sent and received; twice: with its bytes
    #[arg(short = 'd', long, global = true, action = clap::ArgAction::Count)]
    debug: u8,

    /// Work on the hosted kernel that hostkernd serves at this Unix socket
    #[cfg(not(target_os = "freebsd"))]
    #[arg(long, global = true, value_name = "SOCKET", env = "NG_HOSTED")]
    hosted: Option<PathBuf>,

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

const EXIT_STATUS: &str = "\
Exit status:
  0   done
  1   apply --dry-run: something is missing from the live graph
  64  the command line is wrong
  65  the graph file is wrong
  66  a file cannot be read
  69  this kernel has no netgraph sockets
  71  the kernel or a node refused
  74  a packet or output could not be read or written
  75  nothing came in the time given
  77  not permitted; ng needs root";

#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Verb(Verb),
    Hook(hook::Hook),
    Validate(validate::Validate),
    #[command(hide = true)]
    Interfaces(interfaces::Interfaces),
    #[command(hide = true)]
    JailAgent(jail::agent::Agent),
}

/// What works on any kernel, also as a line of a file.
#[derive(Debug, Subcommand)]
pub enum Verb {
    #[command(visible_alias = "ls")]
    List(list::List),
    #[command(visible_aliases = ["inquire", "info"])]
    Show(show::Show),
    Types(types::Types),
    Dot(dot::Dot),
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
    Apply(apply::Apply),
    Destroy(destroy::Destroy),
}

impl Opt {
    /// Does what the command line says.
    pub fn run(&self) -> Result<()> {
        #[cfg(not(target_os = "freebsd"))]
        if let Some(path) = &self.hosted {
            if self.jail()?.is_some() {
                return Err(Failure::Usage("a hosted kernel has no jails".to_owned()));
            }
            return self.run_hosted(path);
        }
        match self.jail()? {
            None => self.run_on(Kernel, &|| Box::new(host::FreeBsd::default())),
            Some(name) => {
                let inside = InJail::enter(host::jail_number(&name)?)?;
                self.run_on(inside, &|| Box::new(host::FreeBsd::in_jail(&name)))
            }
        }
    }

    /// The jail that is asked for, or that the graph says it is for.
    fn jail(&self) -> Result<Option<String>> {
        let declared = match &self.command {
            Some(Command::Verb(verb)) => verb.jail()?,
            _ => None,
        };
        match (&self.jail, declared) {
            (Some(asked), Some(declared)) if *asked != declared => Err(Failure::Usage(format!(
                "the graph is for the jail {declared}, and --jail says {asked}"
            ))),
            (asked, declared) => Ok(asked.clone().or(declared)),
        }
    }

    #[cfg(not(target_os = "freebsd"))]
    fn run_hosted(&self, path: &Path) -> Result<()> {
        if let Some(Command::Hook(hook)) = &self.command {
            hook.check_hosted()?;
        }
        let result = self.run_on(Hosted::new(path), &|| Box::new(host::Hosted(path.to_owned())));
        result.map_err(|failure| hosted::explain(failure, path))
    }

    /// The same, on a kernel.
    fn run_on<T: Transport>(&self, transport: T, host: &dyn Fn() -> Box<dyn Host>) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        match (&self.command, &self.file) {
            (Some(_), Some(_)) => Err(Failure::Usage("-f FILE and a command exclude each other".to_owned())),
            (None, None) => Err(Failure::Usage("no command is given; `ng help` lists them".to_owned())),
            (None, Some(file)) => {
                let text = script::read(file)?;
                script::run(&mut self.open(transport, host())?, file, &text)
            }
            (Some(Command::Validate(command)), None) => command.run(self.json),
            (Some(Command::Interfaces(command)), None) => command.run(&*host(), self.json),
            (Some(Command::JailAgent(agent)), None) => agent.run(),
            (Some(Command::Hook(hook)), None) => hook.run(self.open(transport, host())?),
            (Some(Command::Verb(verb)), None) => {
                verb.check()?;
                verb.run(&mut self.open(transport, host())?)
            }
        }
    }

    /// Makes ng's own node.
    fn open<T: Transport>(&self, transport: T, host: Box<dyn Host>) -> Result<Session<Traced<T>>> {
        let name = match &self.node_name {
            Some(name) => name.clone(),
            None => format!("ng{}", std::process::id())
                .parse()
                .map_err(netgraph::Error::from)?,
        };
        Session::open(Traced::new(transport, self.debug), host, &name, self.json)
    }
}

impl Verb {
    /// Finds what is wrong without asking the kernel.
    fn check(&self) -> Result<()> {
        match self {
            Self::Apply(verb) => verb.check(),
            Self::Destroy(verb) => verb.check(),
            _ => Ok(()),
        }
    }

    /// The jail that the graph to be worked on is for.
    fn jail(&self) -> Result<Option<String>> {
        let file = match self {
            Self::Apply(verb) => verb.file(),
            Self::Destroy(verb) => verb.file(),
            _ => return Ok(None),
        };
        Ok(validate::read(file)?.jail().map(str::to_owned))
    }

    /// Does it.
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        match self {
            Self::List(verb) => verb.run(session),
            Self::Show(verb) => verb.run(session),
            Self::Types(verb) => verb.run(session),
            Self::Dot(verb) => verb.run(session),
            Self::Mkpeer(verb) => verb.run(session),
            Self::Connect(verb) => verb.run(session),
            Self::Rmhook(verb) => verb.run(session),
            Self::Name(verb) => verb.run(session),
            Self::Shutdown(verb) => verb.run(session),
            Self::Msg(verb) => verb.run(session),
            Self::Status(verb) => verb.run(session),
            Self::Config(verb) => verb.run(session),
            Self::Write(verb) => verb.run(session),
            Self::Apply(verb) => verb.run(session),
            Self::Destroy(verb) => verb.run(session),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Opt::command().debug_assert();
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
            let parsed = Opt::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
        for line in [
            "ng show",
            "ng mkpeer a b",
            "ng s x",
            "ng show a..b",
            "ng name em0: a.b",
            "ng write x",
        ] {
            assert!(Opt::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
