//! Mutexes and condition variables for shuttle, whose threads run one at a time.
//!
//! shuttle's own mutexes let others run at each lock. The hosted kernel's inner locks are no part of what is modelled, so
//! these do not: the states to explore are those at [`yield_point`] only. A thread that meets a lock which is taken, by
//! one that yielded with it held, yields itself.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, LockResult, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use shuttle::sync::mpsc::{Sender, channel};
use shuttle::thread;

/// Nanoseconds that threads have waited.
static PASSED: AtomicU64 = AtomicU64::new(0);

/// The time: that of the first call, and what threads have waited since.
pub fn now() -> Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START + Duration::from_nanos(PASSED.load(Ordering::Relaxed))
}

/// A place where another thread may run.
pub fn yield_point() {
    // For shuttle this is a switch, and no hint that the thread has nothing to do.
    thread::sleep(Duration::ZERO);
}

/// As [`std::sync::Mutex`].
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A mutex that nobody has.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// As [`std::sync::Mutex::lock`].
    ///
    /// # Errors
    /// A thread panicked with it held.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        loop {
            match self.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => thread::yield_now(),
            }
        }
    }

    /// As [`std::sync::Mutex::try_lock`].
    ///
    /// # Errors
    /// It is taken, or a thread panicked with it held.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError<MutexGuard<'_, T>>> {
        let guarded = |guard| MutexGuard { mutex: self, guard };
        match self.0.try_lock() {
            Ok(guard) => Ok(guarded(guard)),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            Err(TryLockError::Poisoned(error)) => {
                Err(TryLockError::Poisoned(PoisonError::new(guarded(error.into_inner()))))
            }
        }
    }

    /// As [`std::sync::Mutex::into_inner`].
    ///
    /// # Errors
    /// A thread panicked with it held.
    pub fn into_inner(self) -> LockResult<T> {
        self.0.into_inner()
    }
}

/// As [`std::sync::MutexGuard`].
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: std::sync::MutexGuard<'a, T>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// As [`std::sync::Condvar`]; each waiter has a channel of its own. (shuttle's `park` would wake it for no reason, as often
/// as it likes.)
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Mutex<Vec<Sender<()>>>);

impl Condvar {
    fn waiters(&self) -> std::sync::MutexGuard<'_, Vec<Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`std::sync::Condvar::wait`].
    ///
    /// # Errors
    /// A thread panicked with the mutex held.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (waker, woken) = channel();
        self.waiters().push(waker);
        let mutex = guard.mutex;
        drop(guard);
        // The other end is dropped by nobody but who has woken this one.
        let _ = woken.recv();
        mutex.lock()
    }

    /// As [`std::sync::Condvar::wait_timeout`], and always until the timeout, which comes when no thread can do anything.
    ///
    /// # Errors
    /// A thread panicked with the mutex held.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let mutex = guard.mutex;
        drop(guard);
        thread::yield_now();
        let passed = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        PASSED.fetch_add(passed, Ordering::Relaxed);
        match mutex.lock() {
            Ok(guard) => Ok((guard, ())),
            Err(error) => Err(PoisonError::new((error.into_inner(), ()))),
        }
    }

    /// As [`std::sync::Condvar::notify_one`]: who waits longest.
    pub fn notify_one(&self) {
        let first = {
            let mut waiters = self.waiters();
            (!waiters.is_empty()).then(|| waiters.remove(0))
        };
        wake(first);
    }

    /// As [`std::sync::Condvar::notify_all`].
    pub fn notify_all(&self) {
        let all = std::mem::take(&mut *self.waiters());
        wake(all);
    }
}

fn wake(waiters: impl IntoIterator<Item = Sender<()>>) {
    for waiter in waiters {
        // Who does not wait any more needs no waking.
        let _ = waiter.send(());
    }
}
