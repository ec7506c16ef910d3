//! mutex(9): default mutexes that own the data they guard.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use core::ops::{Deref, DerefMut};
use core::panic::Location;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::errno::Errno;
use crate::memory::Settle;
use crate::raw::{mutex as raw, systm};
use crate::shared::{field, yield_point};

const UNINITIALISED: raw::mtx = raw::mtx {
    lock_object: raw::lock_object {
        lo_name: core::ptr::null(),
        lo_flags: 0,
        lo_data: 0,
        lo_witness: core::ptr::null_mut(),
    },
    mtx_lock: 0,
};

/// The address the mutex functions take: that of the lock word.
fn lock_word(mtx: *mut raw::mtx) -> *mut usize {
    field!(mtx, raw::mtx, mtx_lock)
}

/// Locks `mtx` and names the caller to WITNESS.
///
/// # Safety
/// `mtx` is initialised and stays so until it is unlocked; this thread does not hold it.
#[track_caller]
unsafe fn lock(mtx: *mut raw::mtx) {
    let at = Location::caller();
    // SAFETY: the caller vouches for the mutex; the file name is a static C string.
    unsafe {
        raw::__mtx_lock_flags(
            lock_word(mtx),
            0,
            at.file_as_c_str().as_ptr().cast::<c_char>(),
            at.line() as c_int,
        )
    }
}

/// Unlocks `mtx`.
///
/// # Safety
/// This thread holds `mtx`.
unsafe fn unlock(mtx: *mut raw::mtx) {
    // SAFETY: the caller holds the mutex; the file name is a static C string.
    unsafe { raw::__mtx_unlock_flags(lock_word(mtx), 0, c"kpi/src/mutex.rs".as_ptr().cast::<c_char>(), 0) }
}

/// A default mutex and the data it guards, for a value in an [`Arc`](crate::memory::Arc), whose `settle` it needs.
///
/// # Invariants
/// The kernel's mutex guards `data`. Its lock word is 0, which is unlocked, until it is initialised: a mutex that was
/// never settled still excludes, though WITNESS will complain. It does not move while it is held, since a guard borrows
/// it.
pub struct Mutex<T> {
    mtx: UnsafeCell<raw::mtx>,
    name: &'static CStr,
    data: UnsafeCell<T>,
}

// SAFETY: the data may move to another thread when the Mutex does.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: the kernel's mutex lets one thread at a time at the data (invariant).
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A mutex around `data`, called `name` in lock order reports.
    #[must_use]
    pub const fn new(data: T, name: &'static CStr) -> Self {
        Self {
            mtx: UnsafeCell::new(UNINITIALISED),
            name,
            data: UnsafeCell::new(data),
        }
    }

    /// The data, without the mutex: nobody else has it.
    pub const fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Waits for the mutex.
    #[track_caller]
    pub fn lock(&self) -> Guard<'_, T> {
        // SAFETY: initialised (invariant); a thread that holds it already would stop in the kernel's own check.
        unsafe { lock(self.mtx.get()) };
        Guard {
            mtx: self.mtx.get(),
            data: &self.data,
        }
    }

    /// Wakes every thread that sleeps on this mutex by [`Guard::sleep`].
    pub fn wakeup(&self) {
        // SAFETY: wakeup takes any address; nothing is read through it.
        unsafe { systm::wakeup(self.mtx.get().cast()) }
    }
}

impl<T> Settle for Mutex<T> {
    fn settle(&self) {
        // SAFETY: the mutex is zeroed, and held by nobody: it has not been shared yet.
        unsafe {
            raw::_mtx_init(
                lock_word(self.mtx.get()),
                self.name.as_ptr(),
                core::ptr::null(),
                raw::MTX_DEF,
            )
        }
    }
}

impl<T> Drop for Mutex<T> {
    fn drop(&mut self) {
        if self.mtx.get_mut().lock_object.lo_name.is_null() {
            return;
        }
        // SAFETY: initialised, since it has its name, and held by nobody, since self is borrowed exclusively.
        unsafe { raw::_mtx_destroy(lock_word(self.mtx.get())) }
    }
}

/// A mutex in a static, initialised when the module is loaded.
///
/// # Invariants
/// `ready` is set after the kernel's mutex was initialised, and never unset while threads may lock it.
pub struct StaticMutex<T> {
    mtx: UnsafeCell<raw::mtx>,
    ready: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: the kernel's mutex lets one thread at a time at the data.
unsafe impl<T: Send> Sync for StaticMutex<T> {}

impl<T> StaticMutex<T> {
    /// Not usable before [`StaticMutex::init`].
    pub const fn new(data: T) -> Self {
        Self {
            mtx: UnsafeCell::new(UNINITIALISED),
            ready: AtomicBool::new(false),
            data: UnsafeCell::new(data),
        }
    }

    /// Initialises the mutex; a second call does nothing.
    ///
    /// Call it from the module's load event, before anything can reach the data.
    pub fn init(&'static self, name: &'static CStr) {
        if !self.ready.swap(true, Ordering::AcqRel) {
            // SAFETY: a static stays where it is, and the swap lets one caller through.
            unsafe {
                raw::_mtx_init(
                    lock_word(self.mtx.get()),
                    name.as_ptr(),
                    core::ptr::null(),
                    raw::MTX_DEF,
                )
            }
        }
    }

    /// Destroys the mutex, when a load failed or the module goes.
    ///
    /// # Safety
    /// No thread holds the mutex or will lock it again before the next [`StaticMutex::init`].
    pub unsafe fn destroy(&'static self) {
        if self.ready.swap(false, Ordering::AcqRel) {
            // SAFETY: it was initialised, and the caller says that nobody uses it.
            unsafe { raw::_mtx_destroy(lock_word(self.mtx.get())) }
        }
    }

