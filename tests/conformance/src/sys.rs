//! System calls on sockets. With [`crate::process`] the only place with `unsafe` in this program.
//!
//! It compiles on every Unix, so that it is checked wherever the workspace is; the checks run on FreeBSD only.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, c_void, iovec, socklen_t};

use crate::errno::Errno;

/// `PF_NETGRAPH` (sys/socket.h).
pub const FAMILY: u8 = 32;
/// `NG_DATA` (netgraph/ng_socket.h).
pub const DATA: c_int = 1;
/// `NG_CONTROL` (netgraph/ng_socket.h).
pub const CONTROL: c_int = 2;
/// `SO_RERROR` (sys/socket.h): receive errors are reported.
pub const SO_RERROR: c_int = 0x0002_0000;

/// A `struct sockaddr_ng`, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Vec<u8>);

impl Address {
    /// The text and a zero behind it.
    pub fn text(text: &str) -> Self {
        Self::raw(&[text.as_bytes(), &[0]].concat())
    }

    /// Exactly these bytes behind length and family.
    pub fn raw(data: &[u8]) -> Self {
        let length = u8::try_from(data.len() + 2).unwrap_or(u8::MAX);
        Self([&[length, FAMILY], data].concat())
    }

    /// What lies before the first zero.
    pub fn as_text(&self) -> String {
        let data = self.0.get(2..).unwrap_or_default();
        let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// The size of the address that the kernel gave.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    fn pointer(&self) -> *const libc::sockaddr {
        self.0.as_ptr().cast()
    }
}

fn size_of_address(bytes: &[u8]) -> socklen_t {
    socklen_t::try_from(bytes.len()).unwrap_or(socklen_t::MAX)
}

/// -1 is an error.
pub fn checked(call: &'static str, result: c_int) -> Result<c_int, Errno> {
    if result < 0 { Err(Errno::last(call)) } else { Ok(result) }
}

fn checked_size(call: &'static str, result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::last(call))
}

/// socket(2), of the netgraph family.
pub fn socket(protocol: c_int) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes three integers.
    let result = unsafe { libc::socket(c_int::from(FAMILY), libc::SOCK_DGRAM, protocol) };
    let descriptor = checked("socket", result)?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// bind(2)
pub fn bind(socket: &impl AsFd, address: &Address) -> Result<(), Errno> {
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads as many bytes as the address has.
    checked("bind", unsafe {
        libc::bind(descriptor, address.pointer(), size_of_address(&address.0))
    })
    .map(drop)
}

/// connect(2)
pub fn connect(socket: &impl AsFd, address: &Address) -> Result<(), Errno> {
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads as many bytes as the address has.
    checked("connect", unsafe {
        libc::connect(descriptor, address.pointer(), size_of_address(&address.0))
    })
    .map(drop)
}

/// getsockname(2)
pub fn own_name(socket: &impl AsFd) -> Result<Address, Errno> {
    let mut bytes = vec![0u8; 255];
    let mut size = size_of_address(&bytes);
    let place = bytes.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `size` bytes, which `bytes` has, and the size.
    checked("getsockname", unsafe {
        libc::getsockname(socket.as_fd().as_raw_fd(), place, &mut size)
    })?;
    bytes.truncate(size as usize);
    Ok(Address(bytes))
}

/// sendto(2), with SIGPIPE as the system has it.
pub fn send(socket: &impl AsFd, bytes: &[u8], to: Option<&Address>) -> Result<usize, Errno> {
    let (address, size) = to.map_or((std::ptr::null(), 0), |to| (to.pointer(), size_of_address(&to.0)));
    let data: *const c_void = bytes.as_ptr().cast();
    // SAFETY: the kernel reads `bytes` and the address (none where it is null), both as long as it is told.
    checked_size("sendto", unsafe {
        libc::sendto(socket.as_fd().as_raw_fd(), data, bytes.len(), 0, address, size)
    })
}

