//! Socket buffers: records of an address and a datagram.

use core::ffi::c_int;
use core::mem::offset_of;
use std::time::Duration;

use kpi::Errno;
use kpi::raw::mbuf::mbuf;
use kpi::raw::mutex::mtx;
use kpi::raw::socketvar::{SBS_CANTRCVMORE, sockbuf};

use super::{Direction, Locked, SBS_CANTSENDMORE, So};
use crate::{abi, mbuf as chains, report, sleep};

const SB_WAIT: i16 = 4;
const SB_SEL: i16 = 8;
/// How many bytes of mbufs may hold one byte of data.
const SB_EFFICIENCY: u64 = 8;
const MSIZE: u64 = 256;

/// One buffer of a live socket, and the lock of those who read from it or write to it.
///
/// # Invariants
/// Both pointers lie in a socket that is live; `sb_mtx` is set and initialised, unless the socket is being made.
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    buffer: *mut sockbuf,
    /// `struct sx`, of which the last word is 0 if nobody has it; while somebody has it, the first is `buffer`.
    io: *mut [usize; 4],
}

macro_rules! member {
    ($get:ident, $set:ident, $field:ident: $type:ty) => {
        pub(super) fn $get(self) -> $type {
            self.read(offset_of!(sockbuf, $field))
        }

        #[allow(dead_code)]
        pub(super) fn $set(self, value: $type) {
            self.write(offset_of!(sockbuf, $field), value);
        }
    };
}

impl Buffer {
    /// # Safety
    /// The invariants hold as long as the value is used.
    pub(super) unsafe fn new(buffer: *mut sockbuf, io: *mut [usize; 4]) -> Self {
        // INVARIANT: the caller says so.
        Self { buffer, io }
    }

    fn read<T: Copy>(self, offset: usize) -> T {
        // SAFETY: in the buffer of a live socket (invariant); volatile, since some members are read without the lock.
        unsafe { self.buffer.wrapping_byte_add(offset).cast::<T>().read_volatile() }
    }

    fn write<T: Copy>(self, offset: usize, value: T) {
        // SAFETY: as in read.
        unsafe { self.buffer.wrapping_byte_add(offset).cast::<T>().write_volatile(value) }
    }

    member!(state, set_state, sb_state: i16);
    member!(flags, set_flags, sb_flags: i16);
    member!(available, set_available, sb_acc: u32);
    member!(claimed, set_claimed, sb_ccc: u32);
    member!(charged, set_charged, sb_mbcnt: u32);
    member!(control, set_control, sb_ctl: u32);
    member!(high_water, set_high_water, sb_hiwat: u32);
    member!(low_water, set_low_water, sb_lowat: i32);
    member!(charge_limit, set_charge_limit, sb_mbmax: u32);
    member!(timeout_word, set_timeout_word, sb_timeo: i64);
    member!(mutex, set_mutex, sb_mtx: *mut mtx);
    member!(first, set_first, sb_mb: *mut mbuf);

    /// `sb_mbtail`, and `sb_lastrecord` behind it.
    const LAST_MBUF: usize = 128;
    const LAST_RECORD: usize = 136;

    pub(super) fn lock(self) -> Locked {
        // SAFETY: the mutex of a live socket's buffer (invariant).
        unsafe { Locked::new(self.mutex()) }
    }

    pub(super) fn assert_locked(self, what: &str) {
        // SAFETY: as in lock.
        if !unsafe { crate::mutex::is_owned(self.mutex()) } {
            report::panic(&format!("{what}: the socket buffer is not locked"));
        }
    }

    /// `SOCKBUF_UNLOCK`, of a lock that a caller took.
    pub(super) fn unlock(self) {
        // SAFETY: as in lock; assert_locked has made sure of the owner.
        unsafe { crate::mutex::unlock(self.mutex()) }
    }

