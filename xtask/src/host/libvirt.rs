//! libvirt: networks and a domain, defined with virsh(1).

use super::definition::{DISK_SLOT, Definition, Nic};
use super::script::head;

/// libvirt's own network, which leads outside.
const DEFAULT: &str = "default";

/// The script.
pub fn script(definition: &Definition) -> String {
    let mut text = head(definition, "On a host with libvirt 8.6 or newer and OVMF.");
    for nic in &definition.nics {
        text.push_str(&own_network(definition, nic));
    }
    text.push_str("[ -r \"$image\" ] || { echo \"$image is not there\" >&2; exit 1; }\n");
    text.push_str("virsh define /dev/stdin << 'END'\n");
    text.push_str(&domain(definition));
    text.push_str(&format!("END\necho 'virsh start --console {}'\n", definition.name));
    text
}

fn network(definition: &Definition, nic: &Nic) -> String {
    match &nic.network {
        Some(network) => network.clone(),
        None if nic.number == 0 => DEFAULT.into(),
        None => format!("{}-net{}", definition.name, nic.number),
    }
}

/// A network with nobody else on it for a card that was not given one.
fn own_network(definition: &Definition, nic: &Nic) -> String {
    if nic.network.is_some() || nic.number == 0 {
        return String::new();
    }
    let name = network(definition, nic);
    format!(
        "if ! virsh net-info {name} > /dev/null 2>&1; then\n    virsh net-define /dev/stdin << 'END'\n\
         <network><name>{name}</name></network>\nEND\n    virsh net-autostart {name}\n    virsh net-start {name}\nfi\n"
    )
}

/// The domain's XML.
pub fn domain(definition: &Definition) -> String {
    let nics: String = { definition.nics.iter() }
        .map(|nic| interface(definition, nic))
        .collect();
    format!(
        "<domain type='kvm'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <description>{introduction}</description>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{cpus}</vcpu>
  <os firmware='efi'>
    <type arch='x86_64' machine='q35'>hvm</type>
    <firmware>
      <feature enabled='no' name='secure-boot'/>
    </firmware>
    <boot dev='hd'/>
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <cpu mode='host-passthrough'/>
  <clock offset='utc'/>
  <on_reboot>restart</on_reboot>
  <on_crash>restart</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='{format}' discard='unmap'/>
      <source file='{image}'/>
      <target dev='vda' bus='virtio'/>
      {disk_address}
    </disk>
{nics}    <serial type='pty'>
      <target port='0'/>
    </serial>
    <console type='pty'>
      <target type='serial' port='0'/>
    </console>
    <watchdog model='i6300esb' action='reset'/>
    <rng model='virtio'>
      <backend model='random'>/dev/urandom</backend>
    </rng>
    <memballoon model='none'/>
  </devices>
</domain>
",
        name = definition.name,
        uuid = definition.uuid,
        introduction = escaped(&definition.introduction),
        memory = definition.memory,
        cpus = definition.cpus,
        format = definition.format.name(),
        image = escaped(&definition.image.display().to_string()),
        disk_address = address(DISK_SLOT),
    )
}

fn interface(definition: &Definition, nic: &Nic) -> String {
    format!(
        "    <interface type='network'>\n      <mac address='{}'/>\n      <source network='{}'/>\n      \
         <model type='virtio'/>\n      <rom enabled='no'/>\n      {}\n    </interface>\n",
        nic.mac,
        network(definition, nic),
        address(nic.slot())
    )
}

fn address(slot: u8) -> String {
    format!("<address type='pci' domain='0x0000' bus='0x00' slot='0x{slot:02x}' function='0x0'/>")
}

fn escaped(text: &str) -> String {
    { text.replace('&', "&amp;").replace('<', "&lt;") }
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
}
