//! Every allocation of every operation fails once, in turn: no crash, no leak, the right errno, and the operation works the
//! next time.

mod operations;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hostkern::faults::{self, Site};
use hostkern::{Errno, Kernel, memory};
use models::world;

/// What a process is told when there is no memory: `ENOMEM`, `ENOBUFS`, and `EFAULT` by send(2) itself for its own copy.
const NO_MEMORY: [i32; 3] = [12, 55, 14];
/// No operation allocates as often.
const MANY: u64 = 200;

/// One test at a time, as there is one kernel, and one fault.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which allocations fail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    /// Those that can fail in FreeBSD: they do not sleep.
    NoWait,
    /// Those with `M_WAITOK`, too: code that does not rely on them is robust.
    Any,
}

/// What is in use, by name.
fn in_use() -> BTreeMap<String, (u64, u64)> {
    let usage = memory::usage();
    let live = usage.into_iter().filter(|usage| usage.live > 0);
    live.map(|usage| (usage.name, (usage.live, usage.bytes))).collect()
}

/// An operation on what `prepare` makes.
pub(crate) struct Operation<S, R> {
    /// Made without a fault, and put away without one.
    pub(crate) prepare: fn(&Kernel) -> S,
    /// Meets the fault.
    pub(crate) run: fn(&Kernel, &S) -> Result<R, Errno>,
}

/// How one try ended.
struct Try {
    struck: bool,
    failed: bool,
}

impl<S, R> Operation<S, R> {
    /// Runs the operation with its `nth` allocation failing, and then without a fault. The kernel is new, and looks for
    /// leaks at its end.
    fn once(&self, which: Which, nth: u64) -> Try {
        let kernel = world::boot(true);
        let before = in_use();
        let subject = (self.prepare)(&kernel);
        kernel.settle();
        faults::arm(Site::Allocation, nth, matches!(which, Which::Any));
        let result = (self.run)(&kernel, &subject);
        kernel.settle();
        let struck = faults::disarm();
        let failed = result.is_err();
        match result {
            Ok(made) => drop(made),
            Err(errno) => {
                let expected = NO_MEMORY.contains(&errno.get());
                assert!(
                    struck && expected,
                    "{which:?} {nth}: {errno:?}, struck: {:?}",
                    faults::struck()
                );
                let again = (self.run)(&kernel, &subject);
                assert!(
                    again.is_ok(),
                    "{which:?} {nth}: not the next time either: {:?}",
                    again.err()
                );
            }
        }
        drop(subject);
        kernel.settle();
        assert_eq!(in_use(), before, "{which:?} {nth}: leaked after {:?}", faults::struck());
        Try { struck, failed }
    }

    /// Has each allocation fail.
    pub(crate) fn each(&self) {
        let _turn = turn();
        for which in [Which::NoWait, Which::Any] {
            let tries: Vec<_> = (1..MANY)
                .map(|nth| self.once(which, nth))
                .take_while(|attempt| attempt.struck)
                .collect();
            assert!(tries.len() < MANY as usize - 1, "the operation allocates for ever");
            let failed = tries.iter().filter(|attempt| attempt.failed).count();
            eprintln!("{which:?}: {} allocations, {failed} of them matter", tries.len());
        }
    }
}
