//! Models: a kernel, two threads that race in it, and what must hold afterwards, whichever way they ran.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hostkern::{Kernel, mutex};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner, thread};

use crate::bounded::{Bounded, Extent, Search};
use crate::world;

/// Bytes; the hosted kernel is a debug build.
const STACK: usize = 512 << 10;
/// Scheduling points of one execution; more is a livelock.
const STEPS: usize = 200_000;
/// What is explored: up to so many preemptions each.
const SEARCHES: [(usize, Extent); 3] = [(0, Extent::All), (1, Extent::All), (3, Extent::Sample(1000))];
/// Says which test's child a process is.
const CHILD: &str = "MODELS_TEST_CHILD";
/// A child takes no longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The kernel of one execution.
pub struct Arena {
    /// The kernel.
    pub kernel: Kernel,
    search: Arc<Search>,
}

impl Arena {
    /// Runs both at the same time, until netgraph has nothing left to do. What each returns.
    ///
    /// # Panics
    /// One of them panicked.
    pub fn race<A: Send + 'static, B: Send + 'static>(
        &self,
        first: impl FnOnce() -> A + Send + 'static,
        second: impl FnOnce() -> B + Send + 'static,
    ) -> (A, B) {
        let (first, second) = (thread::spawn(first), thread::spawn(second));
        self.search.racing.store(true, Ordering::Relaxed);
        let first = first.join().expect("the first racer arrives");
        let second = second.join().expect("the second racer arrives");
        self.kernel.settle();
        self.search.racing.store(false, Ordering::Relaxed);
        (first, second)
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.failure_persistence = FailurePersistence::Print;
    config.silence_warnings = true;
    config
}

/// Explores a model with up to `bound` preemptions.
fn explore((bound, extent): (usize, Extent), elided: Option<&'static str>, model: fn(&Arena)) {
    /// One at a time, as there is one kernel.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let search = Arc::new(Search::default());
    let scheduler = Bounded::new(Arc::clone(&search), bound, extent);
    let of_execution = Arc::clone(&search);
    Runner::new(scheduler, config()).run(move || {
        // Without the mutex memory is misused: have that fault.
        let kernel = world::boot(elided.is_some());
        if let Some(name) = elided {
            mutex::elide(name);
        }
        let arena = Arena {
            kernel,
            search: Arc::clone(&of_execution),
        };
        model(&arena);
        drop(arena);
    });
    let executions = search.executions.load(Ordering::Relaxed);
    eprintln!("up to {bound} preemptions: {extent:?}, {executions} executions");
}

/// Explores a model with no preemption, with one, and a sample of more. Panics, with the schedule, in the first execution
/// that goes wrong.
pub fn holds(model: fn(&Arena)) {
    SEARCHES.into_iter().for_each(|search| explore(search, None, model));
}

/// Explores a model of the test called `test` with the exclusion taken out of the mutexes called `elided`, in a child, which
/// must go wrong. Returns what it reported.
///
/// # Panics
/// Nothing went wrong: the model does not see what the mutex is for.
pub fn fails_without(test: &str, elided: &'static str, model: fn(&Arena)) -> String {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            eprintln!("the model hangs");
            std::process::abort();
        });
        SEARCHES
            .into_iter()
            .for_each(|search| explore(search, Some(elided), model));
        std::process::exit(0);
    }
    let child = Command::new(std::env::current_exe().expect("the test's own path"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, test)
        .output()
        .expect("the test starts once more");
    let report = String::from_utf8_lossy(&child.stderr).into_owned();
    let failed = child.status.code() == Some(101) || child.status.signal().is_some();
    assert!(
        failed,
        "nothing goes wrong without {elided}: {:?}\n{report}",
        child.status
    );
    report
}
