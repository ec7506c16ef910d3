//! The module linked into this program.

use ng_socket::glue;

use crate::module::{LinkerSet, Object};
use crate::slot::Slot;
use crate::sync::{Mutex, lock};

/// How the module's statics were before a kernel first changed them.
static ORIGINAL: Slot<Mutex<Vec<Vec<u8>>>> = Slot::new();

/// The linked module, as if it had just been loaded.
#[derive(Debug)]
pub struct Linked(());

impl Linked {
    /// The module, its statics as they are in a file. One kernel at a time may link it.
    #[must_use]
    pub fn new() -> Self {
        if ORIGINAL.try_get().is_none() {
            ORIGINAL.fill(Mutex::new(
                statics().map(|(start, length)| read(start, length)).collect(),
            ));
        }
        for ((start, _), bytes) in statics().zip(lock(ORIGINAL.get()).iter()) {
            // SAFETY: a static of the module's, for the kernel to write to, and no kernel has linked the module.
            unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) };
        }
        Self(())
    }
}

impl Default for Linked {
    fn default() -> Self {
        Self::new()
    }
}

/// What kernels write to, and what the module's sysctls set.
fn statics() -> impl Iterator<Item = (*mut u8, usize)> {
    let written = glue::WRITTEN_BY_KERNEL
        .0
        .iter()
        .map(|(start, length)| (start.cast::<u8>(), *length));
    let limits = [&ng_socket::MAX_DATAGRAM, &ng_socket::RECEIVE_SPACE];
    written.chain(
        limits
            .into_iter()
            .map(|limit| (limit.as_ptr().cast::<u8>(), size_of::<u64>())),
    )
}

fn read(start: *mut u8, length: usize) -> Vec<u8> {
    // SAFETY: a static of the module's of that length, and no kernel has linked the module.
    unsafe { core::slice::from_raw_parts(start, length) }.to_vec()
}

impl Object for Linked {
    fn set(&self, name: &str) -> LinkerSet {
        match name {
            "set_sysinit_set" => LinkerSet::of(&glue::SYSINITS),
            "set_sysuninit_set" => LinkerSet::of(&glue::SYSUNINITS),
            "set_modmetadata_set" => LinkerSet::of(&glue::METADATA),
            "set_sysctl_set" => LinkerSet::of(&glue::SYSCTLS),
            _ => LinkerSet::new(core::ptr::null_mut(), 0),
        }
    }

    fn retire(&mut self) {
        // The program keeps its own memory; Linked::new sets it back.
    }
}
