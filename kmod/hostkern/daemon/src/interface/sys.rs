//! What Linux has for network interfaces: requests, and packet sockets (packet(7)).

use std::ffi::c_int;
use std::io::{self, IoSliceMut};
use std::mem::{offset_of, size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{cmsghdr, ifreq, msghdr, packet_mreq, sockaddr_ll, socklen_t, tpacket_auxdata};

/// `struct ifreq`: the name of an interface, and what is asked or said about it.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Request {
    name: [u8; libc::IFNAMSIZ],
    pub(super) value: [u8; 24],
}

const _: () = {
    assert!(size_of::<Request>() == size_of::<ifreq>());
    assert!(align_of::<Request>() >= align_of::<ifreq>());
    assert!(offset_of!(Request, value) == offset_of!(ifreq, ifr_ifru));
};

/// What may be asked with a [`Request`] that refers to no other memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Index,
    Flags,
    SetFlags,
    Address,
    SetAddress,
}

impl Request {
    /// About the interface of this name; none: no interface can be called so.
    pub(super) fn about(interface: &str) -> Option<Self> {
        let mut name = [0; libc::IFNAMSIZ];
        let bytes = interface.as_bytes();
        let fits = (1..libc::IFNAMSIZ).contains(&bytes.len()) && !bytes.contains(&0);
        name.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        fits.then_some(Self { name, value: [0; 24] })
    }

    /// Asks, or says.
    pub(super) fn ask(mut self, socket: BorrowedFd<'_>, question: Question) -> io::Result<Self> {
        let code = match question {
            Question::Index => libc::SIOCGIFINDEX,
            Question::Flags => libc::SIOCGIFFLAGS,
            Question::SetFlags => libc::SIOCSIFFLAGS,
            Question::Address => libc::SIOCGIFHWADDR,
            Question::SetAddress => libc::SIOCSIFHWADDR,
        };
        // SAFETY: these read and write a struct ifreq and nothing else, and that is what self is laid out as.
        check(unsafe { libc::ioctl(socket.as_raw_fd(), code, &raw mut self) })?;
        Ok(self)
    }

    /// Has a setting of the driver's, `ETHTOOL_…` of linux/ethtool.h, read or written: of those with one number.
    pub(super) fn ethtool(mut self, socket: BorrowedFd<'_>, command: u32, number: u32) -> io::Result<u32> {
        // `struct ethtool_value`
        let mut setting = [command, number];
        let address = (&raw mut setting).expose_provenance();
        self.value[..size_of::<usize>()].copy_from_slice(&address.to_ne_bytes());
        // SAFETY: self is laid out as a struct ifreq, and refers to the two numbers that these commands read and write.
        check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut self) })?;
        Ok(setting[1])
    }
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// `ETH_P_ALL`, in the order of bytes that packet sockets want.
const EVERY_PROTOCOL: u16 = (libc::ETH_P_ALL as u16).to_be();

/// A socket that packets do not come in by before it is bound.
pub(super) fn packet_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: it takes numbers only.
    let descriptor = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
    // SAFETY: a new descriptor, nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Has the frames of an interface come in by a packet socket, and those that are sent go out by it.
pub(super) fn bind(socket: BorrowedFd<'_>, index: c_int) -> io::Result<()> {
    // SAFETY: numbers, for which 0 is a value.
    let mut address: sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = EVERY_PROTOCOL;
    address.sll_ifindex = index;
    let length = size_of::<sockaddr_ll>() as socklen_t;
    // SAFETY: an address of this length, which is read during the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) }).map(drop)
}

/// Sets an option of packet sockets.
fn set_option<T>(socket: BorrowedFd<'_>, name: c_int, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as socklen_t;
    let value = (&raw const *value).cast();
    // SAFETY: a value of this length, which is read during the call.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, name, value, length) }).map(drop)
}

/// A switch among the options of packet sockets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Switch {
    /// What this machine sends does not come in.
    IgnoreOutgoing,
    /// With each frame comes the VLAN tag that was taken off it.
    AuxiliaryData,
}

