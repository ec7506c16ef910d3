//! Kernel threads: every thread of the host that calls into the kernel is one.

mod block;
mod local;

use std::ffi::c_int;
use std::sync::Weak;

use kpi::raw::systm::thread as raw_thread;

pub(crate) use block::{COUNTER_CELLS, counter_cells};
pub use block::{Offsets, credentials_pointer, vnet_pointer};
pub use local::Handle;
pub(crate) use local::host_name;

use crate::kernel::Config;
use crate::slot::Slot;
use crate::sync::{Mutex, lock};
use crate::{epoch, mutex, report};
use local::{Shared, local};

static STATE: Slot<State> = Slot::new();

struct State {
    registry: std::sync::Arc<Registry>,
}

/// The threads that have called into this kernel.
struct Registry {
    threads: Mutex<Vec<Weak<Shared>>>,
    offsets: Mutex<Offsets>,
}

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

pub(crate) fn boot(_config: &Config) {
    let registry = Registry {
        threads: Mutex::default(),
        offsets: Mutex::new(Offsets::default()),
    };
    STATE.fill(State {
        registry: registry.into(),
    });
    // Makes a kernel thread of the caller, so that a fault of its own is reported on a stack large enough.
    current();
}

pub(crate) fn halt() -> Vec<String> {
    let left = sleepers();
    drop(STATE.empty());
    let line = |(name, message)| format!("thread {name} sleeps on {message}");
    left.into_iter().map(line).collect()
}

/// Says where this kernel's modules look into `struct thread`; the loader knows the release they are for.
pub fn set_offsets(offsets: Offsets) {
    let registry = &STATE.get().registry;
    *lock(&registry.offsets) = offsets;
    for shared in lock(&registry.threads).iter().filter_map(Weak::upgrade) {
        shared.move_places(offsets);
    }
}

/// The calling thread as the module sees it: `curthread`, also in `%gs:0`.
pub fn current() -> *mut raw_thread {
    local(|local| local.pointer())
}

/// The virtual network the calling thread is in: `curvnet`, which modules set themselves too.
pub fn vnet() -> Vnet {
    local(|local| local.shared().vnet())
}

/// Runs `work` with these credentials, in this virtual network.
pub fn with<R>(credentials: Credentials, vnet: Vnet, work: impl FnOnce() -> R) -> R {
    let _before = Restore::set(credentials, vnet);
    work()
}

/// Sets the thread's place back when a call ends, also by a panic of a test.
struct Restore {
    credentials: Credentials,
    vnet: Vnet,
}

impl Restore {
    fn set(credentials: Credentials, vnet: Vnet) -> Self {
        local(|local| {
            let shared = local.shared();
            let before = Self {
                credentials: shared.credentials(),
                vnet: shared.vnet(),
            };
            shared.set(credentials, vnet);
            before
        })
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        local(|local| local.shared().set(self.credentials, self.vnet));
    }
}

/// The calling thread's credentials.
pub fn credentials() -> Credentials {
    local(|local| local.shared().credentials())
}

/// The calling thread's handle.
pub fn handle() -> Handle {
    local(|local| local.handle())
}

/// The calling thread's name, for reports.
pub fn name() -> String {
    local(|local| local.shared().name().to_owned())
}

/// The threads that sleep, by name, and the messages of their sleeps.
pub fn sleepers() -> Vec<(String, String)> {
    let Some(state) = STATE.try_get() else {
        return Vec::new();
    };
    let threads: Vec<_> = lock(&state.registry.threads).iter().filter_map(Weak::upgrade).collect();
    let asleep = |shared: &std::sync::Arc<Shared>| Some((shared.name().to_owned(), shared.sleeping_on()?));
    threads.iter().filter_map(asleep).collect()
}

/// Panics if the calling thread, at the end of a system call or of a test, still holds a mutex or is inside an epoch
/// section.
pub fn assert_clean() {
    if !mutex::held().is_empty() {
        report::panic("the thread returns to user space with a mutex held");
    }
    epoch::assert_outside();
    if let Some(message) = handle().sleeping_on() {
        report::panic(&format!("the thread runs, yet it sleeps on {message}"));
    }
}

/// `priv_check`: root has every privilege, others have none.
///
/// # Safety
/// `td` is compared only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn priv_check(td: *mut raw_thread, _privilege: c_int) -> c_int {
    if td != current() {
        report::panic("priv_check: not the current thread");
    }
    match credentials() {
        Credentials::Root => 0,
        Credentials::User => libc::EPERM,
    }
}

#[cfg(test)]
mod tests;
