//! The same machine under bhyve, as the commands that a FreeBSD host runs.

use std::path::Path;

use anyhow::{Result, bail};

use super::disk::{Appliance, Format};
use super::qemu::mac;

/// Firmware of the package `bhyve-firmware`.
const FIRMWARE: &str = "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd";

/// What becomes of the guest's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// They go to a copy that is removed at the end.
    ThrowAway,
    /// They go to the image.
    Persistent,
}

/// What a bhyve machine consists of.
#[derive(Debug)]
pub struct Bhyve<'a> {
    /// The image.
    pub appliance: &'a Appliance,
    /// Memory in MiB.
    pub memory: u32,
    /// Processors.
    pub cpus: u8,
    /// The loopback port that leads to the guest's SSH.
    pub ssh_port: u16,
    /// What becomes of the guest's writes.
    pub writes: Writes,
}

impl Bhyve<'_> {
    /// A shell script for root on a bhyve host: set up, run, clean up.
    ///
    /// # Errors
    /// bhyve cannot boot this image.
    pub fn script(&self) -> Result<String> {
        let disk = &self.appliance.disk;
        if disk.format != Format::Raw {
            bail!(
                "bhyve needs a raw image, and {} is {}\nhint: build one, or convert it with `qemu-img convert -O raw`",
                disk.path.display(),
                disk.format.name()
            );
        }
        let name = self.vm_name();
        let image = quoted(&disk.path);
        let mut lines = vec!["set -e".to_owned(), "kldload -n vmm if_tuntap".to_owned()];
        for tap in self.taps() {
            lines.push(format!("ifconfig {tap} create up"));
        }
        let disk = match self.writes {
            Writes::Persistent => image,
            Writes::ThrowAway => {
                lines.push(format!("cp {image} /tmp/{name}.raw"));
                format!("/tmp/{name}.raw")
            }
        };
        lines.push("set +e".to_owned());
        lines.push(self.bhyve_command(&name, &disk));
        lines.push(format!("bhyvectl --destroy --vm={name}"));
        lines.extend(self.taps().map(|tap| format!("ifconfig {tap} destroy")));
        if self.writes == Writes::ThrowAway {
            lines.push(format!("rm -f {disk}"));
        }
        Ok(lines.join("\n") + "\n")
    }

    fn bhyve_command(&self, name: &str, disk: &str) -> String {
        let mut parts = vec![
            format!("bhyve -A -H -P -c {} -m {}M", self.cpus, self.memory),
            "-s 0,hostbridge".to_owned(),
            format!("-s 1,virtio-blk,{disk}"),
            format!(
                "-s 2,virtio-net,slirp,mac={},hostfwd=tcp:127.0.0.1:{}-10.0.2.15:22",
                mac(1),
                self.ssh_port
            ),
        ];
        for (index, tap) in self.taps().enumerate() {
            parts.push(format!("-s {},virtio-net,{tap},mac={}", index + 3, mac(index + 2)));
        }
        parts.push("-s 30,virtio-rnd".to_owned());
        parts.push("-s 31,lpc -l com1,stdio".to_owned());
        parts.push(format!("-l bootrom,{FIRMWARE}"));
        parts.push(name.to_owned());
        parts.join(" \\\n    ")
    }

    /// Names of the host's ends of all network cards but the first; numbers that people rarely use.
    fn taps(&self) -> impl Iterator<Item = String> {
        (2..=self.appliance.nics).map(|number| format!("tap67{number:02}"))
    }

    /// The appliance's name, of letters that both bhyve and the shell take.
    fn vm_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("ngforge-{}", self.appliance.name.chars().map(plain).collect::<String>())
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::super::disk::{Disk, Fate};
    use super::*;
    use crate::base::Base;

    fn appliance(format: Format) -> Appliance {
        Appliance {
            name: "edge router".into(),
            base: Base::Freebsd,
            system: None,
            release: "14.3".into(),
            disk: Disk {
                path: "/images/edge.raw".into(),
                format,
                fate: Fate::Kept,
            },
            nics: 3,
            identity: None,
        }
    }

    fn script(writes: Writes) -> String {
        Bhyve {
            appliance: &appliance(Format::Raw),
            memory: 512,
            cpus: 2,
            ssh_port: 2222,
            writes,
        }
        .script()
        .unwrap()
    }

    #[test]
    fn the_script_sets_up_runs_and_cleans_up() {
        let expected = "\
set -e
kldload -n vmm if_tuntap
ifconfig tap6702 create up
ifconfig tap6703 create up
cp '/images/edge.raw' /tmp/ngforge-edge-router.raw
set +e
bhyve -A -H -P -c 2 -m 512M \\
    -s 0,hostbridge \\
    -s 1,virtio-blk,/tmp/ngforge-edge-router.raw \\
    -s 2,virtio-net,slirp,mac=52:54:00:6e:67:01,hostfwd=tcp:127.0.0.1:2222-10.0.2.15:22 \\
    -s 3,virtio-net,tap6702,mac=52:54:00:6e:67:02 \\
    -s 4,virtio-net,tap6703,mac=52:54:00:6e:67:03 \\
    -s 30,virtio-rnd \\
    -s 31,lpc -l com1,stdio \\
    -l bootrom,/usr/local/share/uefi-firmware/BHYVE_UEFI.fd \\
    ngforge-edge-router
bhyvectl --destroy --vm=ngforge-edge-router
ifconfig tap6702 destroy
ifconfig tap6703 destroy
rm -f /tmp/ngforge-edge-router.raw
";
        assert_eq!(script(Writes::ThrowAway), expected);
        let persistent = script(Writes::Persistent);
        assert!(persistent.contains("virtio-blk,'/images/edge.raw'"), "{persistent}");
        assert!(!persistent.contains("cp "), "{persistent}");
    }

    #[test]
    fn other_formats_are_refused() {
        let bhyve = Bhyve {
            appliance: &appliance(Format::Qcow2),
            memory: 512,
            cpus: 1,
            ssh_port: 2222,
            writes: Writes::ThrowAway,
        };
        assert!(bhyve.script().unwrap_err().to_string().contains("needs a raw image"));
    }
}
