#!/bin/sh
# edge: FreeBSD 14.3
# As root on a Proxmox VE host, 8 or newer. VMID and STORAGE in the environment choose other ones.
set -eu

image='/images/edge 1,2.img'
vmid=${VMID:-$(pvesh get /cluster/nextid)}
storage=${STORAGE:-local-lvm}

[ -e /sys/class/net/one ] || { echo 'there is no bridge one for vtnet0' >&2; exit 1; }
[ -e /sys/class/net/two ] || { echo 'there is no bridge two for vtnet1' >&2; exit 1; }
[ -e /sys/class/net/three ] || { echo 'there is no bridge three for vtnet2' >&2; exit 1; }
qm create "$vmid" --name edge \
    --memory 1024 --balloon 0 --cores 2 \
    --ostype other --machine q35 --cpu host \
    --smbios1 uuid=198a2d47-ec61-841c-85ee-9f6ab1378173 \
    --bios ovmf --efidisk0 "$storage":1,efitype=4m,pre-enrolled-keys=0 \
    --virtio0 "$storage":0,import-from="$image",discard=on --boot order=virtio0 \
    --net0 virtio=52:54:00:66:b8:01,bridge=one \
    --net1 virtio=52:54:00:66:b8:02,bridge=two \
    --net2 virtio=52:54:00:66:b8:03,bridge=three \
    --serial0 socket --vga serial0 \
    --watchdog model=i6300esb,action=reset --rng0 source=/dev/urandom
echo "qm start $vmid; qm terminal $vmid  # edge"
