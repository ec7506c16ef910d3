//! network-config version 1: a list of `physical`, `vlan`, `nameserver` and `route`.

use std::net::IpAddr;

use super::{Link, Network, On, Route, address, mac, mtu, route, vlan};
use crate::document::Node;
use crate::error::Result;
use crate::plan::Notes;
use crate::text;

/// Reads the mapping that has `version: 1`.
///
/// # Errors
/// Something has no meaning, or cannot be done here.
pub fn read(config: &Node, notes: &mut Notes) -> Result<Network> {
    let mut network = Network::default();
    let Some(list) = config.get("config") else {
        return Err(config.error("version 1 has no `config`", "list the interfaces there"));
    };
    for item in list.items("config")? {
        match need(item, "type")?.text("type")? {
            "physical" => {
                let on = match item.get("mac_address") {
                    Some(address) => On::Mac(mac(address, "mac_address")?),
                    None => On::Name(need(item, "name")?.text("name")?.into()),
                };
                link(item, on, &mut network, notes)?;
            }
            "vlan" => {
                let number = vlan(need(item, "vlan_id")?, "vlan_id")?;
                let on = On::Vlan(number, need(item, "vlan_link")?.text("vlan_link")?.into());
                link(item, on, &mut network, notes)?;
            }
            "nameserver" => servers(item, ["address", "search"], &mut network)?,
            "route" => network.routes.push(route_of(item, "destination")?),
            "loopback" => notes.unknown(item, "loopback"),
            kind => {
                let hint = "declare it in graph.yaml: ng_one2many(4), ng_bridge(4) and the like";
                return Err(item.error(
                    format!("an interface of the type {kind:?} cannot be made from a seed"),
                    hint,
                ));
            }
        }
    }
    Ok(network)
}

fn need<'a>(node: &'a Node, name: &str) -> Result<&'a Node> {
    { node.get(name) }.ok_or_else(|| node.error(format!("there is no `{name}`"), format!("add `{name}`")))
}

fn link(item: &Node, on: On, network: &mut Network, notes: &mut Notes) -> Result<()> {
    let mut link = Link {
        id: need(item, "name")?.text("name")?.into(),
        at: item.clone(),
        on,
        dhcp: false,
        advertised: false,
        addresses: Vec::new(),
        mtu: None,
    };
    for (key, value) in item.entries("config")? {
        match key.as_str() {
            "type" | "name" | "mac_address" | "vlan_id" | "vlan_link" => {}
            "mtu" => link.mtu = Some(mtu(value)?),
            "subnets" => {
                for subnet in value.items("subnets")? {
                    add(subnet, &mut link, network, notes)?;
                }
            }
            _ => notes.unknown(value, key),
        }
    }
    network.links.push(link);
    Ok(())
}

fn add(subnet: &Node, link: &mut Link, network: &mut Network, notes: &mut Notes) -> Result<()> {
    let kind = need(subnet, "type")?;
    match kind.text("type")? {
        "dhcp" | "dhcp4" => link.dhcp = true,
        "static" | "static6" => {
            let mask = subnet.get("netmask");
            link.addresses.push(address(need(subnet, "address")?, "address", mask)?);
        }
        "ipv6_slaac" => link.advertised = true,
        "manual" => {}
        _ => notes.unknown(kind, "type"),
    }
    if let Some(gateway) = subnet.get("gateway") {
        let via = gateway.parse("gateway", "an address")?;
        network.routes.push(Route { to: None, via });
    }
    if let Some(routes) = subnet.get("routes") {
        for item in routes.items("routes")? {
            network.routes.push(route_of(item, "network")?);
        }
    }
    servers(subnet, ["dns_nameservers", "dns_search"], network)
}

fn route_of(item: &Node, to: &str) -> Result<Route> {
    route(need(item, to)?, to, item.get("netmask"), need(item, "gateway")?)
}

fn servers(node: &Node, [addresses, search]: [&str; 2], network: &mut Network) -> Result<()> {
    if let Some(list) = node.get(addresses) {
        for item in list.items(addresses)? {
            network.servers.push(item.parse::<IpAddr>(addresses, "an address")?);
        }
    }
    if let Some(list) = node.get(search) {
        for item in list.items(search)? {
            network.search.push(text::hostname(item, search)?);
        }
    }
    Ok(())
}
