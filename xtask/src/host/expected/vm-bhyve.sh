#!/bin/sh
# edge: FreeBSD 14.3
# As root on a FreeBSD host with vm-bhyve and bhyve-firmware, after `vm init`.
set -eu

image='/images/edge 1,2.img'
name='edge'

dir=$(sysrc -n vm_dir)
case $dir in zfs:*) dir=$(zfs get -H -o value mountpoint "${dir#zfs:}") ;; esac
vm switch info net1 > /dev/null 2>&1 || vm switch create net1
vm switch info net2 > /dev/null 2>&1 || vm switch create net2
vm switch info public > /dev/null 2>&1 || vm switch create public
cat > "$dir/.templates/$name.conf" << 'END'
loader="uefi"
uefi_vars="yes"
cpu=2
memory=1024M
uuid="198a2d47-ec61-841c-85ee-9f6ab1378173"
comports="com1"
utctime="yes"
virt_random="yes"
disk0_type="virtio-blk"
disk0_name="disk0.img"
network0_type="virtio-net"
network0_switch="public"
network0_mac="52:54:00:66:b8:01"
network1_type="virtio-net"
network1_switch="net1"
network1_mac="52:54:00:66:b8:02"
network2_type="virtio-net"
network2_switch="net2"
network2_mac="52:54:00:66:b8:03"
END
vm create -t "$name" -s "$(stat -f %z "$image")" "$name"
cp "$image" "$dir/$name/disk0.img"
sysrc -f "$dir/$name/$name.conf" uuid=198a2d47-ec61-841c-85ee-9f6ab1378173 > /dev/null
vm start "$name"
echo "vm console $name"
