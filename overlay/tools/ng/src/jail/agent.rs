//! The process that is in the jail.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use clap::Args;
use netgraph::{Endpoint, Errno, KernelSocket, Protocol};

use super::wire::{self, Order};
use crate::failure::{Failure, Result};
use crate::host;

/// Enter a jail and do what comes by standard input, a socket
#[derive(Debug, Args)]
pub struct Agent {
    /// The jail's number
    #[arg(value_name = "JID")]
    number: i32,
}

impl Agent {
    pub fn run(&self) -> Result<()> {
        let failed = |what| move |error| Failure::Io { what, error };
        let stream = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(failed("no connection"))?;
        host::enter_jail(self.number).map_err(failed("could not enter the jail"))?;
        serve(&stream.into(), KernelSocket::new).map_err(failed("the connection was lost"))
    }
}

/// Does what is ordered until the other side is gone.
pub fn serve(stream: &UnixStream, open: impl Fn(Protocol) -> Result<KernelSocket, Errno>) -> io::Result<()> {
    let mut sockets = HashMap::new();
    let mut made = 0;
    while let Some(order) = Order::read(stream)? {
        match order {
            Order::Open(protocol) => match open(protocol) {
                Ok(socket) => {
                    wire::write_reply(stream, Ok(Some(socket.as_fd())))?;
                    sockets.insert(made, socket);
                    made += 1;
                }
                Err(error) => wire::write_reply(stream, Err(error))?,
            },
            Order::Send { socket, to, bytes } => {
                let socket = sockets.get(&socket).ok_or(Errno::EBADF);
                let sent = socket.and_then(|socket| socket.send(&bytes, to.as_deref()));
                wire::write_reply(stream, sent.map(|()| None))?;
            }
            Order::Close(socket) => {
                let closed = sockets.remove(&socket).map(drop).ok_or(Errno::EBADF);
                wire::write_reply(stream, closed.map(|()| None))?;
            }
        }
    }
    Ok(())
}
