//! bhyve(8) by its own commands: a script that runs the machine until it is powered off.

use super::definition::{DISK_SLOT, Definition, Nic};
use super::script::{command, head};

/// Firmware of the package bhyve-firmware (edk2-bhyve).
const CODE: &str = "/usr/local/share/uefi-firmware/BHYVE_UEFI_CODE.fd";
const VARIABLES: &str = "/usr/local/share/uefi-firmware/BHYVE_UEFI_VARS.fd";
/// The loopback port that leads to the appliance's SSH when its first card has no network.
const SSH_PORT: u16 = 2222;
/// Node names have at most 31 letters (NG_NODESIZ).
const NODE_MAX: usize = 31;

/// The script.
pub fn script(definition: &Definition) -> String {
    let slirp = { definition.nics.first() }.is_some_and(|nic| uses_slirp(definition, nic));
    let packages = if slirp {
        "bhyve-firmware and libslirp"
    } else {
        "bhyve-firmware"
    };
    let mut text = head(
        definition,
        &format!("As root on a FreeBSD host with {packages}; the console is on this terminal."),
    );
    text.push_str(&format!(
        "name='{}'\nvars=\"${{image}}.vars.fd\"\n\n[ -e \"$vars\" ] || cp {VARIABLES} \"$vars\"\n",
        definition.name
    ));
    let modules = if definition.netgraph {
        "ng_socket ng_bridge"
    } else {
        "if_tuntap if_bridge"
    };
    text.push_str(&format!("kldload -n vmm {modules}\n"));
    text.push_str(&networks(definition));
    text.push_str(
        "\n# bhyve ends with 0 when the appliance restarts, and with another status when it is powered off.\n",
    );
    text.push_str("status=0\nwhile [ \"$status\" -eq 0 ]; do\n");
    text.push_str(&indented(&bhyve(definition)));
    text.push_str("    bhyvectl --destroy --vm=\"$name\"\ndone\n");
    text.push_str(&clean_up(definition));
    // 1: powered off, 2: halted; more tells of a failure.
    text.push_str("[ \"$status\" -le 2 ]\n");
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn bhyve(definition: &Definition) -> String {
    let mut parts = vec![
        format!(
            "status=0\nbhyve -A -H -P -c {} -m {}M",
            definition.cpus, definition.memory
        ),
        format!("-U {}", definition.uuid),
        "-s 0,hostbridge".to_owned(),
        format!("-s {DISK_SLOT},virtio-blk,\"$image\""),
    ];
    for nic in &definition.nics {
        parts.push(format!(
            "-s {},virtio-net,{},mac={}",
            nic.slot(),
            backend(definition, nic),
            nic.mac
        ));
    }
    parts.extend([
        "-s 30,virtio-rnd".to_owned(),
        "-s 31,lpc -l com1,stdio".to_owned(),
        format!("-l bootrom,{CODE},\"$vars\""),
        "\"$name\" || status=$?".to_owned(),
    ]);
    command(&parts)
}

/// Without a word about networks, the first card is on a network of bhyve's own, so that SSH works at once.
fn uses_slirp(definition: &Definition, nic: &Nic) -> bool {
    !definition.netgraph && nic.number == 0 && nic.network.is_none()
}

fn backend(definition: &Definition, nic: &Nic) -> String {
    if definition.netgraph {
        let (node, hook) = node(definition, nic);
        return format!(
            "netgraph,path={node}:,peerhook={hook},socket={}",
            socket(definition, nic)
        );
    }
    match uses_slirp(definition, nic) {
        true => format!("slirp,hostfwd=tcp:127.0.0.1:{SSH_PORT}-10.0.2.15:22"),
        false => tap(nic),
    }
}

/// The host's end of a card: interface names have at most 15 letters, so its number comes from the MAC address.
fn tap(nic: &Nic) -> String {
    let unit = { nic.mac.split(':').skip(3) }.fold(0, |all, byte| {
        all << 4 ^ u32::from_str_radix(byte, 16).unwrap_or_default()
    });
    format!("tap{}", 1000 + unit % 30_000)
}

/// The node that a card is connected to, and its hook.
pub fn node(definition: &Definition, nic: &Nic) -> (String, String) {
    let own = || node_name(definition, &format!("-net{}", nic.number));
    match nic
        .network
        .as_deref()
        .map(|network| network.split_once(':').unwrap_or((network, "")))
    {
        None => (own(), "link1".into()),
        Some((node, "")) => (node.into(), "link1".into()),
        Some((node, hook)) => (node.into(), hook.into()),
    }
}

fn socket(definition: &Definition, nic: &Nic) -> String {
    node_name(definition, &format!("-vtnet{}", nic.number))
}

/// The machine's name and an end, cut so that a node can have it.
fn node_name(definition: &Definition, end: &str) -> String {
    let room = NODE_MAX - end.len();
    format!("{}{end}", &definition.name[..definition.name.len().min(room)])
}

fn networks(definition: &Definition) -> String {
    definition.nics.iter().map(|nic| network(definition, nic)).collect()
}

fn network(definition: &Definition, nic: &Nic) -> String {
    if definition.netgraph {
        return bridge_node(&node(definition, nic).0);
    }
    if uses_slirp(definition, nic) {
        return String::new();
    }
    let tap = tap(nic);
    let join = { nic.network.iter() }.map(|bridge| format!("ifconfig {bridge} addm {tap}\n"));
    format!("ifconfig {tap} create up\n{}", join.collect::<String>())
}

/// Makes a switch that stays, unless there is a node of that name.
pub fn bridge_node(node: &str) -> String {
    format!(
        "ngctl info {node}: > /dev/null 2>&1 || ngctl -f - << 'END'\n\
         mkpeer . bridge made link0\nname .:made {node}\nmsg {node}: setpersistent\nEND\n"
    )
}

/// Nodes stay: others may be connected to them.
fn clean_up(definition: &Definition) -> String {
    let taps = { definition.nics.iter() }.filter(|nic| !definition.netgraph && !uses_slirp(definition, nic));
    taps.map(|nic| format!("ifconfig {} destroy\n", tap(nic))).collect()
}
