//! Makes a node of this process, with a name: what `NgMkSockNode` does.

mod kernel;

use kernel::kernel;
use netgraph::{Address, GetNodeInfo, NodeName, Socket};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "example".parse()?;
    let mut socket = Socket::open_on(kernel(), Some(&name))?;
    let node = socket.request(&Address::here(), &GetNodeInfo)?;
    println!("{} is a {} with {} hooks", node.label(), node.type_name, node.hooks);

    // The name is taken as long as the socket is open.
    let error = Socket::open_on(kernel(), Some(&name)).unwrap_err();
    println!("{error}");
    Ok(())
}
