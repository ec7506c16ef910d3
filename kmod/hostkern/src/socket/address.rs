//! Addresses that processes pass: `getsockaddr`.

use core::ffi::c_int;
use core::ptr::NonNull;

use kpi::Errno;
use kpi::raw::malloc::{M_NOWAIT, M_WAITOK, malloc_type};
use kpi::raw::socketvar::sockaddr;

use super::errno::ENAMETOOLONG;
use crate::memory::{M_SONAME, hostkern_free, hostkern_malloc};

/// `SOCK_MAXADDRLEN`
const LONGEST: usize = 255;

/// An address in the kernel's memory: exactly as long as it says, so that reading beyond it is found.
pub struct Address(NonNull<sockaddr>);

fn kind() -> *mut malloc_type {
    (&raw mut M_SONAME).cast()
}

impl Address {
    /// Copies an address in from a process; its `sa_len` becomes the length.
    ///
    /// # Errors
    /// `ENAMETOOLONG`, `EINVAL`: too long, or too short for a `sockaddr`. `ENOBUFS`: no memory, which FreeBSD waits for.
    pub fn from_process(bytes: &[u8]) -> Result<Self, c_int> {
        if bytes.len() > LONGEST {
            return Err(ENAMETOOLONG);
        }
        if bytes.len() < size_of::<sockaddr>() {
            return Err(Errno::EINVAL.get());
        }
        let mut address = Self::copy(bytes, M_WAITOK).ok_or(Errno::ENOBUFS.get())?;
        // SAFETY: ours, and at least that long.
        unsafe { address.0.as_mut().sa_len = bytes.len() as u8 };
        Ok(address)
    }

    /// `sodupsockaddr`: a copy, `None` if there is no memory at once.
    pub(super) fn duplicate(bytes: &[u8]) -> Option<Self> {
        Self::copy(bytes, M_NOWAIT)
    }

    fn copy(bytes: &[u8], flags: c_int) -> Option<Self> {
        // SAFETY: a type of the kernel's own.
        let memory = unsafe { hostkern_malloc(bytes.len(), kind(), flags) };
        let memory = NonNull::new(memory.cast::<u8>())?;
        // SAFETY: new memory of that length.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), memory.as_ptr(), bytes.len()) };
        Some(Self(memory.cast()))
    }

    /// An address that a function left to its caller; `None` for null.
    ///
    /// # Safety
    /// `pointer` is null, or a whole address from malloc(9) of type `M_SONAME` that is nobody else's.
    pub(crate) unsafe fn from_raw(pointer: *mut sockaddr) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    /// Leaves the address to the caller.
    pub(super) fn into_raw(self) -> *mut sockaddr {
        core::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// For a protocol's methods.
    pub(super) fn as_ptr(&self) -> *mut sockaddr {
        self.0.as_ptr()
    }

    /// All `sa_len` bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        // SAFETY: the address is ours.
        let length: usize = unsafe { self.0.as_ref() }.sa_len.into();
        // SAFETY: it is as long as it says.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast::<u8>(), length) }.to_vec()
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        // SAFETY: from malloc(9) of this type, and ours alone.
        unsafe { hostkern_free(self.0.as_ptr().cast(), kind()) }
    }
}
