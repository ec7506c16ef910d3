//! What verbs work on: ng's own node, and where output goes.

use std::io::{self, Write};

use netgraph::{Address, NodeName, Request, Socket, Transport};
use serde::Serialize;

use crate::explain;
use crate::failure::{Failure, Result};
use crate::host::Host;
use crate::program::Program;
use crate::state::State;
use crate::table::Style;
use crate::trace::Level;

/// How a session begins.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The name of ng's own node, if it is to have one.
    pub name: Option<NodeName>,
    /// Whether output is JSON.
    pub json: bool,
    /// How output looks that is not JSON.
    pub style: Style,
    /// Which program speaks.
    pub program: Program,
    /// How much is told of what is sent and received.
    pub level: Level,
    /// What is remembered between runs.
    pub state: State,
}

/// ng's own node, and where output goes.
pub struct Session<T: Transport> {
    /// The node's sockets.
    pub socket: Socket<T>,
    /// Whether output is JSON.
    pub json: bool,
    /// How output looks that is not JSON.
    pub style: Style,
    /// Which program speaks.
    pub program: Program,
    /// How much is told of what is sent and received.
    pub level: Level,
    /// Whether `quit` was said.
    pub over: bool,
    /// How many files are being read, one from within the other.
    pub depth: u8,
    /// What is remembered between runs.
    pub state: State,
    /// The machine around the kernel.
    pub host: Box<dyn Host + Send>,
    out: Box<dyn Write + Send>,
}

/// What was done, in JSON.
#[derive(Serialize)]
struct Done<'a, V> {
    done: &'a str,
    #[serde(flatten)]
    what: &'a V,
}

impl<T: Transport> Session<T> {
    /// Makes the node; output goes to standard output.
    pub fn open(transport: T, host: Box<dyn Host + Send>, setup: Setup) -> Result<Self> {
        let out = Box::new(io::BufWriter::new(io::stdout()));
        Self::with_output(transport, host, setup, out)
    }

    /// The same with output elsewhere.
    pub fn with_output(
        transport: T,
        host: Box<dyn Host + Send>,
        setup: Setup,
        out: Box<dyn Write + Send>,
    ) -> Result<Self> {
        let name = setup.name.as_ref();
        let socket = Socket::open_on(transport, name).map_err(explain::opening)?;
        Ok(Self {
            socket,
            json: setup.json,
            style: setup.style,
            program: setup.program,
            level: setup.level,
            state: setup.state,
            over: false,
            depth: 0,
            host,
            out,
        })
    }

    /// Sends output elsewhere from now on, and returns where it went.
    pub fn redirect(&mut self, out: Box<dyn Write + Send>) -> Box<dyn Write + Send> {
        std::mem::replace(&mut self.out, out)
    }

    /// Sends a generic message; a refusal is explained.
    pub fn request<R: Request>(&mut self, to: &Address, request: &R) -> Result<R::Reply> {
        let result = self.socket.request(to, request);
        result.map_err(|error| explain::refusal(&mut self.socket, error))
    }

    /// Prints the value as JSON, or else what `text` makes of it.
    pub fn print<V: Serialize>(
        &mut self,
        value: &V,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        if self.json {
            let write = |error: serde_json::Error| Failure::from(io::Error::from(error));
            serde_json::to_writer(&mut self.out, value).map_err(write)?;
            writeln!(self.out)?;
        } else {
            text(&mut self.out)?;
        }
        self.out.flush()?;
        Ok(())
    }

    /// Prints text, whatever the form of output.
    pub fn say(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// Tells what was done, which only JSON does; `what` is an object.
    pub fn done<V: Serialize>(&mut self, done: &str, what: &V) -> Result<()> {
        self.print(&Done { done, what }, |_| Ok(()))
    }

    /// Tells something on standard error that is no failure. The programs that ng replaces keep silent there.
    pub fn note(&self, text: &str) {
        if self.program == Program::Ng {
            tell!("ng: {text}");
        }
    }
}

#[cfg(test)]
pub mod tests {
    use netgraph::fake::Fake;

    use super::*;
    use crate::host::fake::Machine;

    /// A session on a kernel in memory that prints to `out`; what it remembers is forgotten with the test's thread.
    pub fn session(fake: Fake, json: bool, out: Box<dyn Write + Send>) -> Session<Fake> {
        let host = Machine::of(&format!("{:p}", fake.place()));
        let setup = Setup {
            json,
            ..setup("ng1", State::new(folder()))
        };
        let opened = Session::with_output(fake, Box::new(host), setup, out);
        opened.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// How a session begins.
    pub fn setup(name: &str, state: State) -> Setup {
        Setup {
            name: Some(name.parse().expect("a good name")),
            json: false,
            style: Style::Plain,
            program: Program::Ng,
            level: Level::default(),
            state,
        }
    }

    fn folder() -> std::path::PathBuf {
        thread_local! {
            static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
        }
        FOLDER.with(|folder| folder.path().to_owned())
    }
}
