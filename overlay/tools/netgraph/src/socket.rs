//! A process's own node in the graph: its control and data sockets.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::address::Address;
use crate::errno::Errno;
use crate::error::{Error, Operation, Result};
use crate::kernel::Kernel;
use crate::names::NodeName;
use crate::transport::{Endpoint, Protocol, Received, Transport};
use crate::wire::Message;
pub use events::{EventStream, Told};

mod control;
mod data;
mod events;
mod resolve;
#[cfg(test)]
mod tests;
mod words;

/// How long an answer is waited for, unless [`Socket::set_timeout`] says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Room for answers, in bytes. The kernel's default of 20 KiB (`net.graph.recvspace`) holds the list of 284 nodes, and
/// what does not fit is lost.
const ROOM: usize = 1 << 20;

/// A control message and its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The message.
    pub message: Message,
    /// The node it came from, as `[id]:`.
    pub from: Address,
}

/// A node of type `socket` that belongs to this process; it goes when this is dropped.
///
/// One control socket, and a data socket from the first use of it on (ng_socket(4)).
///
/// ```
/// # #[cfg(feature = "fake")]
/// # fn main() -> netgraph::Result<()> {
/// use netgraph::{Address, ListHooks, MakePeer, Socket, fake::Fake};
///
/// // On FreeBSD: Socket::open(None)?
/// let mut socket = Socket::open_on(Fake::default(), None)?;
/// let tee = MakePeer {
///     type_name: "tee".parse()?,
///     hook: "debug".parse()?,
///     peer_hook: "left2right".parse()?,
/// };
/// socket.request(&Address::here(), &tee)?;
/// let list = socket.request(&"debug".parse()?, &ListHooks)?;
/// assert_eq!(list.node.type_name, "tee");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fake"))]
/// # fn main() {}
/// ```
///
/// # Waiting
///
/// Every message is sent with a wait: the kernel returns when the node has applied it, which is at once unless the node is
/// busy (ng_socket(4)). An answer is waited for [as long as is said](Self::set_timeout), or
/// [until an instant](Self::request_before); signals do not end that wait.
///
/// With `O_NONBLOCK` on the [control socket](Self::control_endpoint) ([`SocketCalls::set_wait`](crate::SocketCalls::set_wait))
/// ngforge's module does not wait for a busy node: the message is on its way, and sending it is EINPROGRESS. FreeBSD's own
/// module waits all the same.
///
/// # In a poll loop
///
/// The socket is a descriptor to be polled for input: [`AsFd`] of the socket itself is the control socket, and of
/// [`data_endpoint`](Self::data_endpoint) the data socket. When one is readable, [`try_receive`](Self::try_receive) or
/// [`try_receive_data`](Self::try_receive_data) takes what there is, until it returns None; only then may the loop wait
/// again. The same holds after every [`request`](Self::request): messages that came while its answer was waited for have
/// been read already, and no descriptor tells of them.
#[derive(Debug)]
pub struct Socket<T: Transport = Kernel> {
    transport: T,
    control: T::Endpoint,
    data: Option<T::Endpoint>,
    buffer: Vec<u8>,
    /// What came while something else was waited for, oldest first.
    waiting: VecDeque<Incoming>,
    token: u32,
    timeout: Duration,
}

impl Socket<Kernel> {
    /// Makes a node of the running kernel, with a name or without.
    ///
    /// Its receive buffer is given up to 1 MiB, as far as `kern.ipc.maxsockbuf` allows: an answer that does not fit is lost.
    ///
    /// # Errors
    /// Not root (EPERM), no ng_socket module (EAFNOSUPPORT), or the name is taken (EADDRINUSE).
    pub fn open(name: Option<&NodeName>) -> Result<Self> {
        Self::open_on(Kernel, name)
    }
}

impl<T: Transport> Socket<T> {
    /// The same, of another kernel.
    ///
    /// # Errors
    /// As for [`Socket::open`].
    pub fn open_on(transport: T, name: Option<&NodeName>) -> Result<Self> {
        let refused = |operation, path: &str| {
            let path = path.to_owned();
            move |errno| Error::Refused { operation, path, errno }
        };
        let control = transport
            .open(Protocol::Control)
            .map_err(refused(Operation::Open, ""))?;
        let room = control.reserve(ROOM).map_err(refused(Operation::Open, ""))?;
        if let Some(name) = name {
            control
                .bind(name.as_str())
                .map_err(refused(Operation::Bind, name.as_str()))?;
        }
        Ok(Self {
            transport,
            control,
            data: None,
            buffer: vec![0; room],
            waiting: VecDeque::new(),
            token: 0,
            timeout: TIMEOUT,
        })
    }

    /// How long to wait for an answer from now on; 5 s without it. A time that no clock can hold is for ever.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Loads a kernel module, such as `ng_ether`; one that is there already is no error.
    ///
    /// # Errors
    /// There is none of that name, or this process may not load it.
    pub fn load_module(&self, name: &str) -> Result<()> {
        self.transport.load_module(name).map_err(|errno| Error::Refused {
            operation: Operation::Load,
            path: name.to_owned(),
            errno,
        })
    }

    /// The control socket, to wait for it by other means.
    pub fn control_endpoint(&self) -> &T::Endpoint {
        &self.control
    }

    /// The data socket, once it is open.
    pub fn data_endpoint(&self) -> Option<&T::Endpoint> {
        self.data.as_ref()
    }

    /// When the time for an answer is over; None is never.
    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.timeout)
    }
}

/// Receives one datagram; None at the deadline. Signals do not end the wait.
fn receive_before<E: Endpoint>(
    endpoint: &E,
    buffer: &mut [u8],
    deadline: Option<Instant>,
) -> Result<Option<Received>, Errno> {
    loop {
        if let Some(received) = endpoint.receive(buffer)? {
            return Ok(Some(received));
        }
        match endpoint.wait(deadline) {
            Ok(true) | Err(Errno::EINTR) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

impl<T: Transport> AsFd for Socket<T>
where
    T::Endpoint: AsFd,
{
    /// The control socket.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}
