//! The threads that apply what was queued.

use std::collections::VecDeque;

use kpi::epoch::NetEpoch;

use super::gate::Schedule;
use super::item::Content;
use super::node::NodeRef;
use super::{send, state};
use crate::sleep;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, thread};
use crate::thread::{self as kthread, Credentials};

/// More than one, so that nodes meet items of different threads; for the model checker, a second one is only more to explore.
const WORKERS: usize = if cfg!(feature = "shuttle") { 1 } else { 2 };

#[derive(Default)]
struct Worklist {
    /// Nodes whose first queued item can run.
    ready: VecDeque<NodeRef>,
    /// Items that are queued or that a worker applies, and nodes that are on the list or that a worker is at.
    outstanding: usize,
    stopping: bool,
    workers: Vec<thread::JoinHandle<()>>,
}

/// What there is to do.
#[derive(Default)]
pub(super) struct Work {
    list: Mutex<Worklist>,
    arrived: Condvar,
    settled: Condvar,
}

fn worklist() -> MutexGuard<'static, Worklist> {
    lock(&state().work.list)
}

/// Puts a node on the list, if it is to be.
pub(super) fn schedule(node: &NodeRef, schedule: Schedule) {
    if schedule == Schedule::Node {
        let mut list = worklist();
        list.ready.push_back(node.clone());
        list.outstanding += 1;
        state().work.arrived.notify_one();
    }
}

/// One more item is about to be queued.
pub(super) fn expect() {
    worklist().outstanding += 1;
}

/// So much is done.
pub(super) fn done(count: usize) {
    let mut list = worklist();
    list.outstanding -= count;
    if list.outstanding == 0 {
        state().work.settled.notify_all();
    }
}

/// Waits until no item is queued or being applied by a worker. (Items for a node that is held stay queued.)
pub fn settle() {
    let mut list = worklist();
    while list.outstanding != 0 {
        if list.workers.is_empty() {
            drop(list);
            while work_once() {}
            return;
        }
        list = state().work.settled.wait(list).expect("the work list is whole");
    }
}

pub(super) fn start() {
    let workers = (0..WORKERS).map(|_| thread::spawn(work)).collect();
    worklist().workers = workers;
}

/// Does without threads: from now on whoever waits, by [`settle`] or by a sleep, applies what was queued.
///
/// For a kernel that one thread uses: it does the same each time, and no thread waits for another one to run.
pub fn work_alone() {
    stop();
    worklist().stopping = false;
    sleep::have_help(work_once);
}

/// Has the workers finish what they can.
pub(super) fn stop() {
    let workers = {
        let mut list = worklist();
        list.stopping = true;
        core::mem::take(&mut list.workers)
    };
    state().work.arrived.notify_all();
    for worker in workers {
        worker.join().expect("a netgraph thread does not panic");
    }
}

fn work() {
    while let Some(node) = wait_for_work() {
        serve(node);
    }
}

/// Works on one node, if one is ready.
fn work_once() -> bool {
    let node = worklist().ready.pop_front();
    node.map(serve).is_some()
}

/// Works on a node that was on the list.
fn serve(node: NodeRef) {
    let vnet = node.vnet();
    kthread::with(Credentials::Root, vnet, || {
        work_on(&node);
        drop(node);
    });
    done(1);
}

fn wait_for_work() -> Option<NodeRef> {
    let mut list = worklist();
    loop {
        if let Some(node) = list.ready.pop_front() {
            return Some(node);
        }
        if list.stopping {
            return None;
        }
        list = state().work.arrived.wait(list).expect("the work list is whole");
    }
}

/// Applies items of a node until it has none that can run: messages outside the network's epoch, all else inside.
fn work_on(node: &NodeRef) {
    while let Some((mut item, mode)) = node.gate().next() {
        let destination = item.take_destination();
        // Whoever waits for the item has its answer by the callback.
        let _ = match item.content() {
            Content::Message => send::apply(node, item, mode),
            Content::Data | Content::Step(_) => NetEpoch::run(|_| send::apply(node, item, mode)),
        };
        drop(destination);
        done(1);
    }
}
