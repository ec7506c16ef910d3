//! A control message on its way from a process: checked before anyone reads it, and waited for.

use core::ffi::CStr;

use kpi::Errno;
use kpi::errno::Result;
use kpi::memory::{Arc, Wait};
use kpi::mutex::{Mutex, Woken};
use kpi::netgraph::{Addressed, Message, Notified, Sent, type_exists};
use kpi::raw::ng_message::{NG_TYPESIZ, NG_VERSION, NGM_GENERIC_COOKIE, NGM_MKPEER, ngm_mkpeer};
use kpi::socket::Socket;
use kpi::thread::Thread;

use crate::node::SocketNode;

/// Refuses what no node should have to look at.
///
/// The message's length has been checked against its datagram already.
///
/// # Errors
/// `EINVAL`: another version of the message format.
pub(crate) fn check(message: &Message) -> Result {
    if message.header().version == NG_VERSION {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

/// The name of the module of a node type: `ng_` and the type.
#[derive(Debug, PartialEq, Eq)]
struct ModuleName([u8; Self::PREFIX.len() + NG_TYPESIZ]);

impl ModuleName {
    const PREFIX: &'static [u8] = b"ng_";

    /// The module for the type that the arguments of a mkpeer message name.
    ///
    /// # Errors
    /// `EINVAL`: the arguments are too short, or the type is empty, unterminated or not made of `[A-Za-z0-9_-]`.
    fn of(arguments: &[u8]) -> Result<Self> {
        if arguments.len() < size_of::<ngm_mkpeer>() {
            return Err(Errno::EINVAL);
        }
        let field = arguments.get(..NG_TYPESIZ).ok_or(Errno::EINVAL)?;
        let length = field.iter().position(|byte| *byte == 0).ok_or(Errno::EINVAL)?;
        let name = field.get(..length).unwrap_or(&[]);
        let legal = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
        if name.is_empty() || !name.iter().all(legal) {
            return Err(Errno::EINVAL);
        }
        let mut module = [0; Self::PREFIX.len() + NG_TYPESIZ];
        for (place, byte) in module.iter_mut().zip(Self::PREFIX.iter().chain(name)) {
            *place = *byte;
        }
        Ok(Self(module))
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }

    fn type_name(&self) -> &CStr {
        let name = self.0.get(Self::PREFIX.len()..).unwrap_or(&[]);
        CStr::from_bytes_until_nul(name).unwrap_or(c"")
    }
}

/// Loads the module of the node type that a mkpeer message asks for, if there is no such type yet.
///
/// # Errors
/// `EINVAL`: the type's name is none. `ENXIO`: the module has no such type; it is unloaded again. Else what loading the
/// module ended in.
pub(crate) fn load_type(message: &Message, thread: &Thread) -> Result {
    let header = message.header();
    if header.typecookie != NGM_GENERIC_COOKIE || header.cmd != NGM_MKPEER {
        return Ok(());
    }
    let module = ModuleName::of(message.arguments())?;
    if type_exists(module.type_name()) {
        return Ok(());
    }
    let loaded = thread.load_module(module.as_c_str())?;
    if type_exists(module.type_name()) {
        return Ok(());
    }
    // A module that cannot be unloaded stays; the caller has no use for that detail.
    let _ = loaded.unload();
    Err(Errno::ENXIO)
}

/// What a sender knows of its message.
enum Progress {
    /// Queued somewhere; the sender waits.
    Pending,
    /// Queued somewhere; the sender has left, and wants a failure in `SO_ERROR`.
    Abandoned,
    /// Queued somewhere; the sender has left for good.
    Forgotten,
    /// The destination's answer.
    Done(Result),
}

/// A control message that was sent and may be waited for.
///
/// Shared between the sender and netgraph's callback, since either may be the last to use it.
pub(crate) struct Request {
    progress: Mutex<Progress>,
    sender: Arc<SocketNode>,
}

impl Notified for Request {
    fn applied(&self, result: Result) {
        let abandoned = {
            let mut progress = self.progress.lock();
            matches!(
                core::mem::replace(&mut *progress, Progress::Done(result)),
                Progress::Abandoned
            )
        };
        self.progress.wakeup();
        if abandoned && let Err(errno) = result {
            let state = self.sender.state();
            if let Some(control) = state.control {
                control.set_error(errno);
            }
        }
    }
}

impl Request {
    /// Sends `item` for `sender` and waits until the destination has applied it.
    ///
    /// # Errors
    /// What the destination answered. `EINPROGRESS`: it was queued, and the socket is non-blocking; a failure shows in
    /// `SO_ERROR`. `EINTR`, `EWOULDBLOCK`: a signal, or `SO_SNDTIMEO`, ended the wait; the message may still be applied.
    pub(crate) fn send(item: Addressed, sender: Arc<SocketNode>, socket: Socket) -> Result {
        let progress = Mutex::new(Progress::Pending, c"ng_socket request", Wait::Sleep)?;
        let request = Arc::new(Self { progress, sender }, Wait::Sleep)?;
        let sent = item.send_notify(Arc::clone(&request))?;
        if socket.is_nonblocking() {
            request.abandon(sent)
        } else {
            request.wait(socket.send_timeout())
        }
    }

    /// Waits for the answer; `timeout` as for [`kpi::mutex::Guard::sleep`].
    fn wait(&self, timeout: i64) -> Result {
        let mut progress = self.progress.lock();
        let mut woken = Woken::Up;
        loop {
            // The answer counts even if a signal came with it.
            if let Progress::Done(result) = *progress {
                return result;
            }
            let errno = match woken {
                Woken::Up => {
                    woken = progress.sleep(c"ngsock", timeout);
                    continue;
                }
                Woken::Signal => Errno::EINTR,
                Woken::Timeout => Errno::EWOULDBLOCK,
            };
            *progress = Progress::Forgotten;
            return Err(errno);
        }
    }

    /// Leaves the message, or what follows from it, to itself, unless it is done already.
    fn abandon(&self, sent: Sent) -> Result {
        let mut progress = self.progress.lock();
        if let Progress::Done(result) = *progress {
            return result;
        }
        *progress = Progress::Abandoned;
        match sent {
            Sent::Applied => Ok(()),
            Sent::Queued => Err(Errno::EINPROGRESS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mkpeer(kind: &[u8]) -> [u8; 96] {
        let mut arguments = [0; 96];
        arguments[..kind.len()].copy_from_slice(kind);
        arguments
    }

    #[test]
    fn modules_are_named_after_types() {
        let module = ModuleName::of(&mkpeer(b"one2many")).expect("a legal type");
        assert_eq!(module.as_c_str(), c"ng_one2many");
        assert_eq!(module.type_name(), c"one2many");
    }

    #[test]
    fn type_names_cannot_be_paths() {
        for kind in [&b""[..], b"../evil", b"a.ko", b"a b", b"caf\xc3\xa9", &[b'a'; 32]] {
            assert_eq!(ModuleName::of(&mkpeer(kind)), Err(Errno::EINVAL), "{kind:?}");
        }
        assert!(ModuleName::of(&mkpeer(&[b'a'; 31])).is_ok());
    }

    #[test]
    fn short_arguments_are_refused() {
        assert_eq!(ModuleName::of(&mkpeer(b"tee")[..95]), Err(Errno::EINVAL));
        assert_eq!(ModuleName::of(b""), Err(Errno::EINVAL));
    }
}
