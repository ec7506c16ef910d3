//! Several threads at once.

use super::*;
use crate::netgraph::{settle, snapshot};

/// Sends a generic message; what becomes of it depends on the others.
fn try_generic(from: &NodeRef, path: &str, command: u32, fields: &[(&str, usize)]) {
    let arguments: Vec<u8> = fields.iter().flat_map(|(text, size)| field(text, *size)).collect();
    let _ = send_while(from, path, header(NGM_GENERIC_COOKIE, command), &arguments, |_| {});
}

/// Connects to whatever is there, sends, and removes, again and again.
fn disturb(seed: u32, rounds: u32) {
    let node = make("mailbox");
    for round in 0..rounds {
        let other = format!("[{:x}]:", 1 + (seed + round) % 5);
        let (hook, theirs) = (format!("h{}", round % 3), format!("t{seed}"));
        let (ours, unique) = (format!("c{}", round % 4), format!("s{seed}r{round}"));
        try_generic(&node, ".:", NGM_MKPEER, &[("hub", 32), (&hook, 32), (&theirs, 32)]);
        try_generic(
            &node,
            ".:",
            commands::CONNECT,
            &[(&other, 512), (&ours, 32), (&unique, 32)],
        );
        try_generic(&node, &ours, commands::LISTHOOKS, &[]);
        try_generic(&node, &format!("{ours}.h1"), commands::NODEINFO, &[]);
        try_generic(&node, ".:", commands::NAME, &[(&format!("n{}", round % 3), 32)]);
        if round % 3 == 0 {
            try_generic(&node, ".:", commands::RMHOOK, &[(&ours, 32)]);
        }
        if round % 7 == 0 {
            try_generic(&node, &hook, commands::SHUTDOWN, &[]);
        }
    }
    let _ = connect::remove_later(&node);
}

#[test]
fn threads_that_connect_send_and_remove_leave_nothing() {
    let kernel = Kernel::boot();
    let threads = (0..4).map(|seed| crate::sync::thread::spawn(move || disturb(seed, 150)));
    let threads: Vec<_> = threads.collect();
    for thread in threads {
        thread.join().expect("the thread ends well");
    }
    settle();
    assert_eq!(snapshot(), []);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}
