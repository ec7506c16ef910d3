//! The calling thread: what it may do, and modules it loads.

use core::ffi::{CStr, c_int};

use crate::errno::{Errno, Result};
use crate::raw::systm as raw;

/// The thread that called into the kernel.
///
/// # Invariants
/// The pointer is the current thread's and is not kept beyond the call.
pub struct Thread(*mut raw::thread);

impl Thread {
    /// Wraps the thread a method was called with.
    ///
    /// # Safety
    /// `pointer` is the current thread's.
    pub(crate) unsafe fn new(pointer: *mut raw::thread) -> Self {
        // INVARIANT: the caller says so.
        Self(pointer)
    }

    /// Whether the thread may use netgraph: `PRIV_NETGRAPH_CONTROL`.
    ///
    /// # Errors
    /// `EPERM`: it may not.
    pub fn may_control_netgraph(&self) -> Result {
        // SAFETY: the current thread (invariant).
        Errno::check(unsafe { raw::priv_check(self.0, raw::PRIV_NETGRAPH_CONTROL) })
    }

    /// Loads the module `name`, searched for as kldload(8) does.
    ///
    /// # Errors
    /// `EPERM`: the thread may not load modules. `ENOENT`: there is no such module. Else what the module answered.
    pub fn load_module(&self, name: &CStr) -> Result<LoadedModule<'_>> {
        let mut file: c_int = 0;
        // SAFETY: the current thread (invariant); the name is a C string and the ID a variable of ours.
        Errno::check(unsafe { raw::kern_kldload(self.0, name.as_ptr(), &raw mut file) })?;
        Ok(LoadedModule { thread: self, file })
    }
}

/// A module that was loaded on a process's behalf.
pub struct LoadedModule<'a> {
    thread: &'a Thread,
    file: c_int,
}

impl LoadedModule<'_> {
    /// Unloads the module again, or gives up its reference if others use it.
    ///
    /// # Errors
    /// `EBUSY`: it is in use.
    pub fn unload(self) -> Result {
        // SAFETY: the current thread, and the ID that loading returned.
        Errno::check(unsafe { raw::kern_kldunload(self.thread.0, self.file, raw::LINKER_UNLOAD_NORMAL) })
    }
}

/// Seconds since the kernel booted.
#[must_use]
pub fn uptime() -> i64 {
    // SAFETY: the kernel's own variable, an aligned word, which the volatile read takes as it is at this moment.
    unsafe { (&raw const raw::time_uptime).read_volatile() }
}

/// Sleeps for `seconds`, whatever happens.
pub fn pause(seconds: u32) {
    // SAFETY: the name is a C string; a thread that waits holds no mutex, which is what the kernel asks for.
    unsafe { raw::pause_sbt(c"ngsock".as_ptr(), i64::from(seconds) << 32, 0, raw::C_HARDCLOCK) };
}

/// Writes a line to the kernel's message buffer.
pub fn log(line: &'static CStr) {
    // The compiler would make puts(3), which a kernel does not have, of a format that is "%s" and a new line only.
    // SAFETY: the format takes one C string, and one is given.
    unsafe { raw::printf(c"ng_socket: %s\n".as_ptr(), line.as_ptr()) };
}
