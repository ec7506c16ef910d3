//! `sys/epoch.h`, for kernels without `EPOCH_TRACE`.

use core::ffi::c_void;

use super::layout;

#[repr(C)]
pub struct epoch_tracker {
    pub storage: [u64; 4],
}
layout!(EPOCH_TRACKER: epoch_tracker = "struct epoch_tracker", size 32;);

unsafe extern "C" {
    pub static net_epoch_preempt: *mut c_void;

    pub fn _epoch_enter_preempt(epoch: *mut c_void, et: *mut epoch_tracker);
    pub fn _epoch_exit_preempt(epoch: *mut c_void, et: *mut epoch_tracker);
}
