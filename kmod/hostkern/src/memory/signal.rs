//! Faults of the processor: which block an address belongs to, before the process dies of the signal.

use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, zeroed};
use std::time::{Duration, Instant};

use super::STATE;
use crate::report;

/// What memory faults raise.
const SIGNALS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Bytes; a report is formatted on it.
const STACK_SIZE: usize = 64 << 10;

/// The handlers of the hosted kernel; those from before come back when this is dropped.
pub(super) struct Handlers([libc::sigaction; 2]);

impl Handlers {
    pub(super) fn install() -> Self {
        // SAFETY: a sigaction of zeros is valid: the default action, an empty mask.
        let mut ours: libc::sigaction = unsafe { zeroed() };
        ours.sa_sigaction = handle as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        Self(SIGNALS.map(|signal| set_action(signal, &ours)))
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        for (signal, before) in SIGNALS.into_iter().zip(&self.0) {
            set_action(signal, before);
        }
    }
}

/// Sets the action of a signal; returns the one before.
fn set_action(signal: c_int, action: &libc::sigaction) -> libc::sigaction {
    let mut before = MaybeUninit::uninit();
    // SAFETY: both structures are ours; the action is valid.
    let result = unsafe { libc::sigaction(signal, action, before.as_mut_ptr()) };
    assert_eq!(result, 0, "sigaction: {}", std::io::Error::last_os_error());
    // SAFETY: sigaction has filled it.
    unsafe { before.assume_init() }
}

/// Reports, and has the default action take the process when the instruction is tried again.
///
/// This is not async-signal-safe in general; but the fault comes from an instruction of ours or of the module, not from
/// amid the allocator, and without a report the process would be as dead.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    // SAFETY: a sigaction of zeros is valid.
    let default: libc::sigaction = unsafe { zeroed() };
    set_action(signal, &default);
    // SAFETY: the host passes the information of the signal.
    let info = unsafe { &*info };
    // SAFETY: that of a memory fault has an address.
    let address = unsafe { info.si_addr() }.addr();
    let what = format!("signal {signal} at address {address:#x}: {}", describe(address));
    report::print(&report::describe("fatal trap", &what));
    // SAFETY: raises what is blocked until the handler returns.
    unsafe { libc::raise(signal) };
}

fn describe(address: usize) -> String {
    if address < 0x10000 {
        return "null pointer".to_owned();
    }
    let Some(state) = STATE.try_get() else {
        return "no kernel is running".to_owned();
    };
    // Another thread may have the table for a moment; this one, if it faulted with it, for ever.
    let end = Instant::now() + Duration::from_millis(200);
    loop {
        match state.table.try_lock() {
            Ok(table) => return table.describe(address),
            Err(_) if Instant::now() < end => std::thread::yield_now(),
            Err(_) => return "the table of allocations cannot be read".to_owned(),
        }
    }
}

/// A thread's stack for signal handlers.
pub(crate) struct AlternateStack {
    _memory: Box<[u8]>,
}

impl AlternateStack {
    /// Gives the calling thread a stack for signal handlers that is large enough for reports; `None` if it runs on one at
    /// this moment, since a thread's first call into the kernel may be its report.
    pub(crate) fn install() -> Option<Self> {
        let mut memory = vec![0u8; STACK_SIZE].into_boxed_slice();
        let stack = libc::stack_t {
            ss_sp: memory.as_mut_ptr().cast(),
            ss_flags: 0,
            ss_size: STACK_SIZE,
        };
        set_stack(&stack).then(|| Self { _memory: memory })
    }
}

impl Drop for AlternateStack {
    /// The thread ends: the stack that the host's runtime had set is gone already.
    fn drop(&mut self) {
        set_stack(&libc::stack_t {
            ss_sp: std::ptr::null_mut(),
            ss_flags: libc::SS_DISABLE,
            ss_size: 0,
        });
    }
}

/// Sets the calling thread's stack for signal handlers; false if it is in use.
fn set_stack(stack: &libc::stack_t) -> bool {
    // SAFETY: the stack is memory of ours that stays until another is set, or none.
    unsafe { libc::sigaltstack(stack, std::ptr::null_mut()) == 0 }
}
