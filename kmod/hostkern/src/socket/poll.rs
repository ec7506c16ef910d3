//! poll(2) and kqueue(2) of a socket.

use std::time::{Duration, Instant};

use kpi::Errno;
use kpi::raw::socketvar::SBS_CANTRCVMORE;

use super::{Direction, SBS_CANTSENDMORE, So};
use crate::process::Readiness;
use crate::sleep;

/// poll(2)'s events, FreeBSD's numbers.
pub const POLLIN: i16 = 0x1;
/// There is room to write.
pub const POLLOUT: i16 = 0x4;
/// The socket is at an end, both ways.
pub const POLLHUP: i16 = 0x10;
/// As [`POLLIN`].
pub const POLLRDNORM: i16 = 0x40;
/// The end is no event.
pub const POLLINIGNEOF: i16 = 0x2000;
/// There is nothing more to read.
pub const POLLRDHUP: i16 = 0x4000;

impl So {
    /// `sopoll_generic`, without waiting. The locks of both buffers are held.
    fn events(self, events: i16) -> i16 {
        let (send, receive) = (self.buffer(Direction::Send), self.buffer(Direction::Receive));
        let at_end = receive.state() & SBS_CANTRCVMORE != 0;
        let is_shut = send.state() & SBS_CANTSENDMORE != 0;
        let mut ready = 0;
        if i64::from(receive.available()) >= receive.low_water().into()
            || self.error() != 0
            || self.receive_error() != 0
        {
            ready |= events & (POLLIN | POLLRDNORM);
        }
        if send.space() >= send.low_water().into() || is_shut || self.error() != 0 {
            ready |= events & POLLOUT;
        }
        if events & POLLINIGNEOF == 0 && at_end {
            ready |= events & (POLLIN | POLLRDNORM);
            if is_shut {
                ready |= POLLHUP;
            }
        }
        if at_end {
            ready |= events & POLLRDHUP;
        }
        ready
    }

    /// The events there are; 0 after the timeout.
    pub(crate) fn poll(self, events: i16, timeout: Option<Duration>) -> Result<i16, i32> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let socket = self.lock();
            let send = self.buffer(Direction::Send).lock();
            let receive = self.buffer(Direction::Receive).lock();
            let ready = self.events(events);
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if ready != 0 || left == Some(Duration::ZERO) {
                return Ok(ready);
            }
            self.buffer(Direction::Send).select();
            self.buffer(Direction::Receive).select();
            drop(send);
            drop(socket);
            let mutex = self.buffer(Direction::Receive).mutex();
            // SAFETY: the guard holds the mutex.
            let woken = unsafe { sleep::sleep(self.poll_channel(), mutex, true, "select", left) };
            drop(receive);
            if woken != 0 && woken != Errno::EWOULDBLOCK.get() {
                return Err(woken);
            }
        }
    }

    /// `filt_soread`
    pub(crate) fn read_event(self) -> Option<Readiness> {
        let buffer = self.buffer(Direction::Receive);
        let _guard = buffer.lock();
        let at_end = buffer.state() & SBS_CANTRCVMORE != 0;
        let failed = self.error() != 0 || self.receive_error() != 0;
        let enough = i64::from(buffer.available()) >= buffer.low_water().into();
        (at_end || failed || enough).then(|| Readiness {
            at_end,
            bytes: i64::from(buffer.available()) - i64::from(buffer.control()),
        })
    }
}
