//! Control messages.

use core::ptr::NonNull;

use kpi::raw::malloc::{M_NOWAIT, M_ZERO};
use kpi::raw::ng_message::{NG_VERSION, NGF_RESP, ng_mesg};

use crate::memory::{self, M_NETGRAPH_MSG};

/// Bytes before the arguments.
pub(super) const HEADER: usize = size_of::<ng_mesg>();

/// A control message, freed when dropped.
///
/// # Invariants
/// The pointer is malloc(9) memory of type `M_NETGRAPH_MSG`, a header and `arglen` bytes, nobody else's.
pub struct Message(NonNull<ng_mesg>);

// SAFETY: memory that belongs to this value.
unsafe impl Send for Message {}

impl Message {
    /// Takes a message over.
    ///
    /// # Safety
    /// It is as the invariant says, and the caller's no more.
    pub(crate) unsafe fn from_raw(message: NonNull<ng_mesg>) -> Self {
        // INVARIANT: the caller gives the message away.
        Self(message)
    }

    /// Gives the message away.
    pub(crate) fn into_raw(self) -> *mut ng_mesg {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }

    /// Makes a message with these arguments; `None` if there is no memory.
    pub(crate) fn create(header: ng_mesg, arguments: &[u8]) -> Option<Self> {
        let (size, kind) = (HEADER + arguments.len(), (&raw mut M_NETGRAPH_MSG).cast());
        // SAFETY: the type is registered when netgraph boots.
        let memory = unsafe { memory::hostkern_malloc(size, kind, M_NOWAIT | M_ZERO) };
        let memory = NonNull::new(memory.cast::<ng_mesg>())?;
        let arglen = u32::try_from(arguments.len()).expect("arguments are shorter than 4 GiB");
        // SAFETY: there is room for a header.
        unsafe { memory.write(ng_mesg { arglen, ..header }) };
        // SAFETY: the arguments begin there.
        let rest = unsafe { memory.add(1) }.cast::<u8>();
        // SAFETY: new memory of this size, which does not overlap.
        unsafe { rest.copy_from_nonoverlapping(NonNull::from(arguments).cast(), arguments.len()) };
        // INVARIANT: made as it says.
        Some(Self(memory))
    }

    /// The answer to this message.
    pub(crate) fn reply(&self, arguments: &[u8]) -> Option<Self> {
        let asked = self.header();
        let header = ng_mesg {
            version: NG_VERSION,
            spare: 0,
            spare2: 0,
            flags: NGF_RESP,
            ..*asked
        };
        Self::create(header, arguments)
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &ng_mesg {
        // SAFETY: valid and ours (invariant).
        unsafe { self.0.as_ref() }
    }

    /// The arguments.
    #[must_use]
    pub fn arguments(&self) -> &[u8] {
        // SAFETY: the arguments follow the header (invariant).
        let start = unsafe { self.0.add(1) }.cast::<u8>();
        // SAFETY: there are so many (invariant).
        unsafe { core::slice::from_raw_parts(start.as_ptr(), self.header().arglen as usize) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let kind = (&raw mut M_NETGRAPH_MSG).cast();
        // SAFETY: ours alone, of this type (invariant).
        unsafe { memory::hostkern_free(self.0.as_ptr().cast(), kind) };
    }
}
