//! FreeBSD's error numbers.

/// An error number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

/// What a call gives.
pub type Result<T = ()> = core::result::Result<T, Errno>;

macro_rules! errnos {
    ($($name:ident = $value:literal)*) => {
        impl Errno {
            $(
                #[doc = stringify!($name)]
                pub const $name: Self = Self($value);
            )*
        }

        impl core::fmt::Debug for Errno {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.0 {
                    $($value => f.write_str(stringify!($name)),)*
                    other => write!(f, "errno {other}"),
                }
            }
        }
    };
}

errnos! {
    EPERM = 1
    ENOENT = 2
    ENXIO = 6
    EEXIST = 17
    EINVAL = 22
    EWOULDBLOCK = 35
    EDESTADDRREQ = 39
    EMSGSIZE = 40
    EOPNOTSUPP = 45
    EADDRINUSE = 48
    ENETDOWN = 50
    ENOBUFS = 55
    EISCONN = 56
    ENOTCONN = 57
    ENAMETOOLONG = 63
    EHOSTUNREACH = 65
}
