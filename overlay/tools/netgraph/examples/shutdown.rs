//! Shuts a node down: `ngctl shutdown`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, GetNodeInfo, MakePeer, Name, Shutdown, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let hub = MakePeer {
        type_name: "hub".parse()?,
        hook: "mine".parse()?,
        peer_hook: "port".parse()?,
    };
    socket.request(&Address::here(), &hub)?;
    socket.request(&"mine".parse()?, &Name("sw0".parse()?))?;
    let hub: Address = "sw0:".parse()?;
    socket.request(&hub, &Shutdown)?;
    println!("{}", socket.request(&hub, &GetNodeInfo).unwrap_err());
    Ok(())
}
