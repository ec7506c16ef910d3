//! What verbs work on: ng's own node, and where output goes.

use std::io::{self, Write};

use netgraph::{Address, NodeName, Request, Socket, Transport};
use serde::Serialize;

use crate::explain;
use crate::failure::{Failure, Result};
use crate::host::Host;
use crate::state::State;

/// ng's own node, and where output goes.
pub struct Session<T: Transport> {
    /// The node's sockets.
    pub socket: Socket<T>,
    /// Whether output is JSON.
    pub json: bool,
    /// The machine around the kernel.
    pub host: Box<dyn Host>,
    /// What is remembered between runs.
    pub state: State,
    out: Box<dyn Write>,
}

impl<T: Transport> Session<T> {
    /// Makes the node; output goes to standard output.
    pub fn open(transport: T, host: Box<dyn Host>, name: &NodeName, json: bool, state: State) -> Result<Self> {
        let socket = Socket::open_on(transport, Some(name)).map_err(explain::opening)?;
        let out = Box::new(io::BufWriter::new(io::stdout()));
        Ok(Self {
            socket,
            json,
            host,
            state,
            out,
        })
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
}

#[cfg(test)]
impl Session<netgraph::fake::Fake> {
    /// On a kernel in memory, with output elsewhere; what is remembered is forgotten with the test's thread.
    pub fn with_output(fake: netgraph::fake::Fake, json: bool, out: Box<dyn Write>) -> Self {
        thread_local! {
            static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
        }
        let name: NodeName = "ng1".parse().expect("a good name");
        let host = Box::new(crate::host::fake::Machine::of(&format!("{:p}", fake.place())));
        let socket = Socket::open_on(fake, Some(&name)).expect("a kernel in memory");
        Self {
            socket,
            json,
            host,
            state: State::new(FOLDER.with(|folder| folder.path().to_owned())),
            out,
        }
    }
}
