//! Asks a node for its state and its configuration in words: `ngctl status`, `ngctl config`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, Errno, MakePeer, Result, Socket, TextConfig, TextStatus};

fn main() -> Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let tee = MakePeer {
        type_name: "tee".parse()?,
        hook: "mine".parse()?,
        peer_hook: "left".parse()?,
    };
    socket.request(&Address::here(), &tee)?;
    let node = "mine".parse()?;
    show(socket.request(&node, &TextStatus))?;
    // With Some(text), the configuration is set.
    show(socket.request(&node, &TextConfig(None)))
}

/// Most types have neither, tee among them.
fn show(words: Result<String>) -> Result<()> {
    match words {
        Ok(words) => println!("{words}"),
        Err(error) if error.errno() == Some(Errno::EINVAL) => println!("{error}"),
        Err(error) => return Err(error),
    }
    Ok(())
}
