//! Waits for an answer no longer than until an instant.

mod kernel;

use std::time::{Duration, Instant};

use kernel::kernel;
use netgraph::{Address, ListNodes, NodeName, Socket, TextStatus};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "busy".parse()?;
    let mut socket = Socket::open_on(kernel(), None)?;
    let _busy = Socket::open_on(kernel(), Some(&name))?;
    let soon = Instant::now() + Duration::from_secs(5);
    let nodes = socket.request_before(&Address::here(), &ListNodes, soon)?;
    println!("{} nodes in time", nodes.len());

    // How long answers to all other requests are waited for; 5 s without this. What a socket node is asked for its status,
    // its process is to answer, which this one does not.
    socket.set_timeout(Duration::from_millis(250));
    println!("{}", socket.request(&Address::from(&name), &TextStatus).unwrap_err());
    Ok(())
}
