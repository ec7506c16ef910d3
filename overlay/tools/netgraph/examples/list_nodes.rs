//! Lists all nodes, and those that have a name: `ngctl list`.

mod kernel;

use kernel::kernel;
use netgraph::{Address, ListNames, ListNodes, NodeName, Socket};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "lister".parse()?;
    let mut socket = Socket::open_on(kernel(), Some(&name))?;
    let _another_one = Socket::open_on(kernel(), None)?;
    for node in socket.request(&Address::here(), &ListNodes)? {
        println!("{} is a {} with {} hooks", node.label(), node.type_name, node.hooks);
    }
    let named = socket.request(&Address::here(), &ListNames)?;
    println!("{} of them has a name", named.len());
    Ok(())
}