/// sendmsg(2) with a control message (an integer of no meaning) beside the datagram.
pub fn send_with_ancillary(socket: &impl AsFd, bytes: &[u8], to: &Address) -> Result<usize, Errno> {
    let mut data = iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // A header (length, level, type) and four bytes; u64 aligns it as FreeBSD and Linux want it.
    let mut control = [0u64; 3];
    // SAFETY: msghdr is made of integers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = to.pointer().cast_mut().cast();
    message.msg_namelen = size_of_address(&to.0);
    message.msg_iov = &raw mut data;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: computes a size from a size.
    message.msg_controllen = unsafe { libc::CMSG_LEN(4) } as _;
    // SAFETY: looks at the message's fields only.
    let head = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    let whole = libc::cmsghdr {
        cmsg_len: message.msg_controllen as _,
        cmsg_level: libc::SOL_SOCKET,
        cmsg_type: 0x7f,
    };
    // SAFETY: the head lies at the start of `control`, 24 aligned bytes, which is enough for it.
    unsafe { head.write(whole) };
    // SAFETY: every pointer in the message leads to as many bytes as it says, alive until the call returns.
    checked_size("sendmsg", unsafe {
        libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, 0)
    })
}

/// recvfrom(2)
pub fn receive(socket: &impl AsFd, room: usize, flags: c_int) -> Result<(Vec<u8>, Address), Errno> {
    let (mut bytes, mut from) = (vec![0u8; room], vec![0u8; 255]);
    let mut size = size_of_address(&from);
    let (data, address) = (bytes.as_mut_ptr().cast(), from.as_mut_ptr().cast());
    // SAFETY: the kernel writes at most `room` bytes to the one, `size` bytes to the other, and the size.
    let result = unsafe { libc::recvfrom(socket.as_fd().as_raw_fd(), data, room, flags, address, &mut size) };
    bytes.truncate(checked_size("recvfrom", result)?);
    from.truncate(size as usize);
    Ok((bytes, Address(from)))
}

/// read(2)
pub fn read(socket: &impl AsFd, room: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0u8; room];
    let place = bytes.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `room` bytes.
    let length = checked_size("read", unsafe { libc::read(socket.as_fd().as_raw_fd(), place, room) })?;
    bytes.truncate(length);
    Ok(bytes)
}

/// write(2)
pub fn write(socket: &impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    let data: *const c_void = bytes.as_ptr().cast();
    // SAFETY: the kernel reads `bytes`.
    checked_size("write", unsafe {
        libc::write(socket.as_fd().as_raw_fd(), data, bytes.len())
    })
}

/// writev(2) of two parts
pub fn write_parts(socket: &impl AsFd, parts: [&[u8]; 2]) -> Result<usize, Errno> {
    let list = parts.map(|part| iovec {
        iov_base: part.as_ptr().cast_mut().cast(),
        iov_len: part.len(),
    });
    // SAFETY: the kernel reads the two parts.
    checked_size("writev", unsafe {
        libc::writev(socket.as_fd().as_raw_fd(), list.as_ptr(), 2)
    })
}

/// readv(2) into parts of 14 and of up to 2,048 bytes, put together
pub fn read_parts(socket: &impl AsFd) -> Result<Vec<u8>, Errno> {
    let (mut head, mut body) = ([0u8; 14], vec![0u8; 2048]);
    let list = [
        iovec {
            iov_base: head.as_mut_ptr().cast(),
            iov_len: head.len(),
        },
        iovec {
            iov_base: body.as_mut_ptr().cast(),
            iov_len: body.len(),
        },
    ];
    // SAFETY: the kernel writes to the two parts, as many bytes as each has.
    let length = checked_size("readv", unsafe {
        libc::readv(socket.as_fd().as_raw_fd(), list.as_ptr(), 2)
    })?;
    let mut bytes = [&head[..], &body[..]].concat();
    bytes.truncate(length);
    Ok(bytes)
}

/// setsockopt(2) of an integer of the socket level
pub fn set_option(socket: &impl AsFd, option: c_int, value: c_int) -> Result<(), Errno> {
    let size = size_of::<c_int>() as socklen_t;
    let place: *const c_void = (&raw const value).cast();
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads one integer.
    checked("setsockopt", unsafe {
        libc::setsockopt(descriptor, libc::SOL_SOCKET, option, place, size)
    })
    .map(drop)
}

