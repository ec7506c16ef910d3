//! What each thread has of its own.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use kpi::raw::systm::thread as raw_thread;

use super::block::{Block, Offsets, Pcpu, credentials_pointer, vnet_at, vnet_pointer};
use super::{Credentials, Registry, STATE, Vnet};
use crate::memory::AlternateStack;
use crate::sleep;
use crate::sync::{Mutex, lock, thread_local};

thread_local! {
    static LOCAL: Local = Local::new();
}

/// Runs `work` with what the calling thread has, which is made and registered with the kernel if need be.
pub(super) fn local<R>(work: impl FnOnce(&Local) -> R) -> R {
    LOCAL.with(|local| {
        local.register();
        work(local)
    })
}

/// The calling thread's name, without making a kernel thread of it: for reports of any thread, in any state.
pub(crate) fn host_name() -> String {
    let thread = crate::sync::thread::current();
    thread
        .name()
        .map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}

/// A thread's own end.
pub(super) struct Local {
    shared: Arc<Shared>,
    /// The kernel the thread is registered with.
    registry: RefCell<Weak<Registry>>,
    /// `%gs` points here.
    pcpu: &'static Pcpu,
    _stack: Option<AlternateStack>,
}

impl Local {
    fn new() -> Self {
        let shared = Arc::new(Shared::new());
        let pcpu = Pcpu::claim(&raw const shared.block);
        point_gs_at(pcpu);
        Self {
            shared,
            registry: RefCell::default(),
            pcpu,
            _stack: AlternateStack::install(),
        }
    }

    /// Makes the thread known to the kernel that runs now.
    fn register(&self) {
        let Some(state) = STATE.try_get() else { return };
        if std::ptr::eq(self.registry.borrow().as_ptr(), Arc::as_ptr(&state.registry)) {
            return;
        }
        *self.registry.borrow_mut() = Arc::downgrade(&state.registry);
        let mut threads = lock(&state.registry.threads);
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(&self.shared));
        drop(threads);
        self.shared.move_places(*lock(&state.registry.offsets));
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) fn pointer(&self) -> *mut raw_thread {
        (&raw const self.shared.block).cast_mut().cast()
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.pcpu.give_back();
    }
}

/// What others may ask a thread.
pub(super) struct Shared {
    block: Block,
    name: String,
    offset_ucred: AtomicUsize,
    offset_vnet: AtomicUsize,
    user: AtomicBool,
    interrupted: AtomicBool,
    sleeping_on: Mutex<Option<String>>,
}

impl Shared {
    fn new() -> Self {
        let offsets = Offsets::default();
        let shared = Self {
            block: Block::new(),
            name: host_name(),
            offset_ucred: AtomicUsize::new(offsets.ucred),
            offset_vnet: AtomicUsize::new(offsets.vnet),
            user: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
            sleeping_on: Mutex::new(None),
        };
        shared.set(Credentials::Root, Vnet(0));
        shared
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn credentials(&self) -> Credentials {
        if self.user.load(Ordering::Relaxed) {
            Credentials::User
        } else {
            Credentials::Root
        }
    }

    pub(super) fn vnet(&self) -> Vnet {
        let place = self.block.word(self.offset_vnet.load(Ordering::Relaxed));
        vnet_at(place.load(Ordering::Relaxed))
    }

    pub(super) fn set(&self, credentials: Credentials, vnet: Vnet) {
        self.user.store(credentials == Credentials::User, Ordering::Relaxed);
        let ucred = self.block.word(self.offset_ucred.load(Ordering::Relaxed));
        ucred.store(credentials_pointer(credentials).addr(), Ordering::Relaxed);
        let place = self.block.word(self.offset_vnet.load(Ordering::Relaxed));
        place.store(vnet_pointer(vnet).addr(), Ordering::Relaxed);
    }

    /// Changes where the members are.
    pub(super) fn move_places(&self, offsets: Offsets) {
        let (credentials, vnet) = (self.credentials(), self.vnet());
        for (place, offset) in [(&self.offset_ucred, offsets.ucred), (&self.offset_vnet, offsets.vnet)] {
            self.block
                .word(place.swap(offset, Ordering::Relaxed))
                .store(0, Ordering::Relaxed);
        }
        self.set(credentials, vnet);
    }

    pub(super) fn sleeping_on(&self) -> Option<String> {
        lock(&self.sleeping_on).clone()
    }
}

/// Something to send signals to a thread with.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.0.name).finish()
    }
}

impl Handle {
    /// Has the thread's present (or else next) sleep with `PCATCH` end with `EINTR`.
    pub fn interrupt(&self) {
        self.0.interrupted.store(true, Ordering::Release);
        sleep::look_again();
    }

    /// The message of the sleep the thread is in, such as `ngsock`; `None` while it runs.
    pub fn sleeping_on(&self) -> Option<String> {
        self.0.sleeping_on()
    }

    /// Whether the thread has been interrupted.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.0.interrupted.load(Ordering::Acquire)
    }

    /// As [`Handle::is_interrupted`]; an interrupt counts once.
    pub(crate) fn take_interrupt(&self) -> bool {
        self.0.interrupted.swap(false, Ordering::AcqRel)
    }

    /// Says what the thread sleeps on.
    pub(crate) fn set_sleeping_on(&self, message: Option<&str>) {
        *lock(&self.0.sleeping_on) = message.map(str::to_owned);
    }
}

/// Sets the calling thread's `%gs` base, which the host's amd64 ABI leaves to programs (`%fs` is its thread pointer).
fn point_gs_at(pcpu: *const Pcpu) {
    /// `asm/prctl.h`
    const ARCH_SET_GS: libc::c_int = 0x1001;
    // SAFETY: changes a register that nothing but the loaded module uses.
    let result = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, pcpu) };
    assert_eq!(
        result,
        0,
        "arch_prctl(ARCH_SET_GS): {}",
        std::io::Error::last_os_error()
    );
}
