//! network-config version 2, netplan's form: `ethernets` and `vlans`.

use std::net::IpAddr;

use super::{Link, Network, On, address, mac, mtu, route, vlan};
use crate::document::Node;
use crate::error::Result;
use crate::plan::Notes;
use crate::text;

/// Reads the mapping that has `version: 2`.
///
/// # Errors
/// Something has no meaning, or cannot be done here.
pub fn read(config: &Node, notes: &mut Notes) -> Result<Network> {
    let mut network = Network::default();
    for (key, value) in config.entries("network-config")? {
        match key.as_str() {
            "version" | "renderer" => {}
            "ethernets" => each(value, "ethernets", &mut network, notes, ethernet)?,
            "vlans" => each(value, "vlans", &mut network, notes, tagged)?,
            "bonds" | "bridges" | "wifis" | "tunnels" | "vrfs" => {
                let hint = "declare it in graph.yaml: ng_one2many(4), ng_bridge(4) and the like";
                return Err(value.error(format!("`{key}` cannot be made from a seed"), hint));
            }
            _ => notes.unknown(value, key),
        }
    }
    Ok(network)
}

type Reader = fn(&str, &Node) -> Result<On>;

fn each(node: &Node, name: &str, network: &mut Network, notes: &mut Notes, on: Reader) -> Result<()> {
    for (id, value) in node.entries(name)? {
        let link = Link {
            id: id.clone(),
            at: value.clone(),
            on: on(id, value)?,
            dhcp: false,
            advertised: false,
            addresses: Vec::new(),
            mtu: None,
        };
        let link = settings(link, value, network, notes)?;
        network.links.push(link);
    }
    Ok(())
}

fn ethernet(id: &str, node: &Node) -> Result<On> {
    let Some(matched) = node.get("match") else {
        return Ok(On::Name(id.into()));
    };
    let entries = matched.entries("match")?;
    let find = |wanted: &str| entries.iter().find(|(key, _)| key == wanted).map(|(_, value)| value);
    if let Some(value) = find("macaddress") {
        return Ok(On::Mac(mac(value, "macaddress")?));
    }
    match (find("name"), entries.first()) {
        (Some(value), _) => Ok(On::Name(value.text("name")?.into())),
        (None, Some((key, value))) => {
            let cause = format!("cards cannot be matched by `{}`", key.escape_debug());
            Err(value.error(cause, "match by `macaddress`"))
        }
        (None, None) => Err(matched.error("`match` says nothing", "match by `macaddress`")),
    }
}

fn tagged(id: &str, node: &Node) -> Result<On> {
    let missing = |name: &str| {
        node.error(
            format!("the VLAN {id:?} has no `{name}`"),
            "give it an `id` and a `link`",
        )
    };
    let number = node.get("id").ok_or_else(|| missing("id"))?;
    let link = node.get("link").ok_or_else(|| missing("link"))?;
    Ok(On::Vlan(vlan(number, "id")?, link.text("link")?.into()))
}

fn settings(mut link: Link, node: &Node, network: &mut Network, notes: &mut Notes) -> Result<Link> {
    for (key, value) in node.entries("the link")? {
        match key.as_str() {
            "match" | "id" | "link" => {}
            "dhcp4" => link.dhcp = value.truth(key)?,
            "accept-ra" => link.advertised = value.truth(key)?,
            "dhcp6" if !value.truth(key)? => {}
            "addresses" => {
                for item in value.items(key)? {
                    link.addresses.push(address(item, key, None)?);
                }
            }
            "gateway4" | "gateway6" => network.routes.push(super::Route {
                to: None,
                via: value.parse(key, "an address")?,
            }),
            "routes" => routes(value, network)?,
            "mtu" => link.mtu = Some(mtu(value)?),
            "nameservers" => nameservers(value, network, notes)?,
            _ => notes.unknown(value, key),
        }
    }
    Ok(link)
}

fn routes(node: &Node, network: &mut Network) -> Result<()> {
    for item in node.items("routes")? {
        let missing = |name: &str| item.error(format!("a route has no `{name}`"), "give it `to` and `via`");
        let to = item.get("to").ok_or_else(|| missing("to"))?;
        let via = item.get("via").ok_or_else(|| missing("via"))?;
        network.routes.push(route(to, "to", None, via)?);
    }
    Ok(())
}

fn nameservers(node: &Node, network: &mut Network, notes: &mut Notes) -> Result<()> {
    for (key, value) in node.entries("nameservers")? {
        for item in value.items(key)? {
            match key.as_str() {
                "addresses" => network.servers.push(item.parse::<IpAddr>(key, "an address")?),
                "search" => network.search.push(text::hostname(item, key)?),
                _ => notes.unknown(value, key),
            }
        }
    }
    Ok(())
}
