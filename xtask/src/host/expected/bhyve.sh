#!/bin/sh
# edge: FreeBSD 14.3
# As root on a FreeBSD host with bhyve-firmware and libslirp; the console is on this terminal.
set -eu

image='/images/edge 1,2.img'
name='edge'
vars="${image}.vars.fd"

[ -e "$vars" ] || cp /usr/local/share/uefi-firmware/BHYVE_UEFI_VARS.fd "$vars"
kldload -n vmm if_tuntap if_bridge
ifconfig tap29034 create up
ifconfig tap29035 create up

# bhyve ends with 0 when the appliance restarts, and with another status when it is powered off.
status=0
while [ "$status" -eq 0 ]; do
    status=0
    bhyve -A -H -P -c 2 -m 1024M \
        -U 198a2d47-ec61-841c-85ee-9f6ab1378173 \
        -s 0,hostbridge \
        -s 3,virtio-blk,"$image" \
        -s 4,virtio-net,slirp,hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22,mac=52:54:00:66:b8:01 \
        -s 5,virtio-net,tap29034,mac=52:54:00:66:b8:02 \
        -s 6,virtio-net,tap29035,mac=52:54:00:66:b8:03 \
        -s 30,virtio-rnd \
        -s 31,lpc -l com1,stdio \
        -l bootrom,/usr/local/share/uefi-firmware/BHYVE_UEFI_CODE.fd,"$vars" \
        "$name" || status=$?
    bhyvectl --destroy --vm="$name"
done
ifconfig tap29034 destroy
ifconfig tap29035 destroy
[ "$status" -le 2 ]
