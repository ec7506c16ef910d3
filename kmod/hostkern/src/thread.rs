//! Kernel threads: every thread of the host that calls into the kernel is one.

use kpi::raw::systm::thread as raw_thread;

/// What a thread may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// root: every privilege.
    Root,
    /// Nobody in particular: none.
    User,
}

/// A virtual network, by number; 0 is the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vnet(pub u32);

/// The calling thread as the module sees it: `curthread`, also in `%gs:0`.
pub fn current() -> *mut raw_thread {
    todo!()
}

/// The virtual network the calling thread is in: `curvnet`.
pub fn vnet() -> Vnet {
    todo!()
}

/// Runs `work` with these credentials, in this virtual network.
pub fn with<R>(_credentials: Credentials, _vnet: Vnet, _work: impl FnOnce() -> R) -> R {
    todo!()
}

/// The calling thread's credentials.
pub fn credentials() -> Credentials {
    todo!()
}

/// Something to send signals to a thread with.
#[derive(Debug, Clone)]
pub struct Handle {}

/// The calling thread's handle.
pub fn handle() -> Handle {
    todo!()
}

impl Handle {
    /// Has the thread's present (or else next) sleep with `PCATCH` end with `EINTR`.
    pub fn interrupt(&self) {
        todo!()
    }

    /// The message of the sleep the thread is in, such as `ngsock`; `None` while it runs.
    pub fn sleeping_on(&self) -> Option<String> {
        todo!()
    }
}
