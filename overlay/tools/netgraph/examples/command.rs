//! Sends a command in words and shows the answer in words: `ngctl msg`, `NgSendAsciiMsg`, `NgRecvAsciiMsg`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, MakePeer, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let bridge = MakePeer {
        type_name: "bridge".parse()?,
        hook: "mine".parse()?,
        peer_hook: "link0".parse()?,
    };
    socket.request(&Address::here(), &bridge)?;
    let bridge: Address = "mine".parse()?;
    socket.command(&bridge, "setconfig", "{ maxStaleness=600 }")?;
    if let Some(answer) = socket.command(&bridge, "getconfig", "")? {
        let (command, arguments) = socket.to_ascii(&answer.from, &answer.message)?;
        println!("{command} {arguments}");
    }
    println!("{}", socket.command(&bridge, "fly", "").unwrap_err());
    Ok(())
}
