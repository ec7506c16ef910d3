//! A network interface of this machine, as the hardware of an `ether` node.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use hostkern::Errno;
use hostkern::netgraph::ether::Wire;
use thiserror::Error;

use super::sys::{self, Membership, Question, Request, Switch};

/// Why an interface cannot be attached.
#[derive(Debug, Error)]
pub enum InterfaceError {
    /// There is none of that name.
    #[error("there is no network interface {0}\nhint: `ip -br link` lists those of this machine")]
    Missing(String),
    /// This user may not.
    #[error(
        "could not {doing} network interface {name}: {error}\nhint: run hostkernd as root, or with CAP_NET_RAW and CAP_NET_ADMIN"
    )]
    Forbidden {
        /// The interface.
        name: String,
        /// What was to be done with it.
        doing: &'static str,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// It carries other frames.
    #[error(
        "network interface {0} is not an Ethernet interface\nhint: give one that `ip -br link` shows an address of six bytes for"
    )]
    NoEthernet(String),
    /// The system refuses.
    #[error("could not {doing} network interface {name}: {error}")]
    Refused {
        /// The interface.
        name: String,
        /// What was to be done with it.
        doing: &'static str,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Another node has its name.
    #[error(
        "interface {0} is given twice, or another one has the same name as a node\nhint: give each --interface once"
    )]
    Taken(String),
    /// The hosted kernel refuses.
    #[error(
        "the hosted kernel has no node for interface {name}: error {code}\nhint: a node's name has 1 to 31 characters, and is no [id]"
    )]
    NoNode {
        /// The interface.
        name: String,
        /// FreeBSD's error number.
        code: i32,
    },
}

/// What is done with an interface, for error messages.
struct Doing<'a>(&'a str, &'static str);

impl Doing<'_> {
    fn failed(&self, error: io::Error) -> InterfaceError {
        let (name, doing) = (self.0.to_owned(), self.1);
        match error.kind() {
            ErrorKind::PermissionDenied => InterfaceError::Forbidden { name, doing, error },
            _ if error.raw_os_error() == Some(libc::ENODEV) => InterfaceError::Missing(name),
            _ => InterfaceError::Refused { name, doing, error },
        }
    }
}

/// An interface that this process has opened. It is up, and Linux has no business with it.
#[derive(Debug)]
pub struct Card {
    name: String,
    request: Request,
    index: i32,
    socket: OwnedFd,
}

/// Settings of the driver's that would have frames here be other than those on the wire: `ETHTOOL_S…` of linux/ethtool.h.
const OFFLOADS: [u32; 6] = [
    0x15, // SRXCSUM
    0x17, // STXCSUM
    0x19, // SSG
    0x1f, // STSO
    0x24, // SGSO
    0x2c, // SGRO
];
const GET_FLAGS: u32 = 0x25;
const SET_FLAGS: u32 = 0x26;
/// `ETH_FLAG_LRO`
const LARGE_RECEIVE: u32 = 1 << 15;

