use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kpi::shared::SyncCell;

use super::*;
use crate::report::testing::{Kernel, death};
use crate::sync::thread::{self as host, JoinHandle};

/// A mutex and the condition it guards.
struct Guarded {
    mtx: SyncCell<mtx>,
    condition: AtomicU32,
}

// SAFETY: memory that is used through the mutex functions has no tie to a thread.
unsafe impl Send for Guarded {}

impl Guarded {
    fn new(name: &'static std::ffi::CStr) -> Arc<Self> {
        let guarded = Arc::new(Self {
            // SAFETY: zeros are a valid mtx.
            mtx: SyncCell::new(unsafe { std::mem::zeroed() }),
            condition: AtomicU32::new(0),
        });
        // SAFETY: the memory stays as long as the Arc.
        unsafe { mutex::init(guarded.mtx.get(), name) };
        guarded
    }

    fn lock(&self) {
        // SAFETY: initialised.
        unsafe { mutex::lock(self.mtx.get()) }
    }

    fn unlock(&self) {
        // SAFETY: initialised.
        unsafe { mutex::unlock(self.mtx.get()) }
    }

    fn channel(&self) -> usize {
        self.mtx.get().addr()
    }

    /// Sleeps with the mutex, as a module does.
    fn sleep(&self, pri: c_int, sbt: i64) -> c_int {
        let chan = self.mtx.get().cast_const().cast();
        // SAFETY: the tests hold the mutex, or mean not to.
        unsafe { _sleep(chan, self.mtx.get().cast(), pri, c"test".as_ptr(), sbt, 0, 0x100) }
    }

    /// A thread that sleeps once, with the mutex, and says what came of it.
    fn sleeper(self: &Arc<Self>, pri: c_int, sbt: i64) -> (thread::Handle, JoinHandle<c_int>) {
        let guarded = Arc::clone(self);
        let (send, receive) = std::sync::mpsc::channel();
        let sleeper = host::spawn(move || {
            guarded.lock();
            send.send(thread::handle()).expect("the test waits");
            let result = guarded.sleep(pri, sbt);
            guarded.unlock();
            result
        });
        let handle = receive.recv().expect("the thread starts");
        (handle, sleeper)
    }
}

/// Waits until a thread sleeps.
fn until_asleep(handle: &thread::Handle) {
    while handle.sleeping_on().is_none() {
        host::yield_now();
    }
}

#[test]
fn wakeup_ends_a_sleep() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    let (handle, sleeper) = guarded.sleeper(0, 0);
    until_asleep(&handle);
    assert_eq!(handle.sleeping_on().as_deref(), Some("test"));
    assert_eq!(thread::sleepers().len(), 1);
    wakeup_channel(guarded.channel() + 1);
    assert!(handle.sleeping_on().is_some());
    // SAFETY: the channel is compared only.
    unsafe { wakeup(guarded.mtx.get().cast()) };
    assert_eq!(sleeper.join().expect("no panic"), 0);
    assert_eq!(handle.sleeping_on(), None);
}

#[test]
fn no_wakeup_is_lost() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    let other = Arc::clone(&guarded);
    const ROUNDS: u32 = 20_000;
    // Each waits for its parity of the counter, and wakes the other.
    let play = |guarded: Arc<Guarded>, parity: u32| {
        for _ in 0..ROUNDS {
            guarded.lock();
            while guarded.condition.load(Ordering::Relaxed) % 2 != parity {
                assert_eq!(guarded.sleep(0, 0), 0);
            }
            guarded.condition.fetch_add(1, Ordering::Relaxed);
            wakeup_channel(guarded.channel());
            guarded.unlock();
        }
    };
    let second = host::spawn(move || play(other, 1));
    play(Arc::clone(&guarded), 0);
    second.join().expect("no panic");
    assert_eq!(guarded.condition.load(Ordering::Relaxed), 2 * ROUNDS);
}