    /// Waits for the mutex.
    #[track_caller]
    pub fn lock(&'static self) -> Guard<'static, T> {
        // SAFETY: the load event initialised it before any method of the module could be called.
        unsafe { lock(self.mtx.get()) };
        Guard {
            mtx: self.mtx.get(),
            data: &self.data,
        }
    }
}

/// Access to what a mutex guards; unlocks when dropped.
///
/// # Invariants
/// This thread holds the mutex, which guards `data`.
pub struct Guard<'a, T> {
    mtx: *mut raw::mtx,
    data: &'a UnsafeCell<T>,
}

/// What ends a sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Somebody called wakeup(9), or nothing in particular happened: look at the condition again.
    Up,
    /// A signal is to be handled.
    Signal,
    /// The time is over.
    Timeout,
}

impl<T> Guard<'_, T> {
    /// Gives up the mutex, sleeps until [`Mutex::wakeup`], a signal or the end of `timeout`, and takes it again.
    ///
    /// `timeout` is in units of 2⁻³² s (`sbintime_t`), 0 for none; `message` is what ps(1) shows, up to 8 characters.
    pub fn sleep(&mut self, message: &'static CStr, timeout: i64) -> Woken {
        let lock = self.mtx.cast::<raw::lock_object>();
        // SAFETY: this thread holds the mutex (invariant), whose first member is the lock object; the channel is only
        // compared. The kernel takes the mutex again before it returns.
        let code = unsafe {
            systm::_sleep(
                self.mtx.cast(),
                lock,
                systm::PCATCH,
                message.as_ptr(),
                timeout,
                0,
                systm::C_HARDCLOCK,
            )
        };
        match Errno::check(code) {
            Ok(()) => Woken::Up,
            Err(Errno::EWOULDBLOCK) => Woken::Timeout,
            Err(_) => Woken::Signal,
        }
    }
}

impl<T> Guard<'_, T> {
    /// Gives up the mutex for `time` (in units of 2⁻³² s), whatever happens, and takes it again.
    pub fn pause(&mut self, message: &'static CStr, time: i64) {
        let lock = self.mtx.cast::<raw::lock_object>();
        // Nobody wakes this address.
        let channel = core::ptr::from_mut(self).cast();
        // SAFETY: this thread holds the mutex (invariant), whose first member is the lock object; the channel is only
        // compared. The kernel takes the mutex again before it returns.
        unsafe { systm::_sleep(channel, lock, 0, message.as_ptr(), time, 0, systm::C_HARDCLOCK) };
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        yield_point();
        // SAFETY: the mutex is held (invariant), so that no other thread has the data.
        unsafe { &*self.data.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        yield_point();
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.data.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this thread holds the mutex (invariant) and gives it up here.
        unsafe { unlock(self.mtx) }
    }
}

/// A lock that nobody waits for: whoever finds it taken goes without the data.
///
/// # Invariants
/// `taken` is set as long as a [`TryGuard`] exists.
#[derive(Default)]
pub struct TryMutex<T> {
    taken: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: the flag lets one thread at a time at the data (invariant).
unsafe impl<T: Send> Sync for TryMutex<T> {}

impl<T> TryMutex<T> {
    /// The data, unless another thread has them.
    pub fn try_lock(&self) -> Option<TryGuard<'_, T>> {
        yield_point();
        // INVARIANT: set here, and of those who set it one found it unset. (Made only then: its end unsets the flag.)
        (!self.taken.swap(true, Ordering::Acquire)).then(|| TryGuard(self))
    }
}

/// Access to what a [`TryMutex`] holds; gives it up when dropped.
pub struct TryGuard<'a, T>(&'a TryMutex<T>);

impl<T> Deref for TryGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: there is one guard (invariant), which is borrowed.
        unsafe { &*self.0.data.get() }
    }
}

impl<T> DerefMut for TryGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, exclusively.
        unsafe { &mut *self.0.data.get() }
    }
}

impl<T> Drop for TryGuard<'_, T> {
    fn drop(&mut self) {
        yield_point();
        self.0.taken.store(false, Ordering::Release);
    }
}

/// Holds a mutex of the kernel's own, such as that of a socket, without data.
///
/// # Invariants
/// This thread holds the mutex.
pub(crate) struct RawGuard(*mut raw::mtx);

impl RawGuard {
    /// Locks `mtx`.
    ///
    /// # Safety
    /// `mtx` is an initialised mutex that outlives the guard and that this thread does not hold.
    #[track_caller]
    pub(crate) unsafe fn new(mtx: *mut raw::mtx) -> Self {
        // SAFETY: the caller vouches for the mutex.
        unsafe { lock(mtx) };
        // INVARIANT: just locked.
        Self(mtx)
    }

    /// Leaves the mutex locked, for a kernel function that unlocks it.
    pub(crate) fn hand_over(self) {
        core::mem::forget(self);
    }
}

impl Drop for RawGuard {
    fn drop(&mut self) {
        // SAFETY: this thread holds the mutex (invariant).
        unsafe { unlock(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::TryMutex;

    #[test]
    fn who_finds_it_taken_does_not_give_it_up() {
        let mutex = TryMutex::<u32>::default();
        let guard = mutex.try_lock();
        assert!(guard.is_some());
        assert!(mutex.try_lock().is_none());
        assert!(mutex.try_lock().is_none(), "it is the first one's still");
        drop(guard);
        assert!(mutex.try_lock().is_some());
    }
}
