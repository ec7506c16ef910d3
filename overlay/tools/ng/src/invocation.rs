//! What a command line asks for, whichever program it was written for, and how it is carried out.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
#[cfg(not(target_os = "freebsd"))]
use std::path::Path;
use std::path::PathBuf;

#[cfg(not(target_os = "freebsd"))]
use netgraph::hosted::Hosted;
use netgraph::{Kernel, NodeName, Transport};

use crate::cli::Command;
use crate::failure::{Failure, Result};
use crate::host::{self, Host};
#[cfg(not(target_os = "freebsd"))]
use crate::hosted;
use crate::interactive;
use crate::jail::InJail;
use crate::program::Program;
use crate::script;
use crate::session::{Session, Setup};
use crate::state::State;
use crate::table::Style;
use crate::trace::{Level, Traced};

/// What a command line asks for.
#[derive(Debug)]
pub struct Invocation {
    /// Which program it is written for.
    pub program: Program,
    /// Whether output is JSON.
    pub json: bool,
    /// How output looks that is not JSON.
    pub style: Style,
    /// How much is told of what is sent and received.
    pub level: u8,
    /// The hosted kernel's socket, unless the running kernel is meant.
    #[cfg(not(target_os = "freebsd"))]
    pub hosted: Option<PathBuf>,
    /// The jail whose netgraph is meant, if one was named.
    pub jail: Option<String>,
    /// Where ng remembers what it made, if that was said.
    pub state: Option<PathBuf>,
    /// The name of the own node; without it, it is called as the program and the number of the process.
    pub node_name: Option<NodeName>,
    /// What is to be done.
    pub task: Task,
}

/// What is to be done.
#[derive(Debug)]
pub enum Task {
    /// One command.
    Command(Command),
    /// One command of ngctl's, in words.
    Words(Vec<String>),
    /// The lines of a file.
    File(PathBuf),
    /// The lines that somebody types.
    Typed,
}

impl Invocation {
    /// Does what the command line says.
    pub fn run(self) -> Result<()> {
        if let Task::Command(command) = &self.task
            && let Some(result) = command.run_alone(self.json)
        {
            return result;
        }
        #[cfg(not(target_os = "freebsd"))]
        if let Some(path) = self.hosted.clone() {
            if self.jail()?.is_some() {
                return Err(Failure::Usage("a hosted kernel has no jails".to_owned()));
            }
            return self.run_hosted(&path);
        }
        match self.jail()? {
            None => self.run_on(Kernel, Box::new(host::FreeBsd::default())),
            Some(name) => {
                let inside = InJail::enter(host::jail_number(&name)?)?;
                self.run_on(inside, Box::new(host::FreeBsd::in_jail(&name)))
            }
        }
    }

    /// The jail that is asked for, or that the graph says it is for.
    fn jail(&self) -> Result<Option<String>> {
        let declared = match &self.task {
            Task::Command(Command::Verb(verb)) => verb.jail()?,
            _ => None,
        };
        match (&self.jail, declared) {
            (Some(asked), Some(declared)) if *asked != declared => Err(Failure::Usage(format!(
                "the graph is for the jail {declared}, and --jail says {asked}"
            ))),
            (asked, declared) => Ok(asked.clone().or(declared)),
        }
    }

    /// Where ng remembers what it made.
    fn state(&self) -> Result<State> {
        if let Some(folder) = &self.state {
            return Ok(State::new(folder));
        }
        #[cfg(not(target_os = "freebsd"))]
        if let Some(path) = &self.hosted {
            let mut folder = path.clone().into_os_string();
            folder.push(".state");
            return Ok(State::new(folder));
        }
        let folder = PathBuf::from("/var/db/ng");
        Ok(State::new(match self.jail()? {
            None => folder,
            Some(jail) => folder.join("jails").join(jail),
        }))
    }

    #[cfg(not(target_os = "freebsd"))]
    fn run_hosted(self, path: &Path) -> Result<()> {
        if let Task::Command(Command::Hook(hook)) = &self.task {
            hook.check_hosted()?;
        }
        let result = self.run_on(Hosted::new(path), Box::new(host::Hosted(path.to_owned())));
        result.map_err(|failure| hosted::explain(failure, path))
    }

    /// The same, on a kernel.
    fn run_on<T: Transport + Send>(self, transport: T, host: Box<dyn Host + Send>) -> Result<()>
    where
        T::Endpoint: AsFd + Send,
    {
        if let Task::Command(Command::Interfaces(interfaces)) = &self.task {
            return interfaces.run(&*host, &self.state()?, self.json);
        }
        let setup = self.setup()?;
        let open = || Session::open(Traced::new(transport, setup.level.clone()), host, setup);
        let runner = |command: &Command, session: &mut Session<Traced<T>>| command.run(session);
        match self.task {
            Task::Command(Command::Complete(complete)) => complete.run(open().ok()),
            Task::Command(command) => {
                command.check()?;
                command.run(&mut open()?)
            }
            Task::Words(words) => {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                script::run_words(&mut open()?, &words, &runner)
            }
            Task::File(file) => script::run_file(&mut open()?, &file, &runner),
            Task::Typed => {
                check_terminal()?;
                interactive::run(open()?)
            }
        }
    }

    fn setup(&self) -> Result<Setup> {
        let name = match (&self.node_name, self.program) {
            (Some(name), _) => Some(name.clone()),
            (None, Program::Nghook) => None,
            (None, program) => {
                let name = format!("{}{}", program.name(), std::process::id());
                Some(name.parse().map_err(netgraph::Error::from)?)
            }
        };
        Ok(Setup {
            name,
            json: self.json,
            style: self.style,
            program: self.program,
            state: self.state()?,
            level: Level::new(self.level),
        })
    }
}

fn check_terminal() -> Result<()> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    let text =
        "no command is given, and there is no terminal to ask for one\n  hint: `-f FILE` runs the commands in a file";
    Err(Failure::Usage(text.to_owned()))
}
