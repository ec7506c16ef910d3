//! epoch(9): the network's epoch.

use core::cell::UnsafeCell;
use core::marker::PhantomData;

use crate::raw::epoch as raw;

/// Being inside the network's epoch, where packets are handled.
///
/// The tracker lies on this thread's stack and may not move, so that there is only [`NetEpoch::run`].
pub struct NetEpoch {
    tracker: UnsafeCell<raw::epoch_tracker>,
    this_thread: PhantomData<*mut ()>,
}

impl NetEpoch {
    /// Runs `work` inside the epoch. It must not sleep.
    pub fn run<R>(work: impl FnOnce(&Self) -> R) -> R {
        let tracker = UnsafeCell::new(raw::epoch_tracker { storage: [0; 4] });
        let inside = Self {
            tracker,
            this_thread: PhantomData,
        };
        // SAFETY: the variable is set when the kernel boots and never changes.
        let epoch = unsafe { raw::net_epoch_preempt };
        // SAFETY: the tracker stays in this frame, which ends after the epoch is left.
        unsafe { raw::_epoch_enter_preempt(epoch, inside.tracker.get()) };
        let result = work(&inside);
        // SAFETY: entered above on this thread, with this tracker.
        unsafe { raw::_epoch_exit_preempt(epoch, inside.tracker.get()) };
        result
    }
}
