//! Connects two nodes that exist: `ngctl connect`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, Connect, ListHooks, NodeName, Socket};

fn main() -> netgraph::Result<()> {
    let (left, right): (NodeName, NodeName) = ("left".parse()?, "right".parse()?);
    let mut socket = Socket::open_on(kernel(), Some(&left))?;
    let _other = Socket::open_on(kernel(), Some(&right))?;
    let link = Connect {
        peer: Address::from(&right),
        hook: "out".parse()?,
        peer_hook: "in".parse()?,
    };
    socket.request(&Address::from(&left), &link)?;
    for link in socket.request(&Address::from(&left), &ListHooks)?.links {
        println!("left:{} -- {}{}", link.hook, link.peer.label(), link.peer_hook);
    }
    let error = socket.request(&Address::from(&left), &link).unwrap_err();
    println!("{error}");
    Ok(())
}
