//! Proxmox VE: qm(1) commands.

use super::definition::{Definition, Nic};
use super::script::{command, head};

/// The script.
pub fn script(definition: &Definition) -> String {
    let mut text = head(
        definition,
        "As root on a Proxmox VE host, 8 or newer. VMID and STORAGE in the environment choose other ones.",
    );
    text.push_str("vmid=${VMID:-$(pvesh get /cluster/nextid)}\nstorage=${STORAGE:-local-lvm}\n\n");
    for nic in &definition.nics {
        let bridge = bridge(nic);
        text.push_str(&format!(
            "[ -e /sys/class/net/{bridge} ] || {{ echo 'there is no bridge {bridge} for vtnet{}' >&2; exit 1; }}\n",
            nic.number
        ));
    }
    text.push_str(&create(definition));
    text.push_str(&format!(
        "echo \"qm start $vmid; qm terminal $vmid  # {}\"\n",
        definition.name
    ));
    text
}

fn bridge(nic: &Nic) -> String {
    nic.network.clone().unwrap_or_else(|| format!("vmbr{}", nic.number))
}

fn create(definition: &Definition) -> String {
    let mut parts = vec![
        // Names of machines there are host names.
        format!("qm create \"$vmid\" --name {}", definition.name.replace('_', "-")),
        format!("--memory {} --balloon 0 --cores {}", definition.memory, definition.cpus),
        "--ostype other --machine q35 --cpu host".into(),
        format!("--smbios1 uuid={}", definition.uuid),
        "--bios ovmf --efidisk0 \"$storage\":1,efitype=4m,pre-enrolled-keys=0".into(),
        "--virtio0 \"$storage\":0,import-from=\"$image\",discard=on --boot order=virtio0".into(),
    ];
    for nic in &definition.nics {
        parts.push(format!("--net{} virtio={},bridge={}", nic.number, nic.mac, bridge(nic)));
    }
    parts.push("--serial0 socket --vga serial0".into());
    parts.push("--watchdog model=i6300esb,action=reset --rng0 source=/dev/urandom".into());
    command(&parts)
}
