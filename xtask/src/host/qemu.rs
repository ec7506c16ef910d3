//! QEMU alone: a script that runs the machine with its console on the terminal.

use std::path::Path;

use super::definition::{DISK_SLOT, Definition, Nic};
use super::script::{command, head, quoted};
use crate::vm::firmware;

/// The loopback port that leads to the appliance's SSH when its first card has no network.
const SSH_PORT: u16 = 2222;

/// The script.
pub fn script(definition: &Definition) -> String {
    let mut text = head(
        definition,
        "On a host with QEMU and OVMF. Ctrl-A X ends the machine; further arguments go to QEMU. ACCEL=tcg does \
         without KVM.",
    );
    text.push_str("vars=$image.vars.fd\n\n");
    text.push_str(&find_firmware());
    text.push_str("[ -e \"$vars\" ] || cp \"$template\" \"$vars\"\n");
    text.push_str("accel=${ACCEL:-tcg}\nif [ -z \"${ACCEL:-}\" ] && [ -w /dev/kvm ]; then accel=kvm; fi\n");
    text.push_str("if [ \"$accel\" = tcg ]; then cpu=max; else cpu=host; fi\n");
    // QEMU takes a comma that is written twice.
    text.push_str("commas() { printf '%s' \"$1\" | sed 's/,/,,/g'; }\n\n");
    text.push_str(&qemu(definition));
    text
}

/// The places of [`firmware`], looked through on the host.
fn find_firmware() -> String {
    let pairs = firmware::pairs().map(|(code, variables)| {
        let quoted = |path| quoted(Path::new(path));
        format!("{} {}", quoted(code), quoted(variables))
    });
    let pairs: Vec<_> = pairs.collect();
    format!(
        "code='' template=''\nset_firmware() {{ if [ -z \"$code\" ] && [ -r \"$1\" ] && [ -r \"$2\" ]; then code=$1 \
         template=$2; fi; }}\nset_firmware {}\n[ -n \"$code\" ] || {{ echo 'there is no UEFI firmware (OVMF)' >&2; exit \
         1; }}\n",
        pairs.join("\nset_firmware ")
    )
}

fn qemu(definition: &Definition) -> String {
    let format = definition.format.name();
    let mut parts = vec![
        format!(
            "exec qemu-system-x86_64 -name {} -uuid {}",
            definition.name, definition.uuid
        ),
        "-machine q35 -accel \"$accel\" -cpu \"$cpu\"".to_owned(),
        format!("-m {} -smp {}", definition.memory, definition.cpus),
        "-nodefaults -display none".to_owned(),
        "-drive if=pflash,unit=0,format=raw,readonly=on,file=\"$(commas \"$code\")\"".to_owned(),
        "-drive if=pflash,unit=1,format=raw,file=\"$(commas \"$vars\")\"".to_owned(),
        format!("-drive if=none,id=disk,format={format},cache=writeback,discard=unmap,file=\"$(commas \"$image\")\""),
        format!("-device virtio-blk-pci,drive=disk,bootindex=0,addr=0x{DISK_SLOT:x}"),
    ];
    for nic in &definition.nics {
        parts.push(format!("-netdev {},id=net{}", backend(nic), nic.number));
        parts.push(format!(
            "-device virtio-net-pci,netdev=net{},mac={},romfile=,addr=0x{:x}",
            nic.number,
            nic.mac,
            nic.slot()
        ));
    }
    parts.extend([
        "-device virtio-rng-pci".to_owned(),
        // The chipset's watchdog, which every FreeBSD knows (ichwd(4)), and the one of other hosts.
        "-global ICH9-LPC.noreboot=off -device i6300esb -action watchdog=reset".to_owned(),
        "-serial mon:stdio".to_owned(),
        "\"$@\"".to_owned(),
    ]);
    command(&parts)
}

fn backend(nic: &Nic) -> String {
    match &nic.network {
        Some(tap) => format!("tap,ifname={tap},script=no,downscript=no"),
        None if nic.number == 0 => format!("user,hostfwd=tcp:127.0.0.1:{SSH_PORT}-:22"),
        // A hub with nobody else on it.
        None => format!("hubport,hubid={}", nic.number),
    }
}
