//! Network configuration, whichever of the three forms it came in: every value is typed, so that nothing of a seed gets into
//! rc.conf(5) that is no address, number or name of a card.

pub mod openstack;
pub mod v1;
pub mod v2;

use std::net::IpAddr;
use std::str::FromStr;

use graph::Mac;

use crate::document::Node;
use crate::error::Result;

/// A network card of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its name, such as `vtnet0`.
    pub name: String,
    /// Its hardware address.
    pub mac: Option<Mac>,
}

/// What is asked of the network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Each interface.
    pub links: Vec<Link>,
    /// Routes by a gateway, the default one among them.
    pub routes: Vec<Route>,
    /// Name servers, in order.
    pub servers: Vec<IpAddr>,
    /// Domains to search, in order.
    pub search: Vec<String>,
}

/// What is asked of an interface.
#[derive(Debug, Clone)]
pub struct Link {
    /// What the seed calls it.
    pub id: String,
    /// Where the seed says so.
    pub at: Node,
    /// Which card it is.
    pub on: On,
    /// An address by DHCP for IPv4.
    pub dhcp: bool,
    /// Addresses by router advertisements.
    pub advertised: bool,
    /// Addresses with prefix lengths.
    pub addresses: Vec<Cidr>,
    /// Greatest packet in bytes.
    pub mtu: Option<u16>,
}

/// Which card a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// The one of this name.
    Name(String),
    /// The one with this hardware address.
    Mac(Mac),
    /// A VLAN with this number on the link that the seed calls so.
    Vlan(u16, String),
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Where to; None: everywhere.
    pub to: Option<Cidr>,
    /// By which gateway.
    pub via: IpAddr,
}

/// An address and the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// Bits of the network.
    pub prefix: u8,
}

impl FromStr for Cidr {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let address: IpAddr = address.parse().map_err(drop)?;
        let prefix = match prefix.parse::<IpAddr>() {
            Ok(mask) => prefix_of(mask).ok_or(())?,
            Err(_) => prefix.parse().map_err(drop)?,
        };
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= longest).then_some(Self { address, prefix }).ok_or(())
    }
}

/// The length of the prefix that a mask has.
fn prefix_of(mask: IpAddr) -> Option<u8> {
    let (bits, width) = match mask {
        IpAddr::V4(mask) => (u128::from(u32::from(mask)) << 96, 32),
        IpAddr::V6(mask) => (u128::from(mask), 128),
    };
    let prefix = bits.leading_ones().min(width);
    (bits.count_ones() == prefix).then_some(prefix as u8)
}

/// An address with a prefix or mask, which may stand in an entry of its own.
fn address(node: &Node, name: &str, mask: Option<&Node>) -> Result<Cidr> {
    let wanted = "an address with the length of its prefix, such as 192.0.2.7/24";
    let text = node.text(name)?;
    let whole = match mask {
        Some(mask) if !text.contains('/') => format!("{text}/{}", mask.text("netmask")?),
        _ => text.to_owned(),
    };
    let wrong = |()| {
        node.error(
            format!("`{name}`: {whole:?} is not {wanted}"),
            format!("write {wanted}"),
        )
    };
    whole.parse().map_err(wrong)
}

/// A route from where it leads and its gateway.
fn route(to: &Node, name: &str, mask: Option<&Node>, via: &Node) -> Result<Route> {
    let at = via;
    let via: IpAddr = via.parse("gateway", "an address")?;
    let to = match to.text(name)? {
        "default" | "0.0.0.0/0" | "::/0" => None,
        _ => Some(address(to, name, mask)?).filter(|to| to.prefix != 0 || !to.address.is_unspecified()),
    };
    match to {
        Some(cidr) if cidr.address.is_ipv4() != via.is_ipv4() => Err(at.error(
            format!("a route to {} cannot go by {via}", cidr.address),
            "name a gateway of the same kind of address",
        )),
        to => Ok(Route { to, via }),
    }
}

/// A hardware address.
fn mac(node: &Node, name: &str) -> Result<Mac> {
    node.parse(name, "a hardware address such as 52:54:00:12:34:56")
}

/// The size of packets.
fn mtu(node: &Node) -> Result<u16> {
    let size = node.parse("mtu", "a number of bytes from 576 to 65535")?;
    match size {
        576.. => Ok(size),
        _ => Err(node.error(format!("`mtu`: {size} is too small"), "take 576 or more, 1280 for IPv6")),
    }
}

/// The number of a VLAN.
fn vlan(node: &Node, name: &str) -> Result<u16> {
    let number = node.parse(name, "a number from 1 to 4094")?;
    match number {
        1..=4094 => Ok(number),
        _ => Err(node.error(format!("`{name}`: {number} is no VLAN"), "take a number from 1 to 4094")),
    }
}
