//! sleep(9): `_sleep` and `wakeup`.

use std::time::Duration;

use kpi::raw::mutex::mtx;

/// Sleeps on `channel` until [`wakeup`], with `mutex` given up meanwhile. Returns 0, `EINTR` or `EWOULDBLOCK`.
///
/// # Safety
/// `mutex` is held by this thread, or null.
pub unsafe fn sleep(
    _channel: usize,
    _mutex: *mut mtx,
    _interruptible: bool,
    _message: &str,
    _timeout: Option<Duration>,
) -> i32 {
    todo!()
}

/// Wakes everyone who sleeps on `channel`.
pub fn wakeup_channel(_channel: usize) {
    todo!()
}
