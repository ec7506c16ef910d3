//! What the core's methods return: FreeBSD's error numbers, as C passes them (`ERESTART` and other negative ones too).

use core::ffi::c_int;

/// Success, or an errno that is not 0.
pub(crate) type Result<T = ()> = core::result::Result<T, c_int>;

pub(crate) const ENOENT: c_int = 2;
pub(crate) const EIO: c_int = 5;
pub(crate) const ENXIO: c_int = 6;
pub(crate) const E2BIG: c_int = 7;
pub(crate) const ENOMEM: c_int = 12;
pub(crate) const EBUSY: c_int = 16;
pub(crate) const EEXIST: c_int = 17;
pub(crate) const EINVAL: c_int = 22;
pub(crate) const ERANGE: c_int = 34;
pub(crate) const EINPROGRESS: c_int = 36;
pub(crate) const EALREADY: c_int = 37;
pub(crate) const EOPNOTSUPP: c_int = 45;
pub(crate) const EPFNOSUPPORT: c_int = 46;
pub(crate) const EADDRINUSE: c_int = 48;
pub(crate) const ENETDOWN: c_int = 50;
pub(crate) const EISCONN: c_int = 56;
pub(crate) const ENOTCONN: c_int = 57;
pub(crate) const ELOOP: c_int = 62;
pub(crate) const ENOSYS: c_int = 78;

/// Reads what a C method returned.
pub(crate) fn check(code: c_int) -> Result {
    if code == 0 { Ok(()) } else { Err(code) }
}

/// Turns a result into what C expects.
pub(crate) fn to_c(result: Result) -> c_int {
    result.err().unwrap_or(0)
}
