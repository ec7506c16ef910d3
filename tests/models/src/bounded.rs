//! Which thread runs next: all schedules with few preemptions, one after the other, or a sample of them.
//!
//! A preemption is a switch away from a thread that could go on. Switches that have to be (the thread waits, ends, or has
//! nothing to do) are free, and all of their outcomes are explored. Races mostly need one or two preemptions (Musuvathi and
//! Qadeer, "Iterative Context Bounding", PLDI 2007).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// What the search and those who started it both see.
#[derive(Debug, Default)]
pub struct Search {
    /// Whether there is something to explore now; else the running thread goes on as long as it can.
    pub racing: AtomicBool,
    /// Executions so far.
    pub executions: AtomicUsize,
}

/// Which schedules are tried.
#[derive(Debug, Clone, Copy)]
pub enum Extent {
    /// All.
    All,
    /// So many, chosen at random, but the same each time.
    Sample(usize),
}

/// A choice that was met while racing.
#[derive(Debug)]
struct Choice {
    options: Vec<TaskId>,
    /// The option of the present execution.
    taken: usize,
    /// Whether every option but the first is a preemption.
    preempts: bool,
}

/// Explores depth first.
#[derive(Debug)]
pub struct Bounded {
    search: Arc<Search>,
    /// Preemptions per execution, at most.
    bound: usize,
    extent: Extent,
    path: Vec<Choice>,
    /// How many choices of the path the present execution has met.
    met: usize,
    /// Its preemptions.
    preemptions: usize,
    random: u64,
    /// How many choices the execution before this one met.
    length: usize,
    /// Who waits for something to happen, or for time to pass: not before everyone else has done what he can.
    idle: Vec<TaskId>,
}

impl Bounded {
    pub fn new(search: Arc<Search>, bound: usize, extent: Extent) -> Self {
        Self {
            search,
            bound,
            extent,
            random: 0x9e37_79b9_7f4a_7c15,
            length: 1,
            path: Vec::new(),
            met: 0,
            preemptions: 0,
            idle: Vec::new(),
        }
    }

    /// Goes on to the next path; false if that was the last.
    fn advance(&mut self) -> bool {
        while let Some(choice) = self.path.last_mut() {
            choice.taken += 1;
            if choice.taken < choice.options.len() {
                return true;
            }
            self.path.pop();
        }
        false
    }

    fn choice(&mut self, runnable: &[&Task], running: Option<TaskId>) -> Choice {
        let mut options: Vec<_> = runnable.iter().map(|task| task.id()).collect();
        if options.iter().all(|option| self.idle.contains(option)) {
            self.idle.clear();
        }
        options.retain(|option| !self.idle.contains(option));
        let running = running.and_then(|running| options.iter().position(|option| *option == running));
        if let Some(index) = running {
            options[..=index].rotate_right(1);
        }
        let preempts = running.is_some();
        if preempts && self.preemptions == self.bound {
            options.truncate(1);
        }
        Choice {
            options,
            taken: 0,
            preempts,
        }
    }
}

impl Bounded {
    /// A number below `end`: xorshift64.
    fn draw(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % end as u64) as usize
    }

    /// Takes an option at random; a preemption seldom enough for the last of them to come as late as it may.
    fn sample(&mut self, mut choice: Choice) -> Choice {
        if !choice.preempts || self.draw(self.length) < self.bound {
            choice.taken = self.draw(choice.options.len());
        }
        choice
    }
}

impl Scheduler for Bounded {
    fn new_execution(&mut self) -> Option<Schedule> {
        let executions = self.search.executions.fetch_add(1, Ordering::Relaxed);
        let goes_on = match self.extent {
            Extent::All => executions == 0 || self.advance(),
            Extent::Sample(size) => executions < size,
        };
        if !goes_on {
            self.search.executions.store(executions, Ordering::Relaxed);
            return None;
        }
        self.length = self.met.max(1);
        self.met = 0;
        self.preemptions = 0;
        self.idle.clear();
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], running: Option<TaskId>, is_idle: bool) -> Option<TaskId> {
        self.idle.extend(running.filter(|_| is_idle));
        let choice = self.choice(runnable, running);
        if !self.search.racing.load(Ordering::Relaxed) || choice.options.len() == 1 {
            return choice.options.first().copied();
        }
        let choice = match self.extent {
            Extent::All => {
                if self.met == self.path.len() {
                    self.path.push(choice);
                }
                &self.path[self.met]
            }
            Extent::Sample(_) => &self.sample(choice),
        };
        self.met += 1;
        self.preemptions += usize::from(choice.preempts && choice.taken > 0);
        choice.options.get(choice.taken).copied()
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("models draw no random numbers")
    }
}
