//! What a system call reads from or writes to, as `struct uio`.

use core::ffi::c_int;

use kpi::raw::uio::uio;

const UIO_USERSPACE: c_int = 0;
const UIO_READ: c_int = 0;
const UIO_WRITE: c_int = 1;

/// A process's buffer, and how much of it is left.
pub struct Transfer<'a> {
    raw: uio,
    vector: Box<libc::iovec>,
    _buffer: core::marker::PhantomData<&'a mut [u8]>,
}

impl<'a> Transfer<'a> {
    /// The kernel is to fill the buffer.
    pub fn into_process(buffer: &'a mut [u8]) -> Self {
        Self::new(buffer.as_mut_ptr(), buffer.len(), UIO_READ)
    }

    /// The kernel is to read the buffer.
    pub fn from_process(buffer: &'a [u8]) -> Self {
        Self::new(buffer.as_ptr().cast_mut(), buffer.len(), UIO_WRITE)
    }

    fn new(start: *mut u8, length: usize, direction: c_int) -> Self {
        let mut vector = Box::new(libc::iovec {
            iov_base: start.cast(),
            iov_len: length,
        });
        let raw = uio {
            uio_iov: (&raw mut *vector).cast(),
            uio_iovcnt: 1,
            uio_offset: 0,
            uio_resid: length as isize,
            uio_segflg: UIO_USERSPACE,
            uio_rw: direction,
            uio_td: crate::thread::current().cast(),
        };
        Self {
            raw,
            vector,
            _buffer: core::marker::PhantomData,
        }
    }

    /// For the kernel's functions.
    pub fn as_ptr(&mut self) -> *mut uio {
        // The vector is used through the raw structure from now on.
        self.raw.uio_iov = (&raw mut *self.vector).cast();
        &raw mut self.raw
    }

    /// Bytes not transferred; less than 0 if a datagram was longer and its length was asked for.
    #[must_use]
    pub fn left(&self) -> isize {
        self.raw.uio_resid
    }
}

/// The next `wanted` bytes of the process's buffer, counted as transferred.
///
/// # Safety
/// `uio` is valid, and its vectors are memory of the process.
unsafe fn advance(uio: *mut uio, wanted: usize, mut each: impl FnMut(*mut u8, usize)) -> usize {
    let mut done = 0;
    // SAFETY: the caller vouches for it, and for the vectors below.
    let uio = unsafe { &mut *uio };
    while done < wanted && uio.uio_resid > 0 && uio.uio_iovcnt > 0 {
        let place = uio.uio_iov.cast::<libc::iovec>();
        // SAFETY: one of the vectors that are left.
        let vector = unsafe { &mut *place };
        if vector.iov_len == 0 {
            uio.uio_iov = place.wrapping_add(1).cast();
            uio.uio_iovcnt -= 1;
            continue;
        }
        let length = vector.iov_len.min(wanted - done);
        each(vector.iov_base.cast(), length);
        vector.iov_base = vector.iov_base.wrapping_byte_add(length);
        vector.iov_len -= length;
        uio.uio_resid -= length as isize;
        uio.uio_offset += length as i64;
        done += length;
    }
    done
}

/// `uiomove` to the process; returns how many of the bytes went there.
///
/// # Safety
/// As for [`advance`], and the memory may be written.
pub(super) unsafe fn copy_out(uio: *mut uio, bytes: &[u8]) -> usize {
    let mut from = bytes;
    let copy = |to: *mut u8, length: usize| {
        let (now, later) = from.split_at(length);
        // SAFETY: so much of the process's memory is there (caller), and it is not ours.
        unsafe { core::ptr::copy_nonoverlapping(now.as_ptr(), to, length) };
        from = later;
    };
    // SAFETY: the caller vouches for it.
    unsafe { advance(uio, bytes.len(), copy) }
}

/// `uiomove` from the process: everything that is left.
///
/// # Safety
/// As for [`advance`].
pub(super) unsafe fn copy_in(uio: *mut uio) -> Vec<u8> {
    // SAFETY: the caller vouches for it.
    let left = usize::try_from(unsafe { (*uio).uio_resid }).unwrap_or(0);
    let mut bytes = Vec::with_capacity(left);
    let copy = |from: *mut u8, length: usize| {
        // SAFETY: so much of the process's memory is there (caller).
        bytes.extend_from_slice(unsafe { core::slice::from_raw_parts(from, length) });
    };
    // SAFETY: the caller vouches for it.
    unsafe { advance(uio, left, copy) };
    bytes
}