pub(super) fn switch_on(socket: BorrowedFd<'_>, switch: Switch) -> io::Result<()> {
    let name = match switch {
        Switch::IgnoreOutgoing => libc::PACKET_IGNORE_OUTGOING,
        Switch::AuxiliaryData => libc::PACKET_AUXDATA,
    };
    set_option::<c_int>(socket, name, &1)
}

/// What else an interface is to take in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    Everything,
    Group([u8; 6]),
}

fn membership(index: c_int, wanted: Membership) -> packet_mreq {
    let (kind, group) = match wanted {
        Membership::Everything => (libc::PACKET_MR_PROMISC, None),
        Membership::Group(group) => (libc::PACKET_MR_MULTICAST, Some(group)),
    };
    let mut address = [0; 8];
    address[..6].copy_from_slice(&group.unwrap_or_default());
    packet_mreq {
        mr_ifindex: index,
        mr_type: kind as u16,
        mr_alen: if group.is_some() { 6 } else { 0 },
        mr_address: address,
    }
}

/// Has an interface take in more than what is for it, as long as the socket is open.
pub(super) fn join(socket: BorrowedFd<'_>, index: c_int, wanted: Membership) -> io::Result<()> {
    set_option(socket, libc::PACKET_ADD_MEMBERSHIP, &membership(index, wanted))
}

/// Undoes [`join`].
pub(super) fn leave(socket: BorrowedFd<'_>, index: c_int, wanted: Membership) -> io::Result<()> {
    set_option(socket, libc::PACKET_DROP_MEMBERSHIP, &membership(index, wanted))
}

/// Where a `struct tpacket_auxdata` is in what comes with a frame: right behind the header of the first message.
const AUXILIARY: usize = size_of::<cmsghdr>();

/// What comes with a frame.
#[repr(C, align(8))]
struct Control([u8; AUXILIARY + size_of::<tpacket_auxdata>().next_multiple_of(8)]);

/// A frame that came in.
pub(super) struct Arrived {
    /// What it took in the buffer; more than that, if it was cut.
    pub(super) length: usize,
    /// The VLAN tag that was taken off it: protocol and control information, as on the wire.
    pub(super) tag: Option<[u8; 4]>,
}

/// Reads a frame; `WouldBlock`: there is none.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Arrived> {
    let mut control = Control([0; _]);
    let mut parts = [IoSliceMut::new(buffer)];
    // SAFETY: numbers and pointers, for which 0 is a value.
    let mut message: msghdr = unsafe { zeroed() };
    message.msg_iov = parts.as_mut_ptr().cast();
    message.msg_iovlen = parts.len();
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len();
    // SAFETY: both buffers are as long as it says, and are ours during the call; an IoSliceMut is a struct iovec.
    let length = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, libc::MSG_TRUNC) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    let written = message.msg_controllen.min(control.0.len());
    let tag = tag(&control.0[..written]);
    Ok(Arrived { length, tag })
}

/// The VLAN tag in what came with a frame.
fn tag(control: &[u8]) -> Option<[u8; 4]> {
    let number = |at: usize| Some(u32::from_ne_bytes(control.get(at..at + 4)?.try_into().ok()?));
    let short = |at: usize| Some(u16::from_ne_bytes(control.get(at..at + 2)?.try_into().ok()?));
    let kind = (
        number(offset_of!(cmsghdr, cmsg_level))?.cast_signed(),
        number(offset_of!(cmsghdr, cmsg_type))?.cast_signed(),
    );
    if kind != (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
        return None;
    }
    let status = number(AUXILIARY + offset_of!(tpacket_auxdata, tp_status))?;
    if status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let protocol = match status & libc::TP_STATUS_VLAN_TPID_VALID {
        0 => libc::ETH_P_8021Q as u16,
        _ => short(AUXILIARY + offset_of!(tpacket_auxdata, tp_vlan_tpid))?,
    };
    let information = short(AUXILIARY + offset_of!(tpacket_auxdata, tp_vlan_tci))?;
    let [first, second] = protocol.to_be_bytes();
    let [third, fourth] = information.to_be_bytes();
    Some([first, second, third, fourth])
}
