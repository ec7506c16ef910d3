//! `hostkernd`: a hosted kernel that several processes share.
//!
//! It serves netgraph sockets through a Unix socket, in the words of [`netgraph::hosted::wire`]; the other end is
//! [`netgraph::Hosted`](netgraph::hosted::Hosted). Whoever may open the Unix socket is root of the hosted kernel.
//!
//! Threads: the one that booted the kernel accepts connections. Each connection has one; that of an open socket sees that
//! its process goes away, and a third one tells when the socket becomes readable. Each network interface has one as well.

mod connection;
mod interface;
mod listener;
mod local;
mod server;
mod socket;

use hostkern::Kernel;
use netgraph::{Address, ListNodes, Shutdown, Socket};

pub use interface::{Card, InterfaceError, Interfaces};
pub use listener::BindError;
pub use local::{Local, LocalSocket};
pub use server::{Server, Stop};

/// Serves the kernel until [`Stop::stop`], then takes it down; what it has lost by then, it reports, and aborts.
pub fn serve(kernel: Kernel, server: &Server) {
    serve_with(kernel, Interfaces::default(), server);
}

/// As [`serve`], with network interfaces, which are detached in the end.
pub fn serve_with(kernel: Kernel, interfaces: Interfaces, server: &Server) {
    server.run();
    if let Err(error) = shut_down_nodes() {
        eprintln!("hostkernd: {error}");
    }
    drop(interfaces);
    drop(kernel);
}

/// Shuts down what the processes have left in the graph on purpose.
fn shut_down_nodes() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(Local::root(), None)?;
    for node in socket.request(&Address::here(), &ListNodes)? {
        if node.type_name == "socket" {
            continue;
        }
        // Some go when a neighbour does.
        if let Err(error) = socket.request(&node.address(), &Shutdown)
            && error.errno() != Some(netgraph::Errno::ENOENT)
        {
            return Err(error);
        }
    }
    Ok(())
}
