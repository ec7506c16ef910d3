//! getsockopt(2) and setsockopt(2), of `SOL_SOCKET`.

use core::ffi::c_int;
use std::time::Duration;

use kpi::Errno;

use super::errno::ENOPROTOOPT;
use super::{Direction, So};

pub(crate) const SO_SNDBUF: c_int = 0x1001;
pub(crate) const SO_RCVBUF: c_int = 0x1002;
pub(crate) const SO_SNDLOWAT: c_int = 0x1003;
pub(crate) const SO_RCVLOWAT: c_int = 0x1004;
pub(crate) const SO_SNDTIMEO: c_int = 0x1005;
pub(crate) const SO_RCVTIMEO: c_int = 0x1006;
pub(crate) const SO_ERROR: c_int = 0x1007;
pub(crate) const SO_TYPE: c_int = 0x1008;
pub(crate) const SO_PROTOCOL: c_int = 0x1016;
pub(crate) const SO_DOMAIN: c_int = 0x1019;
/// The options that are bits of `so_options`: debug, acceptconn, reuseaddr, keepalive, dontroute, broadcast, useloopback,
/// oobinline, reuseport, timestamp, nosigpipe, bintime, no_offload, no_ddp, reuseport_lb, rerror.
const FLAGS: c_int = 0x1
    | 0x2
    | 0x4
    | 0x8
    | 0x10
    | 0x20
    | 0x40
    | 0x100
    | 0x200
    | 0x400
    | 0x800
    | 0x2000
    | 0x4000
    | 0x8000
    | 0x1_0000
    | 0x2_0000;
const SO_ACCEPTCONN: c_int = 0x2;

fn direction(option: c_int) -> Direction {
    match option {
        SO_SNDBUF | SO_SNDLOWAT | SO_SNDTIMEO => Direction::Send,
        _ => Direction::Receive,
    }
}

fn is_flag(option: c_int) -> bool {
    option & FLAGS == option && option.count_ones() == 1
}

impl So {
    /// An option that is an int.
    pub(crate) fn option(self, option: c_int) -> Result<c_int, c_int> {
        let buffer = self.buffer(direction(option));
        Ok(match option {
            SO_ERROR => {
                let _guard = self.lock();
                match self.take_error() {
                    Some(error) => error,
                    None => {
                        let error = self.receive_error();
                        self.set_receive_error(0);
                        error.into()
                    }
                }
            }
            SO_SNDBUF | SO_RCVBUF => buffer.high_water() as c_int,
            SO_SNDLOWAT | SO_RCVLOWAT => buffer.low_water(),
            SO_TYPE => self.kind().into(),
            SO_PROTOCOL => self.switch().protocol(),
            SO_DOMAIN => kpi::raw::domain::PF_NETGRAPH,
            option if is_flag(option) => self.options() & option,
            _ => return Err(ENOPROTOOPT),
        })
    }

    /// Sets an option that is an int.
    pub(crate) fn set_option(self, option: c_int, value: c_int) -> Result<(), c_int> {
        match option {
            SO_SNDBUF | SO_RCVBUF | SO_SNDLOWAT | SO_RCVLOWAT => self.set_buffer_option(option, value),
            option if is_flag(option) && option != SO_ACCEPTCONN => {
                let _guard = self.lock();
                let options = self.options() & !option;
                self.set_options(if value == 0 { options } else { options | option });
                Ok(())
            }
            _ => Err(ENOPROTOOPT),
        }
    }

    /// `sbsetopt`
    fn set_buffer_option(self, option: c_int, value: c_int) -> Result<(), c_int> {
        let Some(wanted) = u32::try_from(value).ok().filter(|wanted| *wanted > 0) else {
            return Err(Errno::EINVAL.get());
        };
        let buffer = self.buffer(direction(option));
        let _socket = self.lock();
        let _guard = buffer.lock();
        match option {
            SO_SNDBUF | SO_RCVBUF => buffer.reserve(wanted.into()),
            _ => {
                buffer.set_low_water(wanted.min(buffer.high_water()) as c_int);
                Ok(())
            }
        }
    }

    /// `SO_SNDTIMEO` or `SO_RCVTIMEO`; zero is for ever.
    pub(crate) fn set_timeout(self, option: c_int, timeout: Duration) -> Result<(), c_int> {
        if option != SO_SNDTIMEO && option != SO_RCVTIMEO {
            return Err(ENOPROTOOPT);
        }
        // A timeval, then 2^32 to the second.
        let seconds = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
        let word = if seconds > i64::from(i32::MAX) {
            i64::MAX
        } else {
            (seconds << 32) | ((i64::from(timeout.subsec_micros()) << 32) / 1_000_000)
        };
        let _guard = self.lock();
        self.buffer(direction(option)).set_timeout_word(word);
        Ok(())
    }
}