    /// `sbspace`: bytes that still fit; less than 0 if the limit was lowered.
    pub(super) fn space(self) -> i64 {
        let bytes = i64::from(self.high_water()) - i64::from(self.claimed());
        let charge = i64::from(self.charge_limit()) - i64::from(self.charged());
        bytes.min(charge)
    }

    /// `sb_timeo`, where 0 is for ever.
    pub(super) fn timeout(self) -> Option<Duration> {
        let word = self.timeout_word();
        (word > 0).then(|| sbintime_to_duration(word))
    }

    /// Sleeps until there is news in the buffer. Its lock is held.
    pub(super) fn wait(self) -> Result<(), c_int> {
        self.set_flags(self.flags() | SB_WAIT);
        let channel = self.buffer as usize + offset_of!(sockbuf, sb_acc);
        // SAFETY: the caller holds the lock.
        match unsafe { sleep::sleep(channel, self.mutex(), true, "sbwait", self.timeout()) } {
            0 => Ok(()),
            error => Err(error),
        }
    }

    /// Has those who poll be woken too.
    pub(super) fn select(self) {
        self.set_flags(self.flags() | SB_SEL);
    }

    /// Whether anyone polled since the last wakeup; the lock is held. Wakes those who wait in the buffer.
    fn wake_waiters(self) -> bool {
        let flags = self.flags();
        self.set_flags(flags & !(SB_WAIT | SB_SEL));
        if flags & SB_WAIT != 0 {
            sleep::wakeup_channel(self.buffer as usize + offset_of!(sockbuf, sb_acc));
        }
        flags & SB_SEL != 0
    }

    /// `sbreserve_locked`
    pub(super) fn reserve(self, bytes: u64) -> Result<(), c_int> {
        let limit = abi::booted().sb_max;
        if bytes > limit * 2048 / (MSIZE + 2048) {
            return Err(Errno::ENOBUFS.get());
        }
        self.set_high_water(bytes as u32);
        self.set_charge_limit((bytes * SB_EFFICIENCY).min(limit) as u32);
        self.set_low_water(self.low_water().min(self.high_water() as i32));
        Ok(())
    }

    /// Counts a record in (1) or out (-1).
    fn account(self, record: *const mbuf, sign: i32) {
        // SAFETY: the record belongs to the buffer, whose lock is held.
        let length = unsafe { chains::length(record) } as i32;
        // SAFETY: as above.
        let charge = unsafe { chains::charge(record) } as i32;
        // SAFETY: as above.
        let address = unsafe { (*record).m_len };
        let add = |count: u32, more: i32| count.wrapping_add_signed(more * sign);
        self.set_available(add(self.available(), length));
        self.set_claimed(add(self.claimed(), length));
        self.set_control(add(self.control(), address));
        self.set_charged(add(self.charged(), charge));
    }

    /// Puts a whole record at the end. The lock is held.
    pub(super) fn push(self, record: *mut mbuf) {
        self.account(record, 1);
        let last = self.read::<*mut mbuf>(Self::LAST_RECORD);
        if self.first().is_null() {
            self.set_first(record);
        } else {
            // SAFETY: the last record is in the buffer, whose lock is held.
            unsafe { (*last).m_nextpkt = record };
        }
        self.write(Self::LAST_RECORD, record);
        // SAFETY: the record is the buffer's now.
        self.write(Self::LAST_MBUF, unsafe { last_mbuf(record) });
    }

    /// Takes the first record out: it is the caller's. The lock is held.
    pub(super) fn pop(self) -> Option<*mut mbuf> {
        let record = self.first();
        if record.is_null() {
            return None;
        }
        // SAFETY: the first record is in the buffer, whose lock is held.
        let next = unsafe { core::mem::replace(&mut (*record).m_nextpkt, core::ptr::null_mut()) };
        self.account(record, -1);
        self.set_first(next);
        if next.is_null() {
            self.write(Self::LAST_RECORD, next);
            self.write(Self::LAST_MBUF, next);
        }
        Some(record)
    }

