//! Shows the hooks of a node and where they lead: `ngctl show`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, ListHooks, MakePeer, NodeName, Socket};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "example".parse()?;
    let mut socket = Socket::open_on(kernel(), Some(&name))?;
    for hook in ["first", "second"] {
        let hub = MakePeer {
            type_name: "hub".parse()?,
            hook: hook.parse()?,
            peer_hook: "port".parse()?,
        };
        socket.request(&Address::here(), &hub)?;
    }
    let list = socket.request(&"example:".parse()?, &ListHooks)?;
    println!("{} has {} hooks", list.node.label(), list.links.len());
    let mut links = list.links;
    links.sort_by(|one, other| one.hook.cmp(&other.hook));
    for link in links {
        println!("{} leads to {} of a {}", link.hook, link.peer_hook, link.peer.type_name);
    }
    Ok(())
}