#[test]
fn one_is_woken_in_turn() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    let (first, first_sleeper) = guarded.sleeper(0, 0);
    until_asleep(&first);
    let (second, second_sleeper) = guarded.sleeper(0, 0);
    until_asleep(&second);
    // SAFETY: the channel is compared only.
    unsafe { wakeup_one(guarded.mtx.get().cast()) };
    assert_eq!(first_sleeper.join().expect("no panic"), 0);
    assert!(second.sleeping_on().is_some());
    // SAFETY: as above.
    unsafe { wakeup_one(guarded.mtx.get().cast()) };
    assert_eq!(second_sleeper.join().expect("no panic"), 0);
}

#[test]
fn interrupt_ends_interruptible_sleeps_only() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    let (handle, sleeper) = guarded.sleeper(PCATCH, 0);
    until_asleep(&handle);
    handle.interrupt();
    assert_eq!(sleeper.join().expect("no panic"), Errno::EINTR.get());
    let (handle, sleeper) = guarded.sleeper(0, 1 << 27);
    until_asleep(&handle);
    handle.interrupt();
    assert_eq!(sleeper.join().expect("no panic"), Errno::EWOULDBLOCK.get());
}

#[test]
fn interrupt_before_a_sleep_ends_the_next_one() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    thread::handle().interrupt();
    guarded.lock();
    assert_eq!(guarded.sleep(PCATCH, 0), Errno::EINTR.get());
    assert_eq!(guarded.sleep(PCATCH, 1 << 20), Errno::EWOULDBLOCK.get());
    guarded.unlock();
}

#[test]
fn fault_is_a_signal() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    faults::arm(Site::Sleep, 1, false);
    guarded.lock();
    assert_eq!(guarded.sleep(0, 1 << 20), Errno::EWOULDBLOCK.get());
    assert_eq!(guarded.sleep(PCATCH, 0), Errno::EINTR.get());
    guarded.unlock();
    assert!(faults::disarm());
}

#[test]
fn time_is_in_parts_of_a_second() {
    assert_eq!(timeout(0), None);
    assert_eq!(timeout(1 << 32), Some(Duration::from_secs(1)));
    assert_eq!(timeout(1 << 31), Some(Duration::from_millis(500)));
    assert_eq!(timeout(-1), None);
}

#[test]
fn pdrop_leaves_the_mutex() {
    let _kernel = Kernel::plain();
    let guarded = Guarded::new(c"a");
    guarded.lock();
    assert_eq!(guarded.sleep(PDROP, 1 << 20), Errno::EWOULDBLOCK.get());
    assert!(mutex::held().is_empty());
}

/// A misuse: the test's name, what it does, and what the report says.
macro_rules! misuses {
    ($($name:ident($work:expr) => $report:expr;)*) => {
        $(#[test]
        fn $name() {
            let report = death(concat!("sleep::tests::", stringify!($name)), || {
                let _kernel = Kernel::plain();
                let work: fn() = $work;
                work();
            });
            assert!(report.contains($report), "{report}");
        })*
    };
}

misuses! {
    sleep_with_another_mutex(|| {
        let (a, b) = (Guarded::new(c"a"), Guarded::new(c"b"));
        a.lock();
        b.lock();
        b.sleep(0, 0);
    }) => "panic: a sleep on test with mutex a held, taken at kmod/hostkern";
    sleep_without_the_mutex(|| { Guarded::new(c"a").sleep(0, 0); })
        => "panic: a sleep on test with a mutex that the thread does not hold";
    sleep_for_ever_without_a_mutex(|| {
        // SAFETY: there is no mutex.
        unsafe { sleep(1, std::ptr::null_mut(), false, "test", None) };
    }) => "panic: a sleep on test without a mutex, for ever";
    allocation_that_sleeps_with_a_mutex(|| {
        Guarded::new(c"a").lock();
        crate::memory::allocate(crate::memory::Zone::Item, 8, true);
    }) => "panic: an allocation of zone Item that may sleep with mutex a held, taken at kmod/hostkern";
}
