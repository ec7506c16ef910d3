//! What a module sees of a thread: `struct thread`, and the beginning of `struct pcpu` behind `%gs`.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::{Credentials, Vnet};
use crate::report;
use crate::sync::{Mutex, lock};

/// Bytes; FreeBSD 15's `struct thread`, the larger one, has 1824.
const THREAD_SIZE: usize = 2048;
const WORDS: usize = THREAD_SIZE / size_of::<usize>();

/// Where members of `struct thread` are, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// `td_ucred`
    pub ucred: usize,
    /// `td_vnet`
    pub vnet: usize,
}

impl Offsets {
    /// FreeBSD 14, all minor releases.
    pub const FREEBSD14: Self = Self { ucred: 384, vnet: 1680 };
    /// FreeBSD 15.0.
    pub const FREEBSD15: Self = Self { ucred: 392, vnet: 1728 };
}

impl Default for Offsets {
    /// Those of the release the native module is compiled for.
    fn default() -> Self {
        if cfg!(feature = "freebsd15") {
            Self::FREEBSD15
        } else {
            Self::FREEBSD14
        }
    }
}

/// `struct thread` as far as modules know it: zeros, but for the places of [`Offsets`].
///
/// The words are atomic since modules change them (`CURVNET_SET`) by ordinary moves, while other threads may look.
#[repr(C, align(64))]
pub(super) struct Block([std::sync::atomic::AtomicUsize; WORDS]);

impl Block {
    pub(super) fn new() -> Self {
        Self([const { std::sync::atomic::AtomicUsize::new(0) }; WORDS])
    }

    /// The word at an offset in bytes.
    pub(super) fn word(&self, offset: usize) -> &std::sync::atomic::AtomicUsize {
        &self.0[offset / size_of::<usize>()]
    }
}

/// Bytes of `struct pcpu` that are there.
const PCPU_SIZE: usize = 1024;
/// Where counters have their cells in it, each a word.
pub(crate) const COUNTER_CELLS: std::ops::Range<usize> = 64..PCPU_SIZE;

/// `struct pcpu`: `pc_curthread`, its first member, and cells of counters.
///
/// A thread has one to itself. As CPUs do, it stays when the thread is gone, with what was counted on it.
#[repr(C, align(64))]
pub(super) struct Pcpu {
    curthread: AtomicPtr<Block>,
    /// Zeros, so that a look at other members finds some of our own, and counters.
    rest: [AtomicU64; PCPU_SIZE / 8 - 1],
}

/// Every `struct pcpu` there is, and those that no thread has.
static PCPUS: Mutex<(Vec<&'static Pcpu>, Vec<&'static Pcpu>)> = Mutex::new((Vec::new(), Vec::new()));

impl Pcpu {
    /// One for a thread, until it is given back.
    pub(super) fn claim(curthread: *const Block) -> &'static Self {
        let mut pcpus = lock(&PCPUS);
        let pcpu = pcpus.1.pop().unwrap_or_else(|| {
            let new: &'static Self = Box::leak(Box::new(Self {
                curthread: AtomicPtr::new(std::ptr::null_mut()),
                rest: [const { AtomicU64::new(0) }; PCPU_SIZE / 8 - 1],
            }));
            pcpus.0.push(new);
            new
        });
        pcpu.curthread.store(curthread.cast_mut(), Ordering::Relaxed);
        pcpu
    }

    /// The thread is gone.
    pub(super) fn give_back(&'static self) {
        self.curthread.store(std::ptr::null_mut(), Ordering::Relaxed);
        lock(&PCPUS).1.push(self);
    }
}

/// The cells of one counter, by its offset, on every CPU.
pub(crate) fn counter_cells(offset: usize) -> Vec<&'static AtomicU64> {
    lock(&PCPUS).0.iter().map(|pcpu| &pcpu.rest[offset / 8 - 1]).collect()
}

/// `struct ucred`, of which modules have the address only.
#[repr(align(64))]
struct Ucred(#[expect(dead_code, reason = "has an address, is not read")] [u8; 256]);

static ROOT: Ucred = Ucred([0; 256]);
static USER: Ucred = Ucred([1; 256]);

/// The `struct ucred *` of credentials.
pub fn credentials_pointer(credentials: Credentials) -> *mut c_void {
    let ucred = match credentials {
        Credentials::Root => &raw const ROOT,
        Credentials::User => &raw const USER,
    };
    ucred.cast_mut().cast()
}

/// Where the addresses of virtual networks begin: where FreeBSD has its kernel, so that looking into one faults.
const VNETS: usize = 0xffff_fe00_0000_0000;
const VNET_SIZE: usize = 4096;

/// The `struct vnet *` of a virtual network: an address to compare.
pub fn vnet_pointer(vnet: Vnet) -> *mut c_void {
    std::ptr::without_provenance_mut(VNETS + vnet.0 as usize * VNET_SIZE)
}

/// The virtual network behind a `struct vnet *`.
pub(super) fn vnet_at(address: usize) -> Vnet {
    let number = address.checked_sub(VNETS).filter(|offset| offset % VNET_SIZE == 0);
    match number.map(|offset| u32::try_from(offset / VNET_SIZE)) {
        Some(Ok(number)) => Vnet(number),
        _ => report::panic(&format!("curvnet is {address:#x}, which is no virtual network")),
    }
}
