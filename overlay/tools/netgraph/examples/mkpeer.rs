//! Makes a node and connects it: `ngctl mkpeer`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, GetNodeInfo, MakePeer, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let tee = MakePeer {
        type_name: "tee".parse()?,
        hook: "mine".parse()?,
        peer_hook: "left".parse()?,
    };
    socket.request(&Address::here(), &tee)?;

    // The new node is what the own hook leads to.
    let node = socket.request(&"mine".parse()?, &GetNodeInfo)?;
    println!("a {} with {} hook", node.type_name, node.hooks);

    let error = socket.request(&Address::here(), &tee).unwrap_err();
    println!("{error}");
    Ok(())
}
