//! network_data.json of OpenStack's config drive: `links`, `networks` and `services`.

use std::net::IpAddr;

use super::{Link, Network, On, Route, address, mac, mtu, route, vlan};
use crate::document::{Node, What};
use crate::error::Result;
use crate::plan::Notes;

/// Reads the whole file.
///
/// # Errors
/// Something has no meaning, or cannot be done here.
pub fn read(file: &Node, notes: &mut Notes) -> Result<Network> {
    let mut network = Network::default();
    for (key, value) in file.entries("network_data.json")? {
        match key.as_str() {
            "links" => { value.items(key)?.iter() }.try_for_each(|item| link(item, &mut network))?,
            "networks" | "services" => {}
            _ => notes.unknown(value, key),
        }
    }
    for item in file
        .get("networks")
        .map_or(Ok(&[][..]), |list| list.items("networks"))?
    {
        layer3(item, &mut network, notes)?;
    }
    for item in file
        .get("services")
        .map_or(Ok(&[][..]), |list| list.items("services"))?
    {
        match need(item, "type")?.text("type")? {
            "dns" => network
                .servers
                .push(need(item, "address")?.parse("address", "an address")?),
            kind => notes.add(format!("services: {kind}")),
        }
    }
    Ok(network)
}

fn need<'a>(node: &'a Node, name: &str) -> Result<&'a Node> {
    { node.get(name) }.ok_or_else(|| node.error(format!("an entry has no `{name}`"), format!("add `{name}`")))
}

fn link(item: &Node, network: &mut Network) -> Result<()> {
    let on = match item.get("type").map(|kind| kind.text("type")).transpose()? {
        Some("vlan") => {
            let number = vlan(need(item, "vlan_id")?, "vlan_id")?;
            On::Vlan(number, need(item, "vlan_link")?.text("vlan_link")?.into())
        }
        Some(kind @ "bond") => {
            return Err(item.error(
                format!("a link of the type {kind:?} cannot be made from a seed"),
                "use graph.yaml",
            ));
        }
        _ => On::Mac(mac(need(item, "ethernet_mac_address")?, "ethernet_mac_address")?),
    };
    let size = item.get("mtu").filter(|node| node.what != What::Nothing);
    network.links.push(Link {
        id: need(item, "id")?.text("id")?.into(),
        at: item.clone(),
        on,
        dhcp: false,
        advertised: false,
        addresses: Vec::new(),
        mtu: size.map(mtu).transpose()?,
    });
    Ok(())
}

fn layer3(item: &Node, network: &mut Network, notes: &mut Notes) -> Result<()> {
    let id = need(item, "link")?;
    let name = id.text("link")?;
    let Some(link) = network.links.iter_mut().find(|link| link.id == name) else {
        return Err(id.error(format!("there is no link {name:?}"), "name one of `links`"));
    };
    match need(item, "type")?.text("type")? {
        "ipv4_dhcp" => link.dhcp = true,
        "ipv6_slaac" => link.advertised = true,
        "ipv4" | "ipv6" => {
            let mask = item.get("netmask");
            link.addresses
                .push(address(need(item, "ip_address")?, "ip_address", mask)?);
        }
        kind => notes.add(format!("networks: {kind}")),
    }
    if let Some(gateway) = item.get("gateway") {
        let via = gateway.parse::<IpAddr>("gateway", "an address")?;
        network.routes.push(Route { to: None, via });
    }
    for one in item.get("routes").map_or(Ok(&[][..]), |list| list.items("routes"))? {
        let to = need(one, "network")?;
        network
            .routes
            .push(route(to, "network", one.get("netmask"), need(one, "gateway")?)?);
    }
    Ok(())
}