impl Card {
    /// Opens the interface of a name, and brings it up.
    ///
    /// # Errors
    /// There is no such interface, or this process may not open it.
    pub fn open(name: &str) -> Result<Self, InterfaceError> {
        let request = Request::about(name).ok_or_else(|| InterfaceError::Missing(name.to_owned()))?;
        let open = Doing(name, "open");
        let socket = sys::packet_socket().map_err(|error| open.failed(error))?;
        let index = request.ask(socket.as_fd(), Question::Index);
        let index = integer(&index.map_err(|error| open.failed(error))?);
        let card = Self {
            name: name.to_owned(),
            request,
            index,
            socket,
        };
        card.ask(Question::Address).map_err(|error| open.failed(error))?;
        if !card.is_ethernet() {
            return Err(InterfaceError::NoEthernet(name.to_owned()));
        }
        card.set_up()?;
        card.listen().map_err(|error| open.failed(error))?;
        Ok(card)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn ask(&self, question: Question) -> io::Result<Request> {
        self.request.ask(self.socket(), question)
    }

    fn is_ethernet(&self) -> bool {
        let kind = self.ask(Question::Address).map(|answer| short(&answer));
        kind.is_ok_and(|kind| kind == libc::ARPHRD_ETHER)
    }

    /// Has frames be as on the wire, keeps Linux's own protocols quiet, and brings the interface up.
    fn set_up(&self) -> Result<(), InterfaceError> {
        let name = &self.name;
        let offloads = self.switch_offloads_off();
        offloads.map_err(|error| Doing(name, "switch off the offloads of").failed(error))?;
        if let Err(error) = self.switch_ipv6_off() {
            eprintln!(
                "hostkernd: could not switch off IPv6 on {name}: {error}; Linux will send frames of its own there"
            );
        }
        let up = self.bring_up();
        up.map_err(|error| Doing(name, "bring up").failed(error))
    }

    fn switch_offloads_off(&self) -> io::Result<()> {
        for command in OFFLOADS {
            tolerate(self.request.ethtool(self.socket(), command, 0))?;
        }
        let flags = tolerate(self.request.ethtool(self.socket(), GET_FLAGS, 0))?.unwrap_or(0);
        if flags & LARGE_RECEIVE != 0 {
            tolerate(self.request.ethtool(self.socket(), SET_FLAGS, flags & !LARGE_RECEIVE))?;
        }
        Ok(())
    }

    /// Else Linux would look for routers and neighbours on it by itself.
    fn switch_ipv6_off(&self) -> io::Result<()> {
        let setting = Path::new("/proc/sys/net/ipv6/conf")
            .join(&self.name)
            .join("disable_ipv6");
        match fs::read_to_string(&setting) {
            Ok(off) if off.trim() == "1" => Ok(()),
            // A Linux without IPv6.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            _ => fs::write(setting, "1"),
        }
    }

    /// Without ARP, by which Linux would answer for the addresses of other interfaces.
    fn bring_up(&self) -> io::Result<()> {
        let mut request = self.ask(Question::Flags)?;
        let flags = short(&request) | (libc::IFF_UP | libc::IFF_NOARP) as u16;
        request.value[..2].copy_from_slice(&flags.to_ne_bytes());
        request.ask(self.socket(), Question::SetFlags).map(drop)
    }

    fn listen(&self) -> io::Result<()> {
        sys::switch_on(self.socket(), Switch::IgnoreOutgoing)?;
        sys::switch_on(self.socket(), Switch::AuxiliaryData)?;
        sys::bind(self.socket(), self.index)
    }

    /// Whether the interface is up; `ENODEV`: it is gone, even if there is another one of its name.
    pub(super) fn is_up(&self) -> io::Result<bool> {
        if integer(&self.ask(Question::Index)?) != self.index {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        let flags = short(&self.ask(Question::Flags)?);
        Ok(flags & libc::IFF_UP as u16 != 0)
    }

    /// Reads a frame into the buffer; none if there is no room for it.
    ///
    /// # Errors
    /// `WouldBlock`: there is none now. Else the interface is down or gone.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<&'a [u8]>> {
        let arrived = sys::receive(self.socket(), &mut buffer[TAG..])?;
        let Some(tag) = arrived.tag else {
            return Ok(buffer.get(TAG..TAG + arrived.length));
        };
        // The tag goes behind the two addresses.
        if arrived.length >= ADDRESSES && TAG + arrived.length <= buffer.len() {
            buffer.copy_within(TAG..TAG + ADDRESSES, 0);
            buffer[ADDRESSES..ADDRESSES + TAG].copy_from_slice(&tag);
        }
        Ok(buffer.get(..TAG + arrived.length))
    }
}

/// How long a VLAN tag is.
const TAG: usize = 4;
/// How long a frame's two addresses are.
const ADDRESSES: usize = 12;

/// `None`: the driver has no such setting, or does not let it be changed.
fn tolerate(setting: io::Result<u32>) -> io::Result<Option<u32>> {
    match setting {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(None),
        result => result.map(Some),
    }
}

fn integer(request: &Request) -> i32 {
    i32::from_ne_bytes(request.value[..4].try_into().expect("four bytes"))
}

/// The flags, or what kind of address there is.
fn short(request: &Request) -> u16 {
    u16::from_ne_bytes([request.value[0], request.value[1]])
}

/// A result of Linux's with FreeBSD's number for what went wrong.
fn translate<T>(result: io::Result<T>) -> Result<T, Errno> {
    result.map_err(|error| {
        let number = match error.raw_os_error() {
            Some(same @ (libc::EPERM | libc::ENXIO | libc::ENOMEM | libc::EBUSY | libc::ENODEV | libc::EINVAL)) => same,
            Some(libc::EMSGSIZE) => 40,
            Some(libc::EOPNOTSUPP) => 45,
            Some(libc::EADDRNOTAVAIL) => 49,
            Some(libc::ENETDOWN) => 50,
            // The interface's queue is full.
            Some(libc::ENOBUFS | libc::EAGAIN) => 55,
            _ => 5,
        };
        Errno::check(number).err().unwrap_or(Errno::EINVAL)
    })
}

impl Wire for Card {
    fn transmit(&self, frame: &[u8]) -> Result<(), Errno> {
        translate(rustix::io::write(&self.socket, frame).map_err(io::Error::from)).map(drop)
    }

    fn index(&self) -> u32 {
        self.index.unsigned_abs()
    }

    fn address(&self) -> Result<[u8; 6], Errno> {
        let answer = translate(self.ask(Question::Address))?;
        Ok(answer.value[2..8].try_into().expect("six bytes"))
    }

    fn set_address(&self, address: [u8; 6]) -> Result<(), Errno> {
        let mut request = self.request;
        request.value[..2].copy_from_slice(&libc::ARPHRD_ETHER.to_ne_bytes());
        request.value[2..8].copy_from_slice(&address);
        translate(request.ask(self.socket(), Question::SetAddress)).map(drop)
    }

    fn set_promiscuous(&self, on: bool) -> Result<(), Errno> {
        let change = if on { sys::join } else { sys::leave };
        translate(change(self.socket(), self.index, Membership::Everything))
    }

    fn join(&self, group: [u8; 6]) -> Result<(), Errno> {
        translate(sys::join(self.socket(), self.index, Membership::Group(group)))
    }

    fn leave(&self, group: [u8; 6]) -> Result<(), Errno> {
        translate(sys::leave(self.socket(), self.index, Membership::Group(group)))
    }
}
