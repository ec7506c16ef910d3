//! The system calls that no safe library has.

use std::io;

/// The value of a sysctl, sysctlbyname(3).
#[cfg(target_os = "freebsd")]
pub fn sysctl(name: &str) -> io::Result<Vec<u8>> {
    use std::ffi::CString;
    use std::ptr::{null, null_mut};

    let name = CString::new(name)?;
    let mut size = 0;
    // SAFETY: the name is a string that ends with a zero; without a place for the value, only its size is written.
    check(unsafe { libc::sysctlbyname(name.as_ptr(), null_mut(), &mut size, null(), 0) })?;
    let mut value = vec![0u8; size];
    let place = value.as_mut_ptr().cast();
    // SAFETY: at most `size` bytes are written to `value`, which has as many and is borrowed mutably; then the size.
    check(unsafe { libc::sysctlbyname(name.as_ptr(), place, &mut size, null(), 0) })?;
    value.truncate(size);
    Ok(value)
}

/// Enters a jail for good, jail_attach(2).
#[cfg(target_os = "freebsd")]
pub fn attach(jail: i32) -> io::Result<()> {
    // SAFETY: the call takes an integer.
    check(unsafe { libc::jail_attach(jail) })
}

#[cfg(target_os = "freebsd")]
fn check(result: libc::c_int) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Other systems' sysctls say other things.
#[cfg(not(target_os = "freebsd"))]
pub fn sysctl(_: &str) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Other systems have no jails.
#[cfg(not(target_os = "freebsd"))]
pub fn attach(_: i32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
