//! The data side of a socket: packets.

use std::time::Instant;

use super::{ROOM, Socket, receive_before};
use crate::address::Address;
use crate::errno::Errno;
use crate::error::{Error, Operation, Result};
use crate::names::HookName;
use crate::request::{GetNodeInfo, ListHooks};
use crate::transport::{Endpoint, Protocol, Received, Transport};

impl<T: Transport> Socket<T> {
    /// The data socket, opened and attached to the own node at its first use.
    fn data(&mut self) -> Result<&T::Endpoint> {
        if self.data.is_none() {
            self.data = Some(self.attached()?);
        }
        Ok(self.data.as_ref().unwrap_or_else(|| unreachable!("it was set above")))
    }

    fn attached(&mut self) -> Result<T::Endpoint> {
        let own = self.request(&Address::here(), &GetNodeInfo)?.address();
        let refused = |operation, errno| Error::Refused {
            operation,
            path: own.to_string(),
            errno,
        };
        let data = self
            .transport
            .open(Protocol::Data)
            .map_err(|errno| refused(Operation::Open, errno))?;
        data.reserve(ROOM).map_err(|errno| refused(Operation::Open, errno))?;
        data.connect(own.as_str())
            .map_err(|errno| refused(Operation::Attach, errno))?;
        Ok(data)
    }

    /// Opens the data socket now. Packets that arrive before there is one are dropped.
    ///
    /// # Errors
    /// It cannot be opened or attached.
    pub fn open_data(&mut self) -> Result<()> {
        self.data().map(drop)
    }

    /// Sends one packet out of a hook of the own node; without a hook, out of the only one.
    ///
    /// FreeBSD's own module does the latter only for a hook that was connected after [`open_data`](Self::open_data); the hook
    /// of any other packet is looked up first. It takes hooks with names of at most 30 bytes.
    ///
    /// # Errors
    /// There is no such hook (EHOSTUNREACH), or several and none was named (EDESTADDRREQ).
    pub fn send_data(&mut self, hook: Option<&HookName>, packet: &[u8]) -> Result<()> {
        let mut sent = self.data()?.send(packet, hook.map(HookName::as_str));
        if sent == Err(Errno::EDESTADDRREQ) && hook.is_none() {
            let own = self.request(&Address::here(), &ListHooks)?;
            if let [only] = own.links.as_slice() {
                sent = self.data()?.send(packet, Some(&only.hook));
            }
        }
        sent.map_err(|errno| Error::Refused {
            operation: Operation::SendData,
            path: hook.map(ToString::to_string).unwrap_or_default(),
            errno,
        })
    }

    /// Receives one packet into the buffer: its length in bytes and the hook it came by; None at the deadline. Without a
    /// deadline it waits for ever.
    ///
    /// What does not fit into the buffer is lost; 64 KiB hold any packet of FreeBSD's.
    ///
    /// # Errors
    /// The own node is gone (ENOTCONN), or packets were lost (ENOBUFS), after which it can be called again.
    pub fn receive_data(&mut self, buffer: &mut [u8], deadline: Option<Instant>) -> Result<Option<(usize, String)>> {
        let received = receive_before(self.data()?, buffer, deadline);
        packet(received)
    }

    /// The same without any wait: None when nothing is there.
    ///
    /// # Errors
    /// As for [`receive_data`](Self::receive_data).
    pub fn try_receive_data(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, String)>> {
        let received = self.data()?.receive(buffer);
        packet(received)
    }
}

fn packet(received: Result<Option<Received>, Errno>) -> Result<Option<(usize, String)>> {
    match received {
        Ok(received) => Ok(received.map(|received| (received.length, received.from))),
        Err(errno) => Err(Error::Refused {
            operation: Operation::ReceiveData,
            path: String::new(),
            errno,
        }),
    }
}
