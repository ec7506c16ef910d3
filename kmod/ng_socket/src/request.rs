//! A control message on its way from a process: checked before anyone reads it, and waited for.

use core::ffi::CStr;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use kpi::Errno;
use kpi::errno::Result;
use kpi::memory::Arc;
use kpi::mutex::Woken;
use kpi::netgraph::{Addressed, HookName, Message, Notified, Sent, Spare, type_exists};
use kpi::raw::ng_message::{
    NG_HOOKSIZ, NG_TYPESIZ, NG_VERSION, NGF_RESP, NGM_GENERIC_COOKIE, NGM_MKPEER, NGM_NAME, NGM_RMHOOK, ngm_mkpeer,
};
use kpi::socket::{Patience, Socket};
use kpi::thread::Thread;

use crate::node::{Question, SocketNode, SocketType};

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

/// What the sender should know of a generic message that netgraph answers without telling the node.
pub(crate) enum Subject {
    /// Nothing.
    Other,
    /// It gives the node another name.
    Rename,
    /// It removes this hook.
    Removal(HookName),
}

impl Subject {
    /// What `message` is about.
    pub(crate) fn of(message: &Message) -> Self {
        let header = message.header();
        if header.typecookie != NGM_GENERIC_COOKIE || header.flags & NGF_RESP != 0 {
            return Self::Other;
        }
        match (header.cmd, message.arguments().first_chunk::<NG_HOOKSIZ>()) {
            (NGM_NAME, _) => Self::Rename,
            (NGM_RMHOOK, Some(hook)) => Self::Removal(HookName::of_field(*hook)),
            _ => Self::Other,
        }
    }
}

/// Where a message is, seen by its sender: the values of [`Request::progress`].
mod progress {
    /// On its way.
    pub(super) const PENDING: u32 = 0;
    /// On its way; the sender sleeps.
    pub(super) const AWAITED: u32 = 1;
    /// On its way; the sender has left, and wants a failure in `SO_ERROR`.
    pub(super) const ABANDONED: u32 = 2;
    /// On its way; the sender has left for good.
    pub(super) const FORGOTTEN: u32 = 3;
    /// Applied; the answer is there.
    pub(super) const DONE: u32 = 4;
}

/// A control message that was sent and may be waited for.
///
/// Shared between the sender and netgraph's callback, since either may be the last to use it. Most messages are applied
/// before the call that sends them returns; then nobody takes a lock.
pub(crate) struct Request {
    progress: AtomicU32,
    /// The destination's answer, 0 or an errno, once the progress is `DONE`.
    answer: AtomicI32,
    sender: Arc<SocketNode>,
    /// What its answer is known by.
    question: Question,
    /// The socket node that the message renames, if it does.
    renames: Option<Arc<SocketNode>>,
}

impl Notified for Request {
    fn applied(&self, result: Result) {
        if let Some(node) = &self.renames {
            node.tell_name(&mut node.state());
        }
        self.answer.store(result.err().map_or(0, Errno::get), Ordering::Relaxed);
        match self.progress.swap(progress::DONE, Ordering::AcqRel) {
            progress::AWAITED => {
                // The sender holds the mutex from before it says that it sleeps until it does.
                drop(self.sender.state());
                self.sender.wakeup();
            }
            progress::ABANDONED => {
                let state = self.sender.state();
                if let (Some(control), Err(errno)) = (state.control, result) {
                    control.set_error(errno);
                }
            }
            _ => {}
        }
    }
}

impl Request {
    /// A message of `sender` that is about to be sent.
    pub(crate) fn new(item: &Addressed, subject: Subject, sender: Arc<SocketNode>, question: Question) -> Self {
        let renames = match subject {
            Subject::Other => None,
            Subject::Rename => item.private_of::<SocketType>(),
            Subject::Removal(hook) => {
                if let Some(node) = item.private_of::<SocketType>() {
                    node.expect_removal(&hook);
                }
                None
            }
        };
        Self {
            progress: AtomicU32::new(progress::PENDING),
            answer: AtomicI32::new(0),
            sender,
            question,
            renames,
        }
    }

    /// Sends `item` and waits until the destination has applied it.
    ///
    /// # Errors
    /// What the destination answered. `ENOBUFS`: its answer did not fit into the sender's receive buffer. `EINPROGRESS`:
    /// the message was queued, and the sender does not wait; a failure shows in `SO_ERROR`. `EINTR`, `EWOULDBLOCK`: a
    /// signal, or `SO_SNDTIMEO`, ended the wait; the message may still be applied.
    pub(crate) fn send(self, item: Addressed, spare: &mut Spare<Self>, socket: Socket, patience: Patience) -> Result {
        let (request, sent) = item.send_notify(self, spare)?;
        let mut result = match patience {
            Patience::Return => request.abandon(sent),
            Patience::Wait => request.wait(socket.send_timeout()),
        };
        let may_be_lost = matches!(result, Ok(()) | Err(Errno::ENOBUFS));
        if may_be_lost && request.sender.has_lost_answer(&request.question) {
            // The sender is told here, so that the error is not left for the next call.
            socket.clear_error(Errno::ENOBUFS);
            result = Err(Errno::ENOBUFS);
        }
        if request.renames.is_none() {
            // Not one that would keep another node's data.
            spare.keep(request);
        }
        result
    }

    /// The destination's answer, if it is there.
    fn answer(&self) -> Option<Result> {
        (self.progress.load(Ordering::Acquire) == progress::DONE)
            .then(|| Errno::check(self.answer.load(Ordering::Relaxed)))
    }

    /// Goes from one step to the next, unless the answer has come meanwhile.
    fn step(&self, from: u32, to: u32) -> Option<Result> {
        let stepped = self
            .progress
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        if stepped.is_ok() { None } else { self.answer() }
    }

    /// Waits for the answer; `timeout` as for [`kpi::mutex::Guard::sleep`].
    fn wait(&self, timeout: i64) -> Result {
        if let Some(answer) = self.answer() {
            return answer;
        }
        let mut state = self.sender.state();
        if let Some(answer) = self.step(progress::PENDING, progress::AWAITED) {
            return answer;
        }
        loop {
            let woken = state.sleep(c"ngsock", timeout);
            // The answer counts even if a signal came with it.
            if let Some(answer) = self.answer() {
                return answer;
            }
            let errno = match woken {
                Woken::Up => continue,
                Woken::Signal => Errno::EINTR,
                Woken::Timeout => Errno::EWOULDBLOCK,
            };
            return self.step(progress::AWAITED, progress::FORGOTTEN).unwrap_or(Err(errno));
        }
    }

    /// Leaves the message, or what follows from it, to itself, unless it is done already.
    fn abandon(&self, sent: Sent) -> Result {
        if let Some(answer) = self.step(progress::PENDING, progress::ABANDONED) {
            return answer;
        }
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
