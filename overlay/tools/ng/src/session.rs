//! What verbs work on: ng's own node, and where output goes.

use std::io::{self, Write};

use netgraph::{Address, NodeName, Request, Socket, Transport};
use serde::Serialize;

use crate::explain;
use crate::failure::{Failure, Result};
use crate::host::Host;

/// ng's own node, and where output goes.
pub struct Session<T: Transport> {
    /// The node's sockets.
    pub socket: Socket<T>,
    /// Whether output is JSON.
    pub json: bool,
    /// The machine around the kernel.
    pub host: Box<dyn Host>,
    out: Box<dyn Write>,
}

impl<T: Transport> Session<T> {
    /// Makes the node; output goes to standard output.
    pub fn open(transport: T, host: Box<dyn Host>, name: &NodeName, json: bool) -> Result<Self> {
        let socket = Socket::open_on(transport, Some(name)).map_err(explain::opening)?;
        let out = Box::new(io::BufWriter::new(io::stdout()));
        Ok(Self {
            socket,
            json,
            host,
            out,
        })
    }

    /// The same with output elsewhere.
    #[cfg(test)]
    pub fn with_output(transport: T, json: bool, out: Box<dyn Write>) -> Self {
        let name: NodeName = "ng1".parse().expect("a good name");
        let socket = Socket::open_on(transport, Some(&name)).expect("a kernel in memory");
        let host = Box::new(crate::host::fake::Machine::default());
        Self {
            socket,
            json,
            host,
            out,
        }
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
