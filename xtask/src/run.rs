//! `cargo xtask run`: the appliance on this terminal.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use xshell::cmd;

use crate::vm::bhyve::{Bhyve, Writes};
use crate::vm::disk::{self, Appliance};
use crate::vm::guest::{Leash, Phase};
use crate::vm::options::MachineOptions;
use crate::vm::{Console, Guest, Nic};
use crate::{stop, util};

/// The port that bhyve forwards unless another one is asked for; bhyve cannot pick a free one.
const BHYVE_SSH_PORT: u16 = 2222;

/// Boot the image with its console on this terminal
///
/// In QEMU, Ctrl-A X ends the machine and Ctrl-A C leads to QEMU's monitor. What the guest writes to its disk is thrown
/// away at the end, unless --persistent is given.
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    machine: MachineOptions,
    /// The virtual machine monitor
    #[arg(long, value_enum, default_value_t = Vmm::Qemu)]
    vmm: Vmm,
    /// Write to the image itself instead of a throw-away layer
    #[arg(long)]
    persistent: bool,
    /// The loopback port that leads to the guest's SSH [default: a free one; 2222 with bhyve]
    #[arg(long, value_name = "PORT")]
    ssh_port: Option<u16>,
    /// Connects the second network card, and, given again, the third and so on: what QEMU's -netdev takes, without id=
    #[arg(long = "netdev", value_name = "BACKEND")]
    netdevs: Vec<String>,
}

/// Virtual machine monitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Vmm {
    /// QEMU, on any host
    Qemu,
    /// bhyve: prints the commands, and runs them on FreeBSD
    Bhyve,
}

impl Run {
    /// Boots the machine and stays until it ends.
    ///
    /// # Errors
    /// Something needed is missing, or the machine does not start.
    pub fn run(self) -> Result<()> {
        let appliance = self.machine.appliance()?;
        match self.vmm {
            Vmm::Qemu => self.qemu(&appliance),
            Vmm::Bhyve => self.bhyve(&appliance),
        }
    }

    fn qemu(&self, appliance: &Appliance) -> Result<()> {
        stop::install()?;
        if let Some(port) = self.ssh_port {
            check_port(port)?;
        }
        let prepared = self.machine.prepare(appliance)?;
        let dir = tempfile::Builder::new()
            .prefix("ngforge-run-")
            .tempdir()
            .context("could not make a temporary folder for the machine")?;
        let disk = match self.writes() {
            Writes::Persistent => appliance.disk.clone(),
            Writes::ThrowAway => disk::overlay(&util::shell()?, &appliance.disk, dir.path())?,
        };
        let nics = self.nics(appliance, dir.path())?;
        let machine = self
            .machine
            .machine(&prepared, disk, nics, Console::Terminal, dir.path())?;
        let mut guest = Guest::start(&machine, dir.path(), Leash::Tight)?;
        eprintln!("{}: {}", appliance.name, appliance.introduction());
        eprintln!(
            "accelerator: {} ({})",
            prepared.choice.accelerator.name(),
            prepared.choice.reason
        );
        eprintln!("ssh: {}", ssh_line(guest.ssh_port()?, appliance));
        eprintln!("console: below; Ctrl-A X ends the machine\n");
        guest.boot(Phase::Up)?;
        match guest.wait()? {
            Some(status) if !status.success() => bail!("QEMU ended with {status}"),
            _ => Ok(()),
        }
    }

    fn nics(&self, appliance: &Appliance, dir: &Path) -> Result<Vec<Nic>> {
        let others = usize::from(appliance.nics.saturating_sub(1));
        if self.netdevs.len() > others {
            bail!(
                "--netdev was given {} times, but the machine has only {others} network cards besides the first\n\
                 hint: --nics gives it more",
                self.netdevs.len()
            );
        }
        let custom = self.netdevs.iter().cloned().map(Nic::Custom);
        let alone = (2..).map(|number| Nic::alone(dir, number)).skip(self.netdevs.len());
        let rest = custom.chain(alone).take(others);
        let first = Nic::User {
            ssh_port: self.ssh_port.unwrap_or(0),
        };
        Ok(std::iter::once(first).chain(rest).collect())
    }

    fn bhyve(&self, appliance: &Appliance) -> Result<()> {
        let ssh_port = self.ssh_port.unwrap_or(BHYVE_SSH_PORT);
        let bhyve = Bhyve {
            appliance,
            memory: self.machine.memory(appliance),
            cpus: self.machine.cpus,
            ssh_port,
            writes: self.writes(),
        };
        let script = bhyve.script()?;
        println!("# {}: {}", appliance.name, appliance.introduction());
        println!("# as root on a FreeBSD host with the packages bhyve-firmware and libslirp");
        print!("{script}");
        println!("# then: {}", ssh_line(ssh_port, appliance));
        if cfg!(target_os = "freebsd") {
            let shell = util::shell()?;
            cmd!(shell, "sh -c {script}").quiet().run()?;
        }
        Ok(())
    }

    fn writes(&self) -> Writes {
        if self.persistent {
            Writes::Persistent
        } else {
            Writes::ThrowAway
        }
    }
}

/// QEMU's own words for a port that it cannot have name neither the reason nor the way out.
fn check_port(port: u16) -> Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .with_context(|| {
            format!(
                "the loopback port {port} cannot be had for the guest's SSH\n\
                 hint: name another one with --ssh-port, or leave it out to have a free one chosen"
            )
        })
}

/// The command that logs in to the guest.
pub fn ssh_line(port: u16, appliance: &Appliance) -> String {
    let identity = match &appliance.identity {
        Some(identity) => format!(" -i {}", identity.display()),
        None => String::new(),
    };
    // Each boot of a fresh copy may have a new host key, and the loopback interface has no man in the middle.
    format!("ssh -p {port}{identity} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::base::Base;
    use crate::vm::disk::{Disk, Fate, Format};

    #[derive(Parser)]
    struct Opt {
        #[command(flatten)]
        run: Run,
    }

    fn parse(arguments: &[&str]) -> Run {
        Opt::parse_from([&["run"], arguments].concat()).run
    }

    fn appliance() -> Appliance {
        Appliance {
            name: "a".into(),
            base: Base::Freebsd,
            system: None,
            release: "14.3".into(),
            disk: Disk {
                path: "a.raw".into(),
                format: Format::Raw,
                fate: Fate::Kept,
            },
            nics: 3,
            identity: Some("a.key".into()),
        }
    }

    #[test]
    fn cards_without_a_backend_are_alone() {
        let nics = parse(&["--netdev", "tap,ifname=tap0"])
            .nics(&appliance(), Path::new("/d"))
            .unwrap();
        assert_eq!(
            nics,
            [
                Nic::User { ssh_port: 0 },
                Nic::Custom("tap,ifname=tap0".into()),
                Nic::alone(Path::new("/d"), 3)
            ]
        );
    }

    #[test]
    fn more_backends_than_cards_are_refused() {
        let error = { parse(&["--netdev", "a", "--netdev", "b", "--netdev", "c"]).nics(&appliance(), Path::new("/d")) }
            .unwrap_err();
        assert!(error.to_string().contains("only 2 network cards"), "{error}");
    }

    #[test]
    fn the_ssh_line_can_be_pasted() {
        let line = ssh_line(2222, &appliance());
        assert!(line.starts_with("ssh -p 2222 -i a.key "), "{line}");
        assert!(line.ends_with(" root@127.0.0.1"), "{line}");
    }
}
