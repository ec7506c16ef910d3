#!/bin/sh
# edge: FreeBSD 14.3
# On a host with QEMU and OVMF. Ctrl-A X ends the machine; further arguments go to QEMU. ACCEL=tcg does without KVM.
set -eu

image='/images/edge 1,2.img'
vars=$image.vars.fd

code='' template=''
set_firmware() { if [ -z "$code" ] && [ -r "$1" ] && [ -r "$2" ]; then code=$1 template=$2; fi; }
set_firmware '/usr/share/OVMF/OVMF_CODE_4M.fd' '/usr/share/OVMF/OVMF_VARS_4M.fd'
set_firmware '/usr/share/OVMF/OVMF_CODE.fd' '/usr/share/OVMF/OVMF_VARS.fd'
set_firmware '/usr/share/edk2/ovmf/OVMF_CODE.fd' '/usr/share/edk2/ovmf/OVMF_VARS.fd'
set_firmware '/usr/share/edk2/x64/OVMF_CODE.4m.fd' '/usr/share/edk2/x64/OVMF_VARS.4m.fd'
set_firmware '/usr/share/edk2-ovmf/x64/OVMF_CODE.fd' '/usr/share/edk2-ovmf/x64/OVMF_VARS.fd'
set_firmware '/usr/share/qemu/ovmf-x86_64-code.bin' '/usr/share/qemu/ovmf-x86_64-vars.bin'
set_firmware '/usr/local/share/edk2-qemu/QEMU_UEFI_CODE-x86_64.fd' '/usr/local/share/edk2-qemu/QEMU_UEFI_VARS-x86_64.fd'
set_firmware '/usr/local/share/qemu/edk2-x86_64-code.fd' '/usr/local/share/qemu/edk2-i386-vars.fd'
set_firmware '/usr/share/qemu/edk2-x86_64-code.fd' '/usr/share/qemu/edk2-i386-vars.fd'
[ -n "$code" ] || { echo 'there is no UEFI firmware (OVMF)' >&2; exit 1; }
[ -e "$vars" ] || cp "$template" "$vars"
accel=${ACCEL:-tcg}
if [ -z "${ACCEL:-}" ] && [ -w /dev/kvm ]; then accel=kvm; fi
if [ "$accel" = tcg ]; then cpu=max; else cpu=host; fi
commas() { printf '%s' "$1" | sed 's/,/,,/g'; }

exec qemu-system-x86_64 -name edge -uuid 198a2d47-ec61-841c-85ee-9f6ab1378173 \
    -machine q35 -accel "$accel" -cpu "$cpu" \
    -m 1024 -smp 2 \
    -nodefaults -display none \
    -drive if=pflash,unit=0,format=raw,readonly=on,file="$(commas "$code")" \
    -drive if=pflash,unit=1,format=raw,file="$(commas "$vars")" \
    -drive if=none,id=disk,format=qcow2,cache=writeback,discard=unmap,file="$(commas "$image")" \
    -device virtio-blk-pci,drive=disk,bootindex=0,addr=0x3 \
    -netdev tap,ifname=one,script=no,downscript=no,id=net0 \
    -device virtio-net-pci,netdev=net0,mac=52:54:00:66:b8:01,romfile=,addr=0x4 \
    -netdev tap,ifname=two,script=no,downscript=no,id=net1 \
    -device virtio-net-pci,netdev=net1,mac=52:54:00:66:b8:02,romfile=,addr=0x5 \
    -netdev tap,ifname=three,script=no,downscript=no,id=net2 \
    -device virtio-net-pci,netdev=net2,mac=52:54:00:66:b8:03,romfile=,addr=0x6 \
    -device virtio-rng-pci \
    -global ICH9-LPC.noreboot=off -device i6300esb -action watchdog=reset \
    -serial mon:stdio \
    "$@"
