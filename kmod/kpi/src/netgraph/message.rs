//! Control messages, `netgraph/ng_message.h`.

use core::ptr::NonNull;

use crate::errno::{Errno, Result};
use crate::mbuf::Mbuf;
use crate::memory::Wait;
use crate::raw::malloc;
use crate::raw::ng_message::NGF_RESP;
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
        if size_of::<Header>()
            .checked_add(arguments)
            .is_none_or(|length| length > datagram.len())
        {
            return Err(Errno::EINVAL);
        }
        // The copy of the header that was read decides, should the chain ever change under us.
        let message = Self::with_header(header, arguments, wait)?;
        // SAFETY: with_header made room for as many bytes behind the header.
        unsafe { datagram.copy_range(size_of::<Header>(), message.arguments_ptr(), arguments) }?;
        Ok(message)
    }

    /// The answer to `request`, with these arguments. Never sleeps.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn response(request: &Self, arguments: &[u8]) -> Result<Self> {
        let mut header = request.header();
        header.flags = NGF_RESP;
        header.arglen = u32::try_from(arguments.len()).map_err(|_| Errno::ENOMEM)?;
        let message = Self::with_header(header, arguments.len(), Wait::Never)?;
        // SAFETY: with_header made room for as many bytes behind the header; the two do not overlap.
        unsafe {
            message
                .arguments_ptr()
                .copy_from_nonoverlapping(arguments.as_ptr(), arguments.len())
        };
        Ok(message)
    }

    /// A message of `header` and zeroed room for `arguments` bytes, which are the `arglen` of the header, and one more.
    fn with_header(header: Header, arguments: usize, wait: Wait) -> Result<Self> {
        let length = size_of::<Header>().checked_add(arguments).ok_or(Errno::EINVAL)?;
        let wait = match wait {
            Wait::Sleep => malloc::M_WAITOK,
            Wait::Never => malloc::M_NOWAIT,
        };
        let size = length.checked_add(1).ok_or(Errno::EINVAL)?;
        // SAFETY: the type is netgraph's own, registered as long as netgraph is loaded, on which this module depends.
        let memory = unsafe { malloc::malloc(size, memory_type(), wait | malloc::M_ZERO) };
        let memory = NonNull::new(memory.cast::<Header>()).ok_or(Errno::ENOMEM)?;
        // SAFETY: the allocation begins with room for a header.
        unsafe { memory.write(header) };
        // INVARIANT: header and arglen bytes lie in the allocation.
        Ok(Self(memory))
    }

    fn arguments_ptr(&self) -> *mut u8 {
        self.0.as_ptr().cast::<u8>().wrapping_add(size_of::<Header>())
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
