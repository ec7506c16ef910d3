//! A message of a node type as a Rust type: what a tee has counted (netgraph/ng_tee.h).

mod kernel;

use kernel::kernel;
use netgraph::{Address, MakePeer, Malformed, Reader, Request, Socket};

/// `NGM_TEE_GET_STATS`: frames that came in on the left.
struct FramesFromTheLeft;

impl Request for FramesFromTheLeft {
    const COOKIE: u32 = 916_107_047;
    const COMMAND: u32 = 1;
    const NAME: &'static str = "getstats";
    const ANSWERED: bool = true;
    type Reply = u64;

    fn arguments(&self) -> Vec<u8> {
        Vec::new()
    }

    fn reply(bytes: &[u8]) -> Result<u64, Malformed> {
        let mut reader = Reader::new("a tee's statistics", bytes);
        // Four numbers of 64 bits for the right hook, then those for the left one: octets, frames, each in and out.
        reader.take(4 * 8)?;
        let _octets = reader.u64()?;
        reader.u64()
    }
}

fn main() -> netgraph::Result<()> {
    let mut socket = Socket::open_on(kernel(), None)?;
    let tee = MakePeer {
        type_name: "tee".parse()?,
        hook: "mine".parse()?,
        peer_hook: "left".parse()?,
    };
    socket.request(&Address::here(), &tee)?;
    socket.send_data(None, b"a frame")?;
    let frames = socket.request(&"mine".parse()?, &FramesFromTheLeft)?;
    println!("{frames} frame came from the left");
    Ok(())
}
