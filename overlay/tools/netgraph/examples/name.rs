//! Gives a node a name: `ngctl name`, `NgNameNode`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, GetNodeInfo, MakePeer, Name, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let hub = MakePeer {
        type_name: "hub".parse()?,
        hook: "mine".parse()?,
        peer_hook: "port".parse()?,
    };
    socket.request(&Address::here(), &hub)?;
    socket.request(&"mine".parse()?, &Name("sw0".parse()?))?;
    let node = socket.request(&"sw0:".parse()?, &GetNodeInfo)?;
    println!("{} is a {}", node.label(), node.type_name);

    println!("{}", "sw.0".parse::<netgraph::NodeName>().unwrap_err());
    Ok(())
}
