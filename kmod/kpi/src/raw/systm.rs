//! `sys/systm.h`, `sys/priv.h`, `sys/linker.h`: sleeping, privileges, loading modules, the message buffer.

use core::ffi::{c_char, c_int, c_void};

use super::constants;
use super::mutex::lock_object;

/// `struct thread`, only ever passed on.
#[repr(C)]
pub struct thread {
    opaque: [u8; 0],
}

constants! {
    PCATCH: c_int = 0x100;
    C_HARDCLOCK: c_int = 0x100;
    PRIV_NETGRAPH_CONTROL: c_int = 480;
    LINKER_UNLOAD_NORMAL: c_int = 0;
}

unsafe extern "C" {
    /// Seconds since the kernel booted; the kernel writes it.
    pub static time_uptime: i64;

    /// Sleeps for `sbt`, in units of 2⁻³² s.
    pub fn pause_sbt(wmesg: *const c_char, sbt: i64, pr: i64, flags: c_int) -> c_int;
    pub fn _sleep(
        chan: *const c_void,
        lock: *mut lock_object,
        pri: c_int,
        wmesg: *const c_char,
        sbt: i64,
        pr: i64,
        flags: c_int,
    ) -> c_int;
    pub fn wakeup(chan: *const c_void);
    pub fn priv_check(td: *mut thread, privilege: c_int) -> c_int;
    pub fn kern_kldload(td: *mut thread, file: *const c_char, fileid: *mut c_int) -> c_int;
    pub fn kern_kldunload(td: *mut thread, fileid: c_int, flags: c_int) -> c_int;
    // The host has a printf(3) of its own.
    #[cfg_attr(not(target_os = "none"), link_name = "hostkern_printf")]
    pub fn printf(format: *const c_char, ...) -> c_int;
}
