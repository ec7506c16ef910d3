//! Who is connected, and which sockets are open.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use netgraph::hosted::wire::Ticket;

use crate::connection;
use crate::listener::{BindError, Listener};
use crate::socket::Open;

/// A Unix socket at which the hosted kernel of this process is served.
pub struct Server {
    listener: Listener,
    sockets: Sockets,
    connections: Mutex<Vec<Weak<UnixStream>>>,
    /// Once its end is read, no connection is accepted any more.
    stopped: UnixStream,
    stop: Arc<UnixStream>,
}

/// Stops a [`Server`], from any thread.
#[derive(Debug, Clone)]
pub struct Stop(Arc<UnixStream>);

impl Stop {
    /// Has [`Server::run`] end.
    pub fn stop(&self) {
        // It cannot fail: the other end lives as long as the server, and later there is nothing to stop.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Makes the Unix socket, with the right to use it for this user only.
    ///
    /// # Errors
    /// Another daemon serves it, or it cannot be made.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let refused = |error: io::Error| BindError::Refused {
            path: path.to_owned(),
            error,
        };
        let (stopped, stop) = UnixStream::pair().map_err(refused)?;
        Ok(Self {
            listener: Listener::bind(path)?,
            sockets: Sockets::default(),
            connections: Mutex::default(),
            stopped,
            stop: Arc::new(stop),
        })
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stop {
        Stop(Arc::clone(&self.stop))
    }

    /// Serves until stopped; then every connection is ended, and every socket closed.
    pub(crate) fn run(&self) {
        thread::scope(|scope| {
            while let Some(stream) = self.listener.next(&self.stopped) {
                let stream = self.keep(stream);
                scope.spawn(move || connection::serve(&stream, &self.sockets));
            }
            self.hang_up();
        });
    }

    /// Remembers a connection, as long as it is in use.
    fn keep(&self, stream: UnixStream) -> Arc<UnixStream> {
        let stream = Arc::new(stream);
        let mut connections = lock(&self.connections);
        connections.retain(|connection| connection.strong_count() > 0);
        connections.push(Arc::downgrade(&stream));
        stream
    }

    fn hang_up(&self) {
        for stream in lock(&self.connections).iter().filter_map(Weak::upgrade) {
            // One that has ended already cannot be shut down.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// The sockets that are open, by ticket.
#[derive(Default)]
pub(crate) struct Sockets(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<Ticket, Arc<Open>>,
}

impl Sockets {
    pub(crate) fn add(&self, socket: &Arc<Open>) -> Ticket {
        let mut table = lock(&self.0);
        let ticket = Ticket(table.next);
        table.next += 1;
        table.open.insert(ticket, Arc::clone(socket));
        ticket
    }

    pub(crate) fn find(&self, ticket: Ticket) -> Option<Arc<Open>> {
        lock(&self.0).open.get(&ticket).cloned()
    }

    pub(crate) fn remove(&self, ticket: Ticket) {
        lock(&self.0).open.remove(&ticket);
    }
}
