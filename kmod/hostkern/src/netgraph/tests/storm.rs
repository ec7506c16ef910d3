//! Several threads at once.

use super::*;
use crate::netgraph::{settle, snapshot};

/// Connects to whatever is there, sends, and removes, again and again.
fn disturb(seed: u32, rounds: u32) {
    let node = make("mailbox");
    for round in 0..rounds {
        let other = 1 + (seed + round) % 5;
        let hook = format!("h{}", round % 3);
        let _ = make_peer(&node, "hub", &hook, &format!("t{seed}"));
        let _ = join(&node, &format!("[{other:x}]:"), &format!("c{}", round % 4), &format!("s{seed}r{round}"));
        let _ = generic(&node, &hook, commands::LISTHOOKS, &[]);
        let _ = generic(&node, &format!("{hook}.t{other}"), commands::NODEINFO, &[]);
        if round % 3 == 0 {
            let _ = generic(&node, ".:", commands::RMHOOK, &field(&hook, 32));
        }
        if round % 7 == 0 {
            let _ = generic(&node, &hook, commands::SHUTDOWN, &[]);
        }
    }
    let _ = connect::remove_later(&node);
}

#[test]
fn threads_that_connect_send_and_remove_leave_nothing() {
    let kernel = Kernel::boot();
    let threads = (0..4).map(|seed| crate::sync::thread::spawn(move || disturb(seed, 60)));
    let threads: Vec<_> = threads.collect();
    for thread in threads {
        thread.join().expect("the thread ends well");
    }
    settle();
    assert_eq!(snapshot(), []);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}
