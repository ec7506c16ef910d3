#!/bin/sh
# edge: FreeBSD 14.3
# As root on a FreeBSD host with bhyve-firmware; the console is on this terminal.
set -eu

image='/images/edge 1,2.img'
name='edge'
vars="${image}.vars.fd"

[ -e "$vars" ] || cp /usr/local/share/uefi-firmware/BHYVE_UEFI_VARS.fd "$vars"
kldload -n vmm ng_socket ng_bridge
ngctl info lan: > /dev/null 2>&1 || ngctl -f - << 'END'
mkpeer . bridge made link0
name .:made lan
msg lan: setpersistent
END
ngctl info edge-net1: > /dev/null 2>&1 || ngctl -f - << 'END'
mkpeer . bridge made link0
name .:made edge-net1
msg edge-net1: setpersistent
END
ngctl info edge-net2: > /dev/null 2>&1 || ngctl -f - << 'END'
mkpeer . bridge made link0
name .:made edge-net2
msg edge-net2: setpersistent
END

# bhyve ends with 0 when the appliance restarts, and with another status when it is powered off.
status=0
while [ "$status" -eq 0 ]; do
    status=0
    bhyve -A -H -P -c 2 -m 1024M \
        -U 198a2d47-ec61-841c-85ee-9f6ab1378173 \
        -s 0,hostbridge \
        -s 3,virtio-blk,"$image" \
        -s 4,virtio-net,netgraph,path=lan:,peerhook=link7,socket=edge-vtnet0,mac=52:54:00:66:b8:01 \
        -s 5,virtio-net,netgraph,path=edge-net1:,peerhook=link1,socket=edge-vtnet1,mac=52:54:00:66:b8:02 \
        -s 6,virtio-net,netgraph,path=edge-net2:,peerhook=link1,socket=edge-vtnet2,mac=52:54:00:66:b8:03 \
        -s 30,virtio-rnd \
        -s 31,lpc -l com1,stdio \
        -l bootrom,/usr/local/share/uefi-firmware/BHYVE_UEFI_CODE.fd,"$vars" \
        "$name" || status=$?
    bhyvectl --destroy --vm="$name"
done
[ "$status" -le 2 ]
