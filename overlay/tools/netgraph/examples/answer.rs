//! Asks another process by a message of one's own, and answers it: `NgSendMsg`, `NgRecvMsg`, `NgSendReplyMsg`.

mod kernel;

use std::time::{Duration, Instant};

use kernel::kernel;
use netgraph::{Address, Message, NodeName, Socket};

fn main() -> netgraph::Result<()> {
    let name: NodeName = "oracle".parse()?;
    let mut oracle = Socket::open_on(kernel(), Some(&name))?;
    let mut asker = Socket::open_on(kernel(), None)?;
    let question = Message {
        command: 1,
        flags: 0,
        token: 0,
        // A number of one's own, such as the time at which the messages were thought up.
        cookie: 1_790_000_000,
        name: "double".to_owned(),
        data: vec![21],
    };
    let token = asker.send(&Address::from(&name), question)?;

    let deadline = Instant::now() + Duration::from_secs(5);
    if let Some(asked) = oracle.receive(Some(deadline))? {
        let answer = asked.message.data.iter().map(|number| number * 2).collect();
        oracle.reply(&asked, answer)?;
    }
    if let Some(answer) = asker.reply_to(&Address::from(&name), token, deadline)? {
        println!("{} of {:?} is {:?}", answer.message.name, 21, answer.message.data);
    }
    Ok(())
}
