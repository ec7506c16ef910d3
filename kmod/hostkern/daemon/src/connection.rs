//! What a connection's thread does.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use netgraph::hosted::wire::{self, Answer, Call, EDITION, Greeting, Purpose, Reply, Ticket};
use netgraph::{Errno, Protocol, SocketCalls, Transport};

use crate::local::Local;
use crate::server::Sockets;
use crate::socket::{Open, Use};

/// The byte that says that a socket is readable.
const TOKEN: [u8; 1] = [b'r'];

/// Serves a connection until it ends; what it cannot say to a process that is gone is lost.
pub(crate) fn serve(stream: &Arc<UnixStream>, sockets: &Sockets) {
    let Ok(greeting) = wire::receive::<Greeting>(&**stream) else {
        return;
    };
    if greeting.edition != EDITION {
        return reply(stream, &Err(Errno::EPROTO));
    }
    match greeting.purpose {
        Purpose::Open(protocol) => open(stream, sockets, protocol),
        Purpose::Attach(ticket) => attach(stream, sockets, ticket),
        Purpose::LoadModule(name) => reply(stream, &Local::root().load_module(&name).map(|()| Answer::Done)),
    }
}

fn reply(stream: &UnixStream, reply: &Reply) {
    // Who does not want the answer any more has hung up, which is seen elsewhere.
    let _ = wire::send(stream, reply);
}

/// A connection that is a socket.
fn open(stream: &UnixStream, sockets: &Sockets, protocol: Protocol) {
    let socket = match Local::root().open(protocol) {
        Ok(socket) => Open::new(socket),
        Err(error) => return reply(stream, &Err(error)),
    };
    let ticket = sockets.add(&socket);
    reply(stream, &Ok(Answer::Opened(ticket)));
    thread::scope(|scope| {
        let (arm, armed) = mpsc::channel();
        scope.spawn(|| announce(stream, &socket, armed));
        watch(stream, &arm);
        drop(arm);
        sockets.remove(ticket);
        socket.close();
    });
}

/// Passes on the tokens that come back, until the process hangs up.
fn watch(mut stream: &UnixStream, arm: &Sender<()>) {
    // The process has no token yet.
    let mut is_served = arm.send(()).is_ok();
    let mut token = TOKEN;
    while is_served {
        is_served = match stream.read(&mut token) {
            Ok(0) => false,
            Ok(_) => arm.send(()).is_ok(),
            Err(error) => error.kind() == ErrorKind::Interrupted,
        };
    }
}

/// Sends the token each time the socket is readable after it came back.
fn announce(mut stream: &UnixStream, socket: &Arc<Open>, armed: Receiver<()>) {
    let Ok(user) = socket.join(None) else { return };
    while armed.recv().is_ok() {
        let Some(socket) = user.socket() else { return };
        // Interrupted: the socket is being closed.
        if socket.poll(None).is_err() || stream.write_all(&TOKEN).is_err() {
            return;
        }
    }
}

/// A connection that makes calls on a socket.
fn attach(stream: &Arc<UnixStream>, sockets: &Sockets, ticket: Ticket) {
    let joined = sockets.find(ticket).ok_or(Errno::EBADF);
    match joined.and_then(|socket| socket.join(Some(Arc::clone(stream)))) {
        Ok(user) => {
            reply(stream, &Ok(Answer::Done));
            make_calls(stream, &user);
        }
        Err(error) => reply(stream, &Err(error)),
    }
}

fn make_calls(stream: &UnixStream, user: &Use) {
    while let Ok(call) = wire::receive::<Call>(stream) {
        let Some(socket) = user.socket() else { return };
        if wire::send(stream, &call.make(socket)).is_err() {
            return;
        }
    }
}
