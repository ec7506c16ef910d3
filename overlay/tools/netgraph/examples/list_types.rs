//! Lists the node types that are loaded, and how many nodes of each there are: `ngctl types`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, ListTypes, Socket};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let mut types = socket.request(&Address::here(), &ListTypes)?;
    types.sort_by(|one, other| one.name.cmp(&other.name));
    for kind in types {
        println!("{}: {}", kind.name, kind.nodes);
    }
    Ok(())
}
