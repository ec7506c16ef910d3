//! Who may work on a node: many readers or one writer, and the queue of the others.

use std::collections::VecDeque;

use super::item::Item;
use crate::sync::{Condvar, Mutex, MutexGuard, lock};

/// How an item works on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Among others.
    Reader,
    /// Alone.
    Writer,
}

/// Whether an item may run.
pub(crate) enum Entry {
    /// Now; whoever applies it leaves the gate afterwards.
    Granted(Item),
    /// It was queued; the node is to be put on the work list if so said.
    Queued(Schedule),
}

/// Whether a node is to be put on the work list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    Node,
    Nothing,
}

#[derive(Default)]
struct Occupancy {
    readers: usize,
    writer: bool,
    queue: VecDeque<(Item, Mode)>,
    /// On the work list, or a worker is at it.
    scheduled: bool,
}

/// The gate of a node.
#[derive(Default)]
pub(crate) struct Gate {
    occupancy: Mutex<Occupancy>,
    left: Condvar,
}

impl Occupancy {
    fn admits(&self, mode: Mode) -> bool {
        !self.writer && (mode == Mode::Reader || self.readers == 0)
    }

    fn occupy(&mut self, mode: Mode) {
        match mode {
            Mode::Reader => self.readers += 1,
            Mode::Writer => self.writer = true,
        }
    }

    fn schedule(&mut self) -> Schedule {
        let ready = self.queue.front().is_some_and(|(_, mode)| self.admits(*mode));
        if !ready || self.scheduled {
            return Schedule::Nothing;
        }
        self.scheduled = true;
        Schedule::Node
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Occupancy> {
        lock(&self.occupancy)
    }

    /// Lets an item in, or queues it: behind what waits already, reader or not.
    pub(crate) fn enter(&self, item: Item, mode: Mode) -> Entry {
        let mut occupancy = self.lock();
        if occupancy.queue.is_empty() && occupancy.admits(mode) {
            occupancy.occupy(mode);
            return Entry::Granted(item);
        }
        occupancy.queue.push_back((item, mode));
        Entry::Queued(occupancy.schedule())
    }

    /// Queues an item in any case.
    pub(crate) fn push(&self, item: Item, mode: Mode) -> Schedule {
        let mut occupancy = self.lock();
        occupancy.queue.push_back((item, mode));
        occupancy.schedule()
    }

    /// For a worker: the next item, let in; `None` ends the worker's turn.
    pub(crate) fn next(&self) -> Option<(Item, Mode)> {
        let mut occupancy = self.lock();
        match occupancy.queue.pop_front() {
            Some((item, mode)) if occupancy.admits(mode) => {
                occupancy.occupy(mode);
                Some((item, mode))
            }
            blocked => {
                if let Some(blocked) = blocked {
                    occupancy.queue.push_front(blocked);
                }
                occupancy.scheduled = false;
                None
            }
        }
    }

    /// Whoever was let in is done.
    pub(crate) fn leave(&self, mode: Mode) -> Schedule {
        let mut occupancy = self.lock();
        match mode {
            Mode::Reader => occupancy.readers -= 1,
            Mode::Writer => occupancy.writer = false,
        }
        self.left.notify_all();
        occupancy.schedule()
    }

    /// Waits to be let in as the writer, ahead of the queue.
    pub(crate) fn occupy(&self) {
        let mut occupancy = self.lock();
        while !occupancy.admits(Mode::Writer) {
            occupancy = self.left.wait(occupancy).expect("a gate is whole");
        }
        occupancy.occupy(Mode::Writer);
    }

    /// Empties the queue.
    pub(crate) fn drain(&self) -> Vec<Item> {
        self.lock().queue.drain(..).map(|(item, _)| item).collect()
    }

    /// How many items wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().queue.len()
    }
}
