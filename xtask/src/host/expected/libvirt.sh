#!/bin/sh
# edge: FreeBSD 14.3
# On a host with libvirt 8.6 or newer and OVMF.
set -eu

image='/images/edge 1,2.img'
if ! virsh net-info edge-net1 > /dev/null 2>&1; then
    virsh net-define /dev/stdin << 'END'
<network><name>edge-net1</name></network>
END
    virsh net-autostart edge-net1
    virsh net-start edge-net1
fi
if ! virsh net-info edge-net2 > /dev/null 2>&1; then
    virsh net-define /dev/stdin << 'END'
<network><name>edge-net2</name></network>
END
    virsh net-autostart edge-net2
    virsh net-start edge-net2
fi
[ -r "$image" ] || { echo "$image is not there" >&2; exit 1; }
virsh define /dev/stdin << 'END'
<domain type='kvm'>
  <name>edge</name>
  <uuid>198a2d47-ec61-841c-85ee-9f6ab1378173</uuid>
  <description>FreeBSD 14.3</description>
  <memory unit='MiB'>1024</memory>
  <vcpu>2</vcpu>
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
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='/images/edge 1,2.img'/>
      <target dev='vda' bus='virtio'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:66:b8:01'/>
      <source network='default'/>
      <model type='virtio'/>
      <rom enabled='no'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:66:b8:02'/>
      <source network='edge-net1'/>
      <model type='virtio'/>
      <rom enabled='no'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:66:b8:03'/>
      <source network='edge-net2'/>
      <model type='virtio'/>
      <rom enabled='no'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x06' function='0x0'/>
    </interface>
    <serial type='pty'>
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
END
echo 'virsh start --console edge'
