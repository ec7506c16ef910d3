//! A control socket, a data socket, and what the checks do with them.

use std::time::{Duration, Instant};

use netgraph::{Errno, Events, Protocol, Wait};

use crate::call::{self, Address, AsSocket};
use crate::message::{self, Message, NAME, NODEINFO, RESPONSE, RMHOOK, SHUTDOWN};
use crate::outcome::{Outcome, Stop};
use crate::system::{TestSocket, here};

/// How many milliseconds something that comes may take.
const SOON: u64 = 3000;
/// How many milliseconds to wait for what must not come.
const NEVER: u64 = 200;

/// A control socket and so a node.
pub struct Control(Box<dyn TestSocket>);

/// A data socket.
pub struct Data(Box<dyn TestSocket>);

impl AsSocket for Control {
    fn socket(&self) -> &dyn TestSocket {
        self.0.as_ref()
    }
}

impl AsSocket for Data {
    fn socket(&self) -> &dyn TestSocket {
        self.0.as_ref()
    }
}

/// What a node says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Info {
    /// Its name, empty if it has none.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its ID.
    pub id: u32,
    /// How many hooks it has.
    pub hooks: u32,
}

impl Control {
    /// socket(2)
    pub fn new() -> Result<Self, Errno> {
        here().socket(Protocol::Control).map(Self)
    }

    /// Sends a message to the node that a path leads to.
    pub fn send(&self, path: &str, message: &Message) -> Result<(), Errno> {
        self.send_bytes(path, &message.bytes())
    }

    /// Sends a datagram that may be no message.
    pub fn send_bytes(&self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        call::send(self, bytes, Some(&Address::text(path))).map(drop)
    }

    /// Makes a node behind a new hook.
    pub fn mkpeer(&self, kind: &str, ours: &str, theirs: &str) -> Result<(), Errno> {
        self.send(".", &Message::mkpeer(kind, ours, theirs))
    }

    /// Connects this node to another one, and waits until both know.
    ///
    /// The message is answered while the other node may have the rest before it; what it is sent now comes after that.
    pub fn join_hooks(&self, target: &str, ours: &str, theirs: &str) -> Result<(), Errno> {
        self.send(".", &Message::connect(target, ours, theirs))?;
        for path in [target, "."] {
            self.send(path, &Message::generic(NODEINFO, &[]))?;
            call::poll(self, SOON)?;
            call::receive(self, 1 << 16, Wait::Never)?;
        }
        Ok(())
    }

    /// Removes a hook of this node.
    pub fn remove_hook(&self, hook: &str) -> Result<(), Errno> {
        self.send(".", &Message::generic(RMHOOK, &[(hook.as_bytes(), 32)]))
    }

    /// Names a node.
    pub fn name(&self, path: &str, name: &str) -> Result<(), Errno> {
        self.send(path, &Message::generic(NAME, &[(name.as_bytes(), 32)]))
    }

    /// Shuts a node down.
    pub fn shut_down(&self, path: &str) -> Result<(), Errno> {
        self.send(path, &Message::generic(SHUTDOWN, &[]))
    }

    /// Asks a node about itself.
    pub fn info(&self, path: &str) -> Outcome<Info> {
        self.send(path, &Message::generic(NODEINFO, &[]))?;
        loop {
            let (bytes, _) = receive(self)?;
            if message::number(&bytes, 12) & RESPONSE != 0 && message::number(&bytes, 8) == NODEINFO {
                let text = |at: usize| {
                    let field = bytes.get(at..at + 32).unwrap_or_default();
                    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
                    String::from_utf8_lossy(&field[..end]).into_owned()
                };
                let at = message::HEADER;
                let (id, hooks) = (message::number(&bytes, at + 64), message::number(&bytes, at + 68));
                return Ok(Info {
                    name: text(at),
                    kind: text(at + 32),
                    id,
                    hooks,
                });
            }
        }
    }

    /// This node's address by ID: `[id]:`.
    pub fn address(&self) -> Outcome<String> {
        Ok(format!("[{:x}]:", self.info(".")?.id))
    }

    /// bind(2) to a name.
    pub fn bind(&self, name: &str) -> Result<(), Errno> {
        call::bind(self, &Address::text(name))
    }

    /// A data socket for this node.
    pub fn data(&self) -> Outcome<Data> {
        let data = Data::new()?;
        data.connect(&self.address()?)?;
        Ok(data)
    }

    /// Whether a path leads nowhere, now or soon, or to a node that takes no messages any more.
    pub fn is_gone(&self, path: &str) -> Outcome<bool> {
        self.is_refused(path, &[Errno::ENOENT, Errno::EINVAL])
    }

    /// Whether a path leads nowhere, now or soon: the node has been freed.
    pub fn is_freed(&self, path: &str) -> Outcome<bool> {
        self.is_refused(path, &[Errno::ENOENT])
    }

    fn is_refused(&self, path: &str, codes: &[Errno]) -> Outcome<bool> {
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            match self.send(path, &Message::generic(NODEINFO, &[])) {
                Err(errno) if codes.contains(&errno) => return Ok(true),
                // On its way out.
                Err(Errno::EINVAL) => {}
                Err(errno) => return Err(errno.into()),
                Ok(()) => drop(receive(self)?),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(false)
    }
}

impl Data {
    /// socket(2)
    pub fn new() -> Result<Self, Errno> {
        here().socket(Protocol::Data).map(Self)
    }

    /// connect(2) to the node that a text leads to.
    pub fn connect(&self, text: &str) -> Result<(), Errno> {
        call::connect(self, &Address::text(text))
    }

    /// Sends a packet out of a hook.
    pub fn send(&self, hook: &str, packet: &[u8]) -> Result<(), Errno> {
        call::send(self, packet, Some(&Address::text(hook))).map(drop)
    }

    /// Sends a packet without an address.
    pub fn send_plain(&self, packet: &[u8]) -> Result<(), Errno> {
        call::send(self, packet, None).map(drop)
    }
}

/// The next datagram of a socket, which must come soon.
pub fn receive(socket: &impl AsSocket) -> Outcome<(Vec<u8>, Address)> {
    if call::poll(socket, SOON)? == Events::default() {
        return Err(Stop::Failed("expected a datagram, got none".into()));
    }
    Ok(call::receive(socket, 1 << 16, Wait::Never)?)
}

/// Whether nothing comes.
pub fn is_quiet(socket: &impl AsSocket) -> Result<bool, Errno> {
    Ok(call::poll(socket, NEVER)? == Events::default())
}

/// Two nodes with data sockets, joined by the hooks `x` and `y`.
pub struct Pair {
    /// The node with the hook `x`.
    pub left: Control,
    /// Its data socket.
    pub left_data: Data,
    /// The node with the hook `y`.
    pub right: Control,
    /// Its data socket.
    pub right_data: Data,
}

impl Pair {
    /// Makes them.
    pub fn new() -> Outcome<Self> {
        let (left, right) = (Control::new()?, Control::new()?);
        left.join_hooks(&right.address()?, "x", "y")?;
        let (left_data, right_data) = (left.data()?, right.data()?);
        Ok(Self {
            left,
            left_data,
            right,
            right_data,
        })
    }
}

/// A name that no other run of this program uses.
pub fn fresh_name(suffix: &str) -> String {
    format!("proof{}{suffix}", std::process::id())
}

/// The errors that say that the node is gone.
pub const GONE: [Errno; 3] = [Errno::ENOTCONN, Errno::EINVAL, Errno::ENOENT];
