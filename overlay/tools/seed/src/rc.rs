//! Network configuration as variables of rc.conf(5).

use std::net::IpAddr;

use crate::error::Result;
use crate::network::{Card, Cidr, Link, Network, On, Route};
use crate::plan::{Notes, Settings};

/// Adds the variables for a network on cards that the graph does not own.
///
/// # Errors
/// A card is not there, or belongs to the graph.
pub fn network(
    network: &Network,
    cards: Option<&[Card]>,
    owned: &[String],
    rc: &mut Settings,
    notes: &mut Notes,
) -> Result<()> {
    for link in &network.links {
        let card = card(link, &network.links, cards)?;
        if owned.contains(&card) {
            let cause = format!("{:?} is {card}, which belongs to the graph", link.id);
            return Err(link.at.error(cause, "leave the card to one of them"));
        }
        let name = match link.on {
            On::Vlan(number, _) => {
                let tags = rc.entry(format!("vlans_{card}")).or_default();
                *tags = format!("{tags} {number}").trim_start().into();
                format!("{card}_{number}")
            }
            _ => card,
        };
        interface(&name, link, rc);
    }
    routes(&network.routes, rc, notes);
    Ok(())
}

/// The card that a link is, or that its VLAN is on. Without a machine at hand, what the seed calls it.
fn card(link: &Link, links: &[Link], cards: Option<&[Card]>) -> Result<String> {
    let parent = |id: &String| {
        links
            .iter()
            .find(|other| other.id == *id && !matches!(other.on, On::Vlan(..)))
    };
    let on = match &link.on {
        On::Vlan(_, id) => match parent(id) {
            Some(parent) => &parent.on,
            None => {
                return Err(link
                    .at
                    .error(format!("there is no link {id:?}"), "name one that is configured"));
            }
        },
        on => on,
    };
    let found = cards.map(|cards| cards.iter().find(|card| is(card, on)));
    match (found, on) {
        (Some(Some(card)), _) => Ok(card.name.clone()),
        (None, On::Name(name)) if is_plain(name) => Ok(name.clone()),
        (None, On::Mac(mac)) => Ok(format!("mac_{}", mac.to_string().replace(':', ""))),
        _ => {
            let there: Vec<&str> = cards
                .unwrap_or_default()
                .iter()
                .map(|card| card.name.as_str())
                .collect();
            let hint = format!("this machine has {}; match by hardware address", there.join(", "));
            Err(link
                .at
                .error(format!("{:?} is no network card of this machine", link.id), hint))
        }
    }
}

fn is(card: &Card, on: &On) -> bool {
    match on {
        On::Name(name) => card.name == *name && is_plain(name),
        On::Mac(mac) => card.mac == Some(*mac),
        On::Vlan(..) => false,
    }
}

/// Whether a name can be part of a variable's.
fn is_plain(name: &str) -> bool {
    name.len() < 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn interface(name: &str, link: &Link, rc: &mut Settings) {
    let words = |cidr: &Cidr| format!("{} {}/{}", family(cidr.address), cidr.address, cidr.prefix);
    let (four, six): (Vec<_>, Vec<_>) = link.addresses.iter().partition(|cidr| cidr.address.is_ipv4());
    let (mut four, mut six) = (four.into_iter().map(words), six.into_iter().map(words));
    let mut first = match link.dhcp {
        true => "SYNCDHCP".to_owned(),
        false => four.next().unwrap_or_else(|| "up".into()),
    };
    if let Some(mtu) = link.mtu {
        first += &format!(" mtu {mtu}");
    }
    rc.insert(format!("ifconfig_{name}"), first);
    let advertised = link.advertised.then(|| "inet6 accept_rtadv".to_owned());
    if let Some(main) = advertised.or_else(|| six.next()) {
        rc.insert(format!("ifconfig_{name}_ipv6"), main);
    }
    let more: Vec<String> = four.chain(six).collect();
    if !more.is_empty() {
        rc.insert(format!("ifconfig_{name}_aliases"), more.join(" "));
    }
}

fn family(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "inet",
        IpAddr::V6(_) => "inet6",
    }
}

fn routes(routes: &[Route], rc: &mut Settings, notes: &mut Notes) {
    for (number, Route { to, via }) in routes.iter().enumerate() {
        let six = if via.is_ipv6() { "ipv6_" } else { "" };
        let Some(to) = to else {
            let earlier = rc.insert(format!("{six}defaultrouter"), via.to_string());
            if let Some(earlier) = earlier.filter(|earlier| *earlier != via.to_string()) {
                notes.add(format!("the default gateway {earlier}: {via} comes later"));
            }
            continue;
        };
        let name = format!("seed{number}");
        let all = rc.entry(format!("{six}static_routes")).or_default();
        *all = format!("{all} {name}").trim_start().into();
        rc.insert(
            format!("{six}route_{name}"),
            format!("-net {}/{} {via}", to.address, to.prefix),
        );
    }
}
