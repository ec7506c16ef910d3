//! Waits for messages, packets and anything else in one loop, without blocking in any of them.

mod kernel;

use kernel::kernel;
use netgraph::{Address, MakePeer, Socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut socket = Socket::open_on(kernel(), None)?;
    socket.open_data()?;
    let echo = MakePeer {
        type_name: "echo".parse()?,
        hook: "mine".parse()?,
        peer_hook: "any".parse()?,
    };
    socket.request(&Address::here(), &echo)?;
    socket.send_data(None, b"a packet that comes back")?;
    let question = socket.to_binary(&Address::here(), "nodeinfo", "")?;
    let token = socket.send(&Address::here(), question)?;

    let mut buffer = [0; 65536];
    let mut left = 2;
    while left > 0 {
        // First what is there, then the wait: a request may have read messages that no descriptor tells of any more.
        while let Some(incoming) = socket.try_receive()? {
            println!("a message, answer to ours: {}", incoming.message.token == token);
            left -= 1;
        }
        while let Some((length, hook)) = socket.try_receive_data(&mut buffer)? {
            println!("a packet of {length} bytes by {hook}");
            left -= 1;
        }
        if left > 0 {
            let mut descriptors = vec![PollFd::new(&socket, PollFlags::IN)];
            descriptors.extend(socket.data_endpoint().map(|data| PollFd::new(data, PollFlags::IN)));
            poll(&mut descriptors, Some(&Timespec { tv_sec: 5, tv_nsec: 0 }))?;
        }
    }
    Ok(())
}
