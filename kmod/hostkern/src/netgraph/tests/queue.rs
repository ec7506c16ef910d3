//! Items that wait, and what becomes of those who sent them.

use super::*;
use crate::netgraph::errors::ENOENT;
use crate::netgraph::{capture, hold, native, settle, snapshot};

#[test]
fn an_item_for_a_busy_node_waits() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    let held = hold(node.id()).expect("the node is there");
    let told = send_while(&node, ".:", header(1, 1), &[], |code| {
        assert_eq!((code, held.waiting()), (EINPROGRESS, 1));
        drop(held);
    });
    assert_eq!(told, 0);
    assert_eq!(mail(&node).len(), 1);
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn what_waits_for_a_removed_node_is_thrown_away() {
    let kernel = Kernel::boot();
    let (from, to) = (make("mailbox"), make("mailbox"));
    let held = hold(to.id()).expect("the node is there");
    assert_eq!(connect::remove_later(&to), 0);
    let path = format!("[{:x}]:", to.id());
    let told = send_while(&from, &path, header(1, 1), &[], |code| {
        assert_eq!((code, held.waiting()), (EINPROGRESS, 2));
        drop(held);
    });
    assert_eq!(told, ENOENT);
    drop(to);
    settle();
    assert_eq!(snapshot().len(), 1);
    dispose(from);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_capture_answers_as_told() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "capture", "out", "in"), 0);
    let id = snapshot()[1].id;
    for code in [0, 5, -1] {
        capture::answer(id, code).expect("the node is there");
        assert_eq!(send(&node, "out", header(1, 1), &[]), code);
    }
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn an_item_that_cannot_be_sent_is_freed() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(send(&node, "nosuch", header(1, 1), &[]), ENOENT);
    assert_eq!(send(&node, "a..b", header(1, 1), &[]), EINVAL);
    // SAFETY: no packet.
    let item = unsafe { exports::ng_package_data(core::ptr::null_mut(), 0) };
    let item = NonNull::new(item).expect("there is memory");
    // SAFETY: ours.
    unsafe { exports::ng_free_item(item.as_ptr()) };
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_hook_may_ask_for_a_queue() {
    let kernel = Kernel::boot();
    let node = make("mailbox");
    assert_eq!(make_peer(&node, "capture", "out", "in"), 0);
    let sink = path::resolve(Some(&node), b"out").expect("connected just now").0;
    let inward = connect::find_hook(&sink, c"in").expect("connected just now");
    let outward = connect::find_hook(&node, c"out").expect("connected just now");
    inward.flags.fetch_or(crate::netgraph::hook::QUEUE, Ordering::Relaxed);
    let held = hold(sink.id()).expect("the node is there");
    assert_eq!(native::send_bytes(b"x", &outward), Ok(()));
    assert_eq!((held.waiting(), capture::received(sink.id())), (1, Ok(vec![])));
    drop(held);
    settle();
    assert_eq!(capture::received(sink.id()), Ok(vec![("in".to_owned(), b"x".to_vec())]));
    drop((sink, inward, outward));
    dispose(node);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn readers_share_a_node_and_a_writer_does_not() {
    use crate::netgraph::gate::{Entry, Gate, Mode, Schedule};
    let kernel = Kernel::boot();
    let gate = Gate::default();
    let item = || Item::with_step(crate::netgraph::step::Step::RemoveNode).expect("there is memory");
    for _ in 0..2 {
        assert!(matches!(gate.enter(item(), Mode::Reader), Entry::Granted(_)));
    }
    assert!(matches!(
        gate.enter(item(), Mode::Writer),
        Entry::Queued(Schedule::Nothing)
    ));
    assert!(
        matches!(gate.enter(item(), Mode::Reader), Entry::Queued(Schedule::Nothing)),
        "behind the writer"
    );
    assert_eq!(gate.leave(Mode::Reader), Schedule::Nothing);
    assert_eq!(gate.leave(Mode::Reader), Schedule::Node);
    assert!(gate.next().is_some_and(|(_, mode)| mode == Mode::Writer));
    assert!(gate.next().is_none(), "the writer is alone");
    assert_eq!(gate.leave(Mode::Writer), Schedule::Node);
    assert!(gate.next().is_some_and(|(_, mode)| mode == Mode::Reader));
    drop(gate);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}
