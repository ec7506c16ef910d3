//! Has the own node refuse hooks. FreeBSD's own ng_socket accepts all; ngforge's can be told.

mod kernel;

use kernel::kernel;
use netgraph::{Accept, Address, GetHookPolicy, HookPolicy, MakePeer, SetHookPolicy, Socket};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let here = Address::here();
    let policy = HookPolicy::new(Accept::Prefixed(vec!["lan".parse()?]))?.with_limit(8);
    socket.request(&here, &SetHookPolicy(policy))?;
    println!("{:?}", socket.request(&here, &GetHookPolicy)?.accept());

    for hook in ["lan0", "wan0"] {
        let hub = MakePeer {
            type_name: "hub".parse()?,
            hook: hook.parse()?,
            peer_hook: "port".parse()?,
        };
        match socket.request(&here, &hub) {
            Ok(()) => println!("{hook} is accepted"),
            Err(error) => println!("{hook}: {error}"),
        }
    }
    Ok(())
}
