//! Has a node convert a message from words to binary and back: NGM_ASCII2BINARY, NGM_BINARY2ASCII.

mod kernel;

use kernel::kernel;
use netgraph::{Address, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let here = Address::here();
    let message = socket.to_binary(&here, "rmhook", "{ hook=\"left\" }")?;
    println!("command {}, {} bytes of arguments", message.command, message.data.len());
    let (command, arguments) = socket.to_ascii(&here, &message)?;
    println!("{command} {arguments}");

    let error = socket.to_binary(&here, "rmhook", "{ ourhook=\"left\" }").unwrap_err();
    println!("{error}");
    Ok(())
}
