//! Finds out which node an address leads to, hop by hop.

mod kernel;

use kernel::kernel;
use netgraph::{Address, MakePeer, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let mut at = Address::here();
    for type_name in ["tee", "hub"] {
        let peer = MakePeer {
            type_name: type_name.parse()?,
            hook: "right".parse()?,
            peer_hook: "left".parse()?,
        };
        socket.request(&at, &peer)?;
        at = at.beyond(&peer.hook)?;
    }
    let node = socket.resolve(&at)?;
    println!("{at} leads to a {}", node.type_name);
    println!("{}", socket.resolve(&"right.up".parse()?).unwrap_err());
    Ok(())
}
