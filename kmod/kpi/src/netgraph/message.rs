//! Control messages, `netgraph/ng_message.h`.

use core::ptr::NonNull;

use crate::errno::{Errno, Result};
use crate::mbuf::Mbuf;
use crate::memory::Wait;
use crate::raw::malloc;
pub use crate::raw::ng_message::ng_mesg as Header;

/// A control message in memory of its own: a header and `arglen` bytes of arguments.
///
/// # Invariants
/// The pointer comes from malloc(9) with `M_NETGRAPH_MSG`, holds a whole header and the `arglen` bytes that it promises,
/// and belongs to this value alone.
pub struct Message(NonNull<Header>);

// SAFETY: a message has no tie to a thread.
unsafe impl Send for Message {}

fn memory_type() -> *mut malloc::malloc_type {
    (&raw mut malloc::M_NETGRAPH_MSG).cast()
}

impl Message {
    /// Takes a message over from the kernel; `None` for a null pointer.
    ///
    /// # Safety
    /// A message behind `pointer` is whole, was allocated with `M_NETGRAPH_MSG`, and is nobody else's any more.
    pub(crate) unsafe fn from_raw(pointer: *mut Header) -> Option<Self> {
        // INVARIANT: the caller gives the message away.
        NonNull::new(pointer).map(Self)
    }

    /// Leaves the message to the kernel.
    pub(crate) fn into_raw(self) -> *mut Header {
        let pointer = self.0.as_ptr();
        core::mem::forget(self);
        pointer
    }

    /// Copies a message out of a datagram that a process sent.
    ///
    /// The header's `arglen` decides how much of the datagram is taken; what follows is ignored. One zero byte more is
    /// allocated than is used, since receivers look for the end of strings.
    ///
    /// # Errors
    /// `EINVAL`: the datagram is shorter than a header, or than the header's `arglen` says. `ENOMEM`: no memory, and
    /// `wait` forbids to sleep.
    pub fn from_datagram(datagram: &Mbuf, wait: Wait) -> Result<Self> {
        let mut header = [0u8; size_of::<Header>()];
        datagram.copy_to(&mut header)?;
        // SAFETY: Header is made of integers, so that any bytes are a valid one; read_unaligned needs no alignment.
        let header = unsafe { header.as_ptr().cast::<Header>().read_unaligned() };
        let arguments = usize::try_from(header.arglen).map_err(|_| Errno::EINVAL)?;
        let length = size_of::<Header>().checked_add(arguments).ok_or(Errno::EINVAL)?;
        if length > datagram.len() {
            return Err(Errno::EINVAL);
        }
        let flags = malloc::M_ZERO | if wait == Wait::Sleep { malloc::M_WAITOK } else { malloc::M_NOWAIT };
        // SAFETY: the type is netgraph's own, registered as long as netgraph is loaded, on which this module depends.
        let memory = unsafe { malloc::malloc(length.saturating_add(1), memory_type(), flags) };
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(Errno::ENOMEM)?;
        // SAFETY: `length` bytes were just allocated, are zeroed, and nobody else has them.
        let bytes = unsafe { core::slice::from_raw_parts_mut(memory.as_ptr(), length) };
        // The first copy decides, should the chain ever change under us: write back the header that was checked.
        let copied = datagram.copy_to(bytes);
        // INVARIANT: header and arglen bytes lie in the allocation.
        let message = Self(memory.cast());
        // SAFETY: the allocation begins with room for a header.
        unsafe { message.0.write(header) };
        copied.map(|()| message)
    }

    /// A copy of the header.
    #[must_use]
    pub fn header(&self) -> Header {
        // SAFETY: a whole header lies there (invariant).
        unsafe { self.0.read() }
    }

    /// Header and arguments.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let arguments = usize::try_from(self.header().arglen).unwrap_or(0);
        let length = size_of::<Header>().saturating_add(arguments);
        // SAFETY: the allocation holds header and arguments (invariant), borrowed with self.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), length) }
    }

    /// The arguments.
    #[must_use]
    pub fn arguments(&self) -> &[u8] {
        self.as_bytes().get(size_of::<Header>()..).unwrap_or(&[])
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: the memory is ours alone (invariant).
        unsafe { malloc::free(self.0.as_ptr().cast(), memory_type()) }
    }
}
