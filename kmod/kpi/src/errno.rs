//! Error numbers, `sys/errno.h`.

use core::ffi::c_int;
use core::num::NonZeroI32;

/// Why an operation failed: a value of errno(2), never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(NonZeroI32);

/// What a kernel method returns.
pub type Result<T = ()> = core::result::Result<T, Errno>;

macro_rules! errnos {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl Errno {
            $($(#[$doc])* pub const $name: Self = match NonZeroI32::new($value) {
                Some(value) => Self(value),
                None => panic!("an errno is not 0"),
            };)*
        }
    };
}

errnos! {
    /// Operation not permitted.
    EPERM = 1;
    /// No such file or directory: no such node or hook.
    ENOENT = 2;
    /// Interrupted by a signal.
    EINTR = 4;
    /// Device not configured: no such node type.
    ENXIO = 6;
    /// Cannot allocate memory.
    ENOMEM = 12;
    /// Device busy.
    EBUSY = 16;
    /// Invalid argument.
    EINVAL = 22;
    /// Broken pipe.
    EPIPE = 32;
    /// The time a socket allows for sending is over.
    EWOULDBLOCK = 35;
    /// Operation now in progress.
    EINPROGRESS = 36;
    /// Destination address required.
    EDESTADDRREQ = 39;
    /// Operation not supported.
    EOPNOTSUPP = 45;
    /// Address already in use.
    EADDRINUSE = 48;
    /// No buffer space available.
    ENOBUFS = 55;
    /// Socket is already connected.
    EISCONN = 56;
    /// Socket is not connected.
    ENOTCONN = 57;
    /// No route to host: no such hook.
    EHOSTUNREACH = 65;
}

impl Errno {
    /// The number, as C knows it.
    #[must_use]
    pub const fn get(self) -> c_int {
        self.0.get()
    }

    /// What a system call may return for it: the kernel's own codes, which are negative and would have the call repeated
    /// or its registers left alone, become `EINTR`.
    #[must_use]
    pub const fn for_process(self) -> Self {
        if self.0.get() < 0 { Self::EINTR } else { self }
    }

    /// Reads a C function's result: 0 is success.
    ///
    /// # Errors
    /// `code` is not 0.
    pub fn check(code: c_int) -> Result {
        NonZeroI32::new(code).map_or(Ok(()), |code| Err(Self(code)))
    }
}

/// Turns a method's result into what C expects: 0 or an errno. The one place where errors cross into C.
pub(crate) fn to_c(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(errno) => errno.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_cross_both_ways() {
        assert_eq!(Errno::check(0), Ok(()));
        assert_eq!(Errno::check(22), Err(Errno::EINVAL));
        assert_eq!(to_c(Err(Errno::ENOTCONN)), 57);
        assert_eq!(to_c(Ok(())), 0);
        assert_eq!(Errno::check(-1).map_err(Errno::for_process), Err(Errno::EINTR));
        assert_eq!(Errno::EINVAL.for_process(), Errno::EINVAL);
    }
}
