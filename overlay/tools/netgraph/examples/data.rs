//! Sends packets through the graph and receives them: `nghook`, `NgSendData`, `NgRecvData`.

mod kernel;

use std::time::{Duration, Instant};

use kernel::kernel;
use netgraph::{Address, Connect, HookName, NodeName, Socket};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "receiver".parse()?;
    let mut sender = Socket::open_on(kernel(), None)?;
    let mut receiver = Socket::open_on(kernel(), Some(&name))?;
    // Packets that come before there is a data socket are dropped.
    receiver.open_data()?;
    let hook: HookName = "out".parse()?;
    let link = Connect {
        peer: Address::from(&name),
        hook: hook.clone(),
        peer_hook: "in".parse()?,
    };
    sender.request(&Address::here(), &link)?;
    sender.send_data(Some(&hook), b"hello")?;
    sender.send_data(None, b"through the only hook")?;

    let mut buffer = [0; 65536];
    let deadline = Instant::now() + Duration::from_secs(5);
    for _ in 0..2 {
        if let Some((length, hook)) = receiver.receive_data(&mut buffer, Some(deadline))? {
            println!("{hook}: {}", String::from_utf8_lossy(&buffer[..length]));
        }
    }
    Ok(())
}
