//! Loads a kernel module, such as that of a node type: `kldload`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, ListTypes, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    socket.load_module("ng_hole")?;
    let types = socket.request(&Address::here(), &ListTypes)?;
    println!("hole is loaded: {}", types.iter().any(|kind| kind.name == "hole"));
    // One that is loaded already is no error, one that does not exist is.
    socket.load_module("ng_hole")?;
    println!("{}", socket.load_module("ng_misspelt").unwrap_err());
    Ok(())
}
