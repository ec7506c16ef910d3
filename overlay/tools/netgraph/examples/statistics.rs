//! Reads what the own node has counted. FreeBSD's own ng_socket does not count; ngforge's does.

mod kernel;

use kernel::kernel;
use netgraph::{Address, GetStatistics, MakePeer, Socket, TakeStatistics};

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let here = Address::here();
    let echo = MakePeer {
        type_name: "echo".parse()?,
        hook: "mine".parse()?,
        peer_hook: "any".parse()?,
    };
    socket.request(&here, &echo)?;
    for packet in [&b"one"[..], b"two"] {
        socket.send_data(None, packet)?;
    }
    let statistics = socket.request(&here, &TakeStatistics)?;
    println!("{} packets out, {} in", statistics.data_out, statistics.data_in);
    println!("lost: {}", statistics.drops);
    println!(
        "since then: {} packets out",
        socket.request(&here, &GetStatistics)?.data_out
    );
    Ok(())
}
