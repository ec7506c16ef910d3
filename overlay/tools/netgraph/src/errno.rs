//! Error numbers, with FreeBSD's values whatever the host is.

use std::fmt;

/// An error number as FreeBSD's kernel gives it (sys/errno.h).
///
/// The values are FreeBSD's on every host, so that a transport that is not the running kernel can use them too.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "hosted", derive(serde::Serialize, serde::Deserialize))]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        impl Errno {
            $(#[doc = concat!("`", stringify!($name), "`: ", $text, ".")]
            pub const $name: Self = Self($value);)*

            /// The symbol, such as `ENOENT`; none for a number that netgraph does not use.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// What the number says by itself, without knowing what was tried.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self.0 {
                    $($value => $text,)*
                    _ => "unknown error",
                }
            }
        }
    };
}

errnos! {
    EPERM = 1, "not permitted";
    ENOENT = 2, "no such thing";
    EINTR = 4, "interrupted by a signal";
    EIO = 5, "input/output error";
    ENXIO = 6, "not configured";
    E2BIG = 7, "too long";
    ENOEXEC = 8, "not a loadable file";
    EBADF = 9, "not an open descriptor";
    EDEADLK = 11, "it would wait for itself";
    ENOMEM = 12, "out of memory";
    EACCES = 13, "access denied";
    EFAULT = 14, "bad memory address";
    EBUSY = 16, "in use";
    EEXIST = 17, "already there";
    ENODEV = 19, "not possible with this device";
    ENOTDIR = 20, "not a directory";
    EISDIR = 21, "a directory";
    EINVAL = 22, "invalid argument";
    ENFILE = 23, "too many open files in the system";
    EMFILE = 24, "too many open files";
    ENOTTY = 25, "not possible with this device";
    ENOSPC = 28, "no space left";
    EMLINK = 31, "too many links";
    EPIPE = 32, "broken pipe";
    EDOM = 33, "argument out of domain";
    ERANGE = 34, "out of range";
    EAGAIN = 35, "nothing there at the moment";
    EINPROGRESS = 36, "still in progress";
    EALREADY = 37, "already in progress";
    ENOTSOCK = 38, "not a socket";
    EDESTADDRREQ = 39, "an address is needed";
    EMSGSIZE = 40, "message too long";
    ENOPROTOOPT = 42, "no such option";
    EPROTONOSUPPORT = 43, "protocol not supported";
    EOPNOTSUPP = 45, "operation not supported";
    EPFNOSUPPORT = 46, "protocol family not supported";
    EAFNOSUPPORT = 47, "address family not supported";
    EADDRINUSE = 48, "address in use";
    EADDRNOTAVAIL = 49, "address not available";
    ENETDOWN = 50, "network is down";
    ENETUNREACH = 51, "network is unreachable";
    ECONNRESET = 54, "connection lost";
    ENOBUFS = 55, "no buffer space";
    EISCONN = 56, "already connected";
    ENOTCONN = 57, "not connected";
    ESHUTDOWN = 58, "shut down";
    ETIMEDOUT = 60, "timed out";
    ECONNREFUSED = 61, "connection refused";
    ELOOP = 62, "a loop";
    ENAMETOOLONG = 63, "name too long";
    EHOSTUNREACH = 65, "no way there";
    ENOSYS = 78, "not implemented";
    ENOMSG = 83, "no such message";
    EOVERFLOW = 84, "too large";
    EPROTO = 92, "protocol error";
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.text()),
            None => write!(f, "error {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_have_names() {
        assert_eq!(Errno::ENOENT.name(), Some("ENOENT"));
        assert_eq!(Errno(65).to_string(), "no way there (EHOSTUNREACH)");
        assert_eq!(Errno(9999).to_string(), "error 9999");
    }
}
