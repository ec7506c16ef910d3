//! Watches what happens to the own node. FreeBSD's own ng_socket tells nothing; ngforge's does.

mod kernel;

use kernel::kernel;
use netgraph::{Address, Connect, EventMask, Name, NodeName, RemoveHook, Socket};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "watched".parse()?;
    let mut watched = Socket::open_on(kernel(), Some(&name))?;
    let mut other = Socket::open_on(kernel(), None)?;
    let mut events = watched.events(EventMask::ALL)?;

    let link = Connect {
        peer: Address::from(&name),
        hook: "out".parse()?,
        peer_hook: "in".parse()?,
    };
    other.request(&Address::here(), &link)?;
    other.request(&Address::here(), &RemoveHook("out".parse()?))?;
    other.request(&Address::from(&name), &Name("renamed".parse()?))?;

    for told in events.by_ref().take(3) {
        let told = told?;
        println!("{}. {} ({} missing)", told.number, told.event, told.missing);
    }
    println!("then {:?}", events.try_next()?);
    Ok(())
}
