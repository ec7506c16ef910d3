//! Breaks a link: `ngctl rmhook`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, ListHooks, MakePeer, RemoveHook, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    for hook in ["kept", "broken"] {
        let hub = MakePeer {
            type_name: "hub".parse()?,
            hook: hook.parse()?,
            peer_hook: "port".parse()?,
        };
        socket.request(&Address::here(), &hub)?;
    }
    socket.request(&Address::here(), &RemoveHook("broken".parse()?))?;
    for link in socket.request(&Address::here(), &ListHooks)?.links {
        println!("{} is left", link.hook);
    }
    Ok(())
}
