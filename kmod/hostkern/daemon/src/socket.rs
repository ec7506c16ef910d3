//! An open socket, and the threads that use it.

use std::collections::HashMap;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use hostkern::thread::Handle;
use netgraph::Errno;

use crate::local::LocalSocket;

/// A socket of a process.
pub(crate) struct Open {
    state: Mutex<State>,
    /// A user has left.
    left: Condvar,
}

struct State {
    /// None once the socket is to be closed.
    socket: Option<LocalSocket>,
    users: HashMap<ThreadId, User>,
}

/// A thread that makes calls on a socket.
struct User {
    thread: Handle,
    /// Where its calls come from; none for the daemon's own.
    stream: Option<Arc<UnixStream>>,
}

/// The calling thread's use of a socket, which is not closed before this ends.
pub(crate) struct Use {
    open: Arc<Open>,
    socket: Option<LocalSocket>,
}

impl Open {
    pub(crate) fn new(socket: LocalSocket) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                socket: Some(socket),
                users: HashMap::new(),
            }),
            left: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the calling thread use the socket, with calls from a stream.
    ///
    /// # Errors
    /// EBADF: it is being closed.
    pub(crate) fn join(self: &Arc<Self>, stream: Option<Arc<UnixStream>>) -> Result<Use, Errno> {
        let mut state = self.state();
        let socket = state.socket.clone().ok_or(Errno::EBADF)?;
        let thread = hostkern::thread::handle();
        state.users.insert(std::thread::current().id(), User { thread, stream });
        Ok(Use {
            open: Arc::clone(self),
            socket: Some(socket),
        })
    }

    /// Closes the socket: interrupts the calls under way, and returns when it is closed.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        let socket = state.socket.take();
        for user in state.users.values() {
            // A thread that is not asleep yet will be interrupted when it is; and it gets no call after that one.
            user.thread.interrupt();
            if let Some(stream) = &user.stream {
                // A stream that has ended cannot be shut down, and need not.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        while !state.users.is_empty() {
            state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        drop(socket);
    }
}

impl Use {
    /// The socket; none when it is being closed.
    pub(crate) fn socket(&self) -> Option<&LocalSocket> {
        let is_open = self.open.state().socket.is_some();
        self.socket.as_ref().filter(|_| is_open)
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // Before the thread leaves, so that the one that waits for it has the last.
        self.socket = None;
        self.open.state().users.remove(&std::thread::current().id());
        self.open.left.notify_all();
    }
}
