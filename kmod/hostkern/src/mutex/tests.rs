use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use kpi::shared::SyncCell;

use super::*;
use crate::report::testing::{Kernel, death};
use crate::sync::thread;

/// A mutex on the heap, as a module has it.
struct Mtx(SyncCell<mtx>);

// SAFETY: memory that is used through the mutex functions has no tie to a thread.
unsafe impl Send for Mtx {}

impl Mtx {
    /// Memory that is no mutex yet.
    fn raw() -> Self {
        // SAFETY: zeros are a valid mtx.
        Self(SyncCell::new(unsafe { std::mem::zeroed() }))
    }

    /// With options of mtx_init(9).
    fn with(name: &'static CStr, options: i32) -> Arc<Self> {
        let mtx = Arc::new(Self::raw());
        // SAFETY: the memory stays as long as the Arc.
        unsafe { _mtx_init(mtx.word(), name.as_ptr(), std::ptr::null(), options) };
        mtx
    }

    fn new(name: &'static CStr) -> Arc<Self> {
        Self::with(name, 0)
    }

    fn get(&self) -> *mut mtx {
        self.0.get()
    }

    /// What C functions and inlined code work on.
    fn word(&self) -> *mut usize {
        // SAFETY: stays inside the mutex.
        unsafe { &raw mut (*self.get()).mtx_lock }
    }

    fn atomic(&self) -> &AtomicUsize {
        // SAFETY: the word lives as long as self.
        unsafe { AtomicUsize::from_ptr(self.word()) }
    }

    #[track_caller]
    fn lock(&self) {
        // SAFETY: valid memory.
        unsafe { lock(self.get()) }
    }

    fn unlock(&self) {
        // SAFETY: valid memory.
        unsafe { unlock(self.get()) }
    }

    fn try_lock(&self) -> i32 {
        // SAFETY: valid memory; the file is a static string.
        unsafe { _mtx_trylock_flags_(self.word(), 0, c"tests.c".as_ptr(), 1) }
    }

    fn destroy(&self) {
        // SAFETY: valid memory.
        unsafe { destroy(self.get()) }
    }

    fn is_owned(&self) -> bool {
        // SAFETY: valid memory.
        unsafe { is_owned(self.get()) }
    }

    /// mtx_lock as a module tied to the kernel has it inlined.
    fn lock_inline(&self) {
        let me = crate::thread::current().addr();
        if let Err(value) = self
            .atomic()
            .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
        {
            // SAFETY: valid memory.
            unsafe { __mtx_lock_sleep(self.word(), value) };
        }
    }

    fn unlock_inline(&self) {
        let me = crate::thread::current().addr();
        if let Err(value) = self
            .atomic()
            .compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed)
        {
            // SAFETY: valid memory.
            unsafe { __mtx_unlock_sleep(self.word(), value) };
        }
    }
}

/// A way to take a mutex, and one to give it up.
type Pair = (fn(&Mtx), fn(&Mtx));

const CALLS: Pair = (Mtx::lock, Mtx::unlock);
const INLINE: Pair = (Mtx::lock_inline, Mtx::unlock_inline);