    /// Frees everything in the buffer. Its lock is held, or nobody else has the socket.
    pub(super) fn flush(self) {
        while let Some(record) = self.pop() {
            // SAFETY: pop gave the record to us.
            unsafe { chains::free(record) };
        }
    }

    /// `SOCK_IO_SEND_LOCK` and `SOCK_IO_RECV_LOCK`: one reader, one writer at a time.
    pub(super) fn io_lock(self, wait: bool) -> Result<IoLock, c_int> {
        let _guard = self.lock();
        while self.io_owner() != 0 {
            if !wait {
                return Err(Errno::EWOULDBLOCK.get());
            }
            // SAFETY: the guard holds the mutex.
            match unsafe { sleep::sleep(self.io as usize, self.mutex(), true, "sbio", None) } {
                0 => {}
                error => return Err(error),
            }
        }
        self.set_io_owner(1);
        // SAFETY: in the live socket (invariant), and the lock is held.
        unsafe { (*self.io)[0] = self.buffer as usize };
        Ok(IoLock(self))
    }

    /// The buffer that an I/O lock is of, which is held.
    ///
    /// # Safety
    /// The lock is that of a live socket, and the caller has it.
    pub(super) unsafe fn of_io_lock(io: *mut [usize; 4]) -> Self {
        // SAFETY: the caller has the lock, so that nobody writes.
        let buffer = unsafe { (*io)[0] };
        // SAFETY: io_lock left the buffer there.
        unsafe { Self::new(buffer as *mut sockbuf, io) }
    }

    /// Gives up the I/O lock.
    pub(super) fn io_unlock(self) {
        let _guard = self.lock();
        self.set_io_owner(0);
        sleep::wakeup_channel(self.io as usize);
    }

    pub(super) fn io_owner(self) -> usize {
        // SAFETY: in the live socket (invariant); changed under the buffer's lock only.
        unsafe { (*self.io)[3] }
    }

    fn set_io_owner(self, owner: usize) {
        // SAFETY: as above, and the lock is held.
        unsafe { (*self.io)[3] = owner }
    }
}

/// The right to read from, or write to, a socket; given up at the end of the value.
pub(super) struct IoLock(Buffer);

impl Drop for IoLock {
    fn drop(&mut self) {
        self.0.io_unlock();
    }
}

/// The last mbuf of a chain.
///
/// # Safety
/// The chain is valid.
unsafe fn last_mbuf(chain: *mut mbuf) -> *mut mbuf {
    let mut last = chain;
    loop {
        // SAFETY: an mbuf of the chain.
        let next = unsafe { (*last).m_next };
        if next.is_null() {
            return last;
        }
        last = next;
    }
}

/// 2^32 is a second.
fn sbintime_to_duration(word: i64) -> Duration {
    let nanoseconds = (i128::from(word) * 1_000_000_000) >> 32;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}

impl So {
    /// `sowakeup`: wakes whoever waits for the buffer. Its lock is held and given up.
    pub(super) fn wake(self, direction: Direction) {
        let buffer = self.buffer(direction);
        let polled = buffer.wake_waiters();
        match direction {
            Direction::Receive => {
                if polled {
                    sleep::wakeup_channel(self.poll_channel());
                }
                buffer.unlock();
            }
            // Who polls sleeps with the receive buffer's lock: under it, so that no wakeup comes too early.
            Direction::Send => {
                buffer.unlock();
                if polled {
                    let _guard = self.buffer(Direction::Receive).lock();
                    sleep::wakeup_channel(self.poll_channel());
                }
            }
        }
    }

    /// `socantrcvmore`, `socantsendmore`.
    pub(super) fn no_more(self, direction: Direction) {
        let buffer = self.buffer(direction);
        core::mem::forget(buffer.lock());
        if direction == Direction::Send {
            buffer.flush();
        }
        let mark = match direction {
            Direction::Send => SBS_CANTSENDMORE,
            Direction::Receive => SBS_CANTRCVMORE,
        };
        buffer.set_state(buffer.state() | mark);
        self.wake(direction);
    }
}
