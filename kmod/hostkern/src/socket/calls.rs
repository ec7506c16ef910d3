//! The system calls on a socket, but for sending and receiving.

use core::ffi::c_int;

use kpi::Errno;
use kpi::raw::mbuf::mbuf;
use kpi::raw::socketvar::{SS_ISCONNECTED, SS_NBIO};

use super::{Address, Direction, SS_ISCONNECTING, SS_ISDISCONNECTING, So, Transfer};
use crate::sleep;

const SHUT_RD: c_int = 0;
const SHUT_WR: c_int = 1;
const SHUT_RDWR: c_int = 2;

impl So {
    /// `sobind`
    pub(crate) fn bind(self, address: &Address) -> c_int {
        self.in_vnet(|| self.switch().bind(self, address.as_ptr()))
    }

    /// `soconnect`, and what connect(2) does after it.
    pub(crate) fn connect(self, address: &Address) -> c_int {
        let error = self.in_vnet(|| {
            // A datagram socket that is connected is disconnected first.
            if self.state() & (SS_ISCONNECTED | SS_ISCONNECTING) != 0 && self.disconnect() != 0 {
                return Errno::EISCONN.get();
            }
            self.set_error(0);
            self.switch().connect(self, address.as_ptr())
        });
        match error {
            0 => self.take_error().unwrap_or(0),
            error => error,
        }
    }

    /// `sodisconnect`
    fn disconnect(self) -> c_int {
        if self.is(SS_ISCONNECTED) {
            self.switch().disconnect(self)
        } else {
            Errno::ENOTCONN.get()
        }
    }

    /// `sosend`; the ancillary data are given away.
    pub(crate) fn send(
        self,
        to: Option<&Address>,
        from: &mut Transfer<'_>,
        ancillary: *mut mbuf,
        flags: c_int,
    ) -> c_int {
        let to = to.map_or(core::ptr::null_mut(), Address::as_ptr);
        self.in_vnet(|| self.switch().sosend(self, to, from.as_ptr(), ancillary, flags))
    }

    /// `soreceive`, and the sender's address, which is there after an error, too.
    pub(crate) fn receive(self, into: &mut Transfer<'_>, flags: &mut c_int) -> (c_int, Option<Address>) {
        let mut from = core::ptr::null_mut();
        let error = self.in_vnet(|| self.switch().soreceive(self, &mut from, into.as_ptr(), flags));
        // SAFETY: null, or what soreceive left to its caller.
        (error, unsafe { Address::from_raw(from) })
    }

    /// The socket's own address.
    pub(crate) fn name(self) -> Result<Vec<u8>, c_int> {
        self.in_vnet(|| self.switch().sockaddr(self))
    }

    /// `FIONBIO`
    pub(crate) fn set_nonblocking(self, nonblocking: bool) {
        let _guard = self.lock();
        let state = self.state() & !SS_NBIO;
        self.set_state(if nonblocking { state | SS_NBIO } else { state });
    }

    /// `soshutdown`
    pub(crate) fn shutdown(self, how: c_int) -> c_int {
        if !(SHUT_RD..=SHUT_RDWR).contains(&how) {
            return Errno::EINVAL.get();
        }
        let connected = {
            let _guard = self.lock();
            self.state() & (SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING) != 0
        };
        let error = self.in_vnet(|| match crate::abi::booted().shutdown {
            crate::abi::ShutdownMethod::EndsBoth => self.switch().shutdown(self, how),
            crate::abi::ShutdownMethod::EndsWriting => {
                if how != SHUT_WR {
                    self.flush_received();
                }
                if how == SHUT_RD {
                    0
                } else {
                    self.switch().shutdown(self, how)
                }
            }
        });
        sleep::wakeup_channel(self.event_channel());
        match error {
            // As POSIX has it, but only after the fact: programs rely on the effect.
            0 if !connected => Errno::ENOTCONN.get(),
            error => error,
        }
    }

    /// `sorflush`: nothing more to read; what there was is gone.
    fn flush_received(self) {
        self.no_more(Direction::Receive);
        let buffer = self.buffer(Direction::Receive);
        let turn = buffer.io_lock(true);
        let _guard = buffer.lock();
        buffer.flush();
        drop(_guard);
        drop(turn);
    }
}