/// Has four threads count under a mutex, each by a pair of functions, and returns what they lost.
fn lost_counts((lock, unlock): Pair, every_other: Option<Pair>) -> u32 {
    const ROUNDS: u32 = 5000;
    let mtx = Mtx::new(c"counter");
    let count = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (mtx, count) = (Arc::clone(&mtx), Arc::clone(&count));
            let (lock, unlock) = every_other.filter(|_| number % 2 == 0).unwrap_or((lock, unlock));
            thread::spawn(move || {
                for _ in 0..ROUNDS {
                    lock(&mtx);
                    let seen = count.load(Ordering::Relaxed);
                    std::hint::spin_loop();
                    count.store(seen + 1, Ordering::Relaxed);
                    unlock(&mtx);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    mtx.destroy();
    4 * ROUNDS - count.load(Ordering::Relaxed)
}

#[test]
fn mutex_excludes_across_calls_and_inlined_code() {
    let _kernel = Kernel::plain();
    assert_eq!(lost_counts(CALLS, None), 0);
    assert_eq!(lost_counts(INLINE, None), 0);
    assert_eq!(lost_counts(CALLS, Some(INLINE)), 0);
    assert_eq!(lost_counts((Mtx::lock_inline, Mtx::unlock), Some(INLINE)), 0);
}

#[test]
fn lock_word_is_that_of_freebsd() {
    let _kernel = Kernel::plain();
    let mtx = Mtx::with(c"word", 4);
    let me = crate::thread::current().addr();
    assert_eq!(mtx.atomic().load(Ordering::Relaxed), 0);
    mtx.lock();
    assert_eq!(mtx.atomic().load(Ordering::Relaxed), me);
    mtx.lock();
    assert_eq!(mtx.atomic().load(Ordering::Relaxed), me | 1);
    mtx.unlock();
    assert_eq!(mtx.atomic().load(Ordering::Relaxed), me);
    mtx.unlock();
    mtx.destroy();
    assert_eq!(mtx.atomic().load(Ordering::Relaxed), 4);
}

#[test]
fn waiter_marks_the_word_contested() {
    let _kernel = Kernel::plain();
    let mtx = Mtx::new(c"contested");
    mtx.lock();
    let other = Arc::clone(&mtx);
    let waiter = thread::spawn(move || {
        other.lock();
        other.unlock();
    });
    while mtx.atomic().load(Ordering::Relaxed) & 2 == 0 {
        thread::yield_now();
    }
    assert!(mtx.is_owned());
    mtx.unlock();
    waiter.join().expect("no panic");
}

#[test]
fn held_names_mutexes_and_places() {
    let _kernel = Kernel::plain();
    let (a, b) = (Mtx::new(c"a"), Mtx::new(c"b"));
    a.lock();
    b.lock();
    let names: Vec<_> = held().into_iter().map(|held| held.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(held()[0].to_string().contains("mutex/tests.rs:"), "{}", held()[0]);
    a.unlock();
    b.unlock();
    assert!(held().is_empty());
}

#[test]
fn trylock_does_not_wait() {
    let _kernel = Kernel::plain();
    let mtx = Mtx::new(c"try");
    assert_eq!(mtx.try_lock(), 1);
    let other = Arc::clone(&mtx);
    assert_eq!(thread::spawn(move || other.try_lock()).join().expect("no panic"), 0);
    mtx.unlock();
    assert!(held().is_empty());
}

#[test]
fn elided_mutex_excludes_nobody() {
    let _kernel = Kernel::plain();
    let mtx = Mtx::new(c"elided");
    elide("elided");
    mtx.lock();
    let other = Arc::clone(&mtx);
    let both = thread::spawn(move || {
        other.lock();
        let owned = other.is_owned();
        other.unlock();
        owned
    });
    assert!(both.join().expect("no panic"));
    assert!(mtx.is_owned());
    mtx.unlock();
    assert!(!mtx.is_owned());
}

#[test]
fn destroy_gives_up_a_mutex_of_ones_own() {
    let _kernel = Kernel::plain();
    let mtx = Mtx::new(c"own");
    mtx.lock();
    mtx.destroy();
    assert!(held().is_empty());
}

#[test]
fn one_order_and_dupok_are_no_reversal() {
    let _kernel = Kernel::plain();
    let (a, b) = (Mtx::new(c"a"), Mtx::new(c"b"));
    let (c, d) = (Mtx::with(c"c", 0x10), Mtx::with(c"c", 0x10));
    for mtx in [&a, &b, &c, &d, &a, &b, &c, &d] {
        if Arc::ptr_eq(mtx, &a) {
            assert!(held().is_empty());
        }
        mtx.lock();
        if Arc::ptr_eq(mtx, &d) {
            [&a, &b, &c, &d].into_iter().for_each(|mtx| mtx.unlock());
        }
    }
}

/// A misuse: the test's name, what it does, and what the report says.
macro_rules! misuses {
    ($($name:ident($work:expr) => $report:expr;)*) => {
        $(#[test]
        fn $name() {
            let report = death(concat!("mutex::tests::", stringify!($name)), || {
                let _kernel = Kernel::plain();
                let work: fn() = $work;
                work();
            });
            assert!(report.contains($report), "{report}");
        })*
    };
}

misuses! {
    recursion_is_a_panic(|| { let a = Mtx::new(c"a"); a.lock(); a.lock() })
        => "panic: mutex a, which is not recursive, is taken again at kmod/hostkern/src/mutex/tests.rs:";
    report_names_held_mutexes(|| { let a = Mtx::new(c"a"); a.lock(); report::panic("x") })
        => "\n  holds: mutex a (0x";
    unlock_by_another_is_a_panic(|| {
        let a = Mtx::new(c"a");
        let other = Arc::clone(&a);
        let _ = thread::spawn(move || { other.lock(); thread::sleep(Duration::from_secs(60)) });
        while a.atomic().load(Ordering::Relaxed) == 0 { thread::yield_now() }
        a.unlock()
    }) => "panic: mutex a not owned at kmod/hostkern";
    unlock_of_a_free_mutex_is_a_panic(|| Mtx::new(c"a").unlock()) => "panic: mutex a not owned";
    lock_of_garbage_is_a_panic(|| Mtx::raw().lock()) => "panic: lock of an uninitialised mutex";
    lock_after_destroy_is_a_panic(|| { let a = Mtx::new(c"a"); a.destroy(); a.lock() })
        => "panic: lock of a destroyed mutex";
    double_destroy_is_a_panic(|| { let a = Mtx::new(c"a"); a.destroy(); a.destroy() })
        => "panic: destroy of a destroyed mutex";
    double_init_is_a_panic(|| {
        let a = Mtx::new(c"a");
        // SAFETY: valid memory.
        unsafe { init(a.get(), c"b") }
    }) => "panic: mutex a initialised twice";
    destroy_of_a_recursed_mutex_is_a_panic(|| { let a = Mtx::with(c"a", 4); a.lock(); a.lock(); a.destroy() })
        => "panic: mutex a destroyed while held more than once";
    destroy_while_another_holds_is_a_panic(|| {
        let a = Mtx::new(c"a");
        let other = Arc::clone(&a);
        let _ = thread::spawn(move || { other.lock(); thread::sleep(Duration::from_secs(60)) });
        while a.atomic().load(Ordering::Relaxed) == 0 { thread::yield_now() }
        a.destroy()
    }) => "panic: mutex a destroyed while held by another thread";
    reversal_is_a_panic(|| {
        let (a, b) = (Mtx::new(c"a"), Mtx::new(c"b"));
        a.lock(); b.lock(); b.unlock(); a.unlock();
        b.lock(); a.lock()
    }) => "panic: lock order reversal: a is taken at kmod/hostkern/src/mutex/tests.rs:";
    reversal_by_way_of_a_third_is_a_panic(|| {
        let (a, b, c) = (Mtx::new(c"a"), Mtx::new(c"b"), Mtx::new(c"c"));
        a.lock(); b.lock(); b.unlock(); a.unlock();
        b.lock(); c.lock(); c.unlock(); b.unlock();
        c.lock(); a.lock()
    }) => "; c at kmod/hostkern";
    two_of_one_class_are_a_panic(|| {
        let (a, b) = (Mtx::new(c"a"), Mtx::new(c"a"));
        a.lock(); b.lock()
    }) => "panic: two mutexes of one class: a is taken at";
    thread_that_ends_with_a_mutex_is_a_panic(|| {
        let _ = thread::spawn(|| Mtx::new(c"a").lock()).join();
    }) => "panic: the thread ends with a mutex held: mutex a";
    return_with_a_mutex_is_a_panic(|| { let a = Mtx::new(c"a"); a.lock(); crate::thread::assert_clean() })
        => "panic: the thread returns to user space with a mutex held";
    assertion_of_ownership_is_a_panic(|| {
        let a = Mtx::new(c"a");
        // SAFETY: valid memory; the file is a static string.
        unsafe { __mtx_assert(a.word(), 4, c"x.c".as_ptr(), 9) }
    }) => "panic: mutex a not owned at x.c:9";
}