/// getsockopt(2) of an integer of the socket level
pub fn option(socket: &impl AsFd, option: c_int) -> Result<c_int, Errno> {
    let (mut value, mut size) = (0, size_of::<c_int>() as socklen_t);
    let place: *mut c_void = (&raw mut value).cast();
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes one integer and its size.
    checked("getsockopt", unsafe {
        libc::getsockopt(descriptor, libc::SOL_SOCKET, option, place, &mut size)
    })?;
    Ok(value)
}

/// Sets `O_NONBLOCK`.
pub fn set_nonblocking(socket: &impl AsFd) -> Result<(), Errno> {
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: integers only.
    checked("fcntl", unsafe {
        libc::fcntl(descriptor, libc::F_SETFL, libc::O_NONBLOCK)
    })
    .map(drop)
}

/// poll(2) for input; what it reports, 0 after so many milliseconds.
pub fn poll(socket: &impl AsFd, milliseconds: c_int) -> Result<c_int, Errno> {
    let mut entry = libc::pollfd {
        fd: socket.as_fd().as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the kernel reads and writes one entry.
    checked("poll", unsafe { libc::poll(&mut entry, 1, milliseconds) })?;
    Ok(c_int::from(entry.revents))
}

/// What an `EVFILT_READ` event said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// `EV_EOF`
    pub at_end: bool,
    /// How many bytes there are to read.
    pub bytes: i64,
}

/// kqueue(2) with one `EVFILT_READ`; none after a second without an event.
#[cfg(target_os = "freebsd")]
pub fn kqueue_read(socket: BorrowedFd<'_>) -> Result<Option<Readiness>, Errno> {
    // SAFETY: no arguments.
    let queue = checked("kqueue", unsafe { libc::kqueue() })?;
    // SAFETY: the kernel has just given us this descriptor.
    let queue = unsafe { OwnedFd::from_raw_fd(queue) };
    // SAFETY: kevent is made of integers and a pointer, for which zero is a value.
    let mut event: libc::kevent = unsafe { std::mem::zeroed() };
    event.ident = usize::try_from(socket.as_raw_fd()).unwrap_or(usize::MAX);
    event.filter = libc::EVFILT_READ;
    event.flags = libc::EV_ADD;
    let change = event;
    let second = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: the kernel reads one change and the time, and writes at most one event.
    let count = unsafe {
        libc::kevent(
            queue.as_raw_fd(),
            &raw const change,
            1,
            &raw mut event,
            1,
            &raw const second,
        )
    };
    let found = checked("kevent", count)? > 0;
    Ok(found.then_some(Readiness {
        at_end: event.flags & libc::EV_EOF != 0,
        bytes: event.data,
    }))
}

/// No other system has it as FreeBSD does.
#[cfg(not(target_os = "freebsd"))]
pub fn kqueue_read(_: BorrowedFd<'_>) -> Result<Option<Readiness>, Errno> {
    Err(Errno::last("kqueue"))
}

/// cap_rights_limit(2) to `CAP_EVENT`, `CAP_READ` and `CAP_WRITE`
#[cfg(target_os = "freebsd")]
pub fn limit_rights(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    // sys/capsicum.h: CAPRIGHT(0, 1), CAPRIGHT(0, 2) and CAPRIGHT(1, 0x20), where the index is bit 57 or 58.
    let (read_and_write, event, end): (u64, u64, u64) = (1 << 57 | 0x3, 1 << 58 | 0x20, 0);
    // SAFETY: the rights are made of integers, for which zero is a value.
    let mut rights: libc::cap_rights_t = unsafe { std::mem::zeroed() };
    // SAFETY: version 0 of the structure, and 64-bit rights up to a zero, as cap_rights_init(3) has it.
    unsafe { libc::__cap_rights_init(0, &raw mut rights, read_and_write, event, end) };
    // SAFETY: the kernel reads one set of rights.
    checked("cap_rights_limit", unsafe {
        libc::cap_rights_limit(socket.as_raw_fd(), &raw const rights)
    })
    .map(drop)
}

/// No other system has it.
#[cfg(not(target_os = "freebsd"))]
pub fn limit_rights(_: BorrowedFd<'_>) -> Result<(), Errno> {
    Err(Errno::last("cap_rights_limit"))
}
