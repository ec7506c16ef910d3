//! A machine with a disk of its own that can lose its power, and be switched on again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::ssh::exec::{Exit, Output, Running};
use crate::ssh::{Connection, Deadline, Failure, Login};
use crate::util;
use crate::vm::disk::{self, Appliance, Disk, Fate};
use crate::vm::guest::{Leash, Phase};
use crate::vm::options::{MachineOptions, Prepared};
use crate::vm::{Console, Demise, Guest, Nic, Watch};

/// From power-on to SSH, with KVM; more with TCG.
const BOOT_TIME: Duration = Duration::from_secs(200);
/// For which a booting guest may write nothing to its console, with KVM; more with TCG.
const SILENCE: Duration = Duration::from_secs(60);
/// For one command in the guest that does little.
const COMMAND_TIME: Duration = Duration::from_secs(120);
/// Lines of the serial console that go with a failure.
const TAIL: usize = 30;
/// Serial logs that are kept: of the last boots.
const LOGS: u32 = 4;

/// A machine that is switched off.
pub struct Machine<'a> {
    options: &'a MachineOptions,
    appliance: Appliance,
    prepared: Prepared,
    identity: PathBuf,
    disk: Disk,
    output: PathBuf,
    boots: u32,
}

/// A machine that is switched on. Dropping it ends QEMU in good order; [`Powered::cut`] does not.
pub struct Powered {
    guest: Guest,
    login: Login,
    boot_time: Duration,
    /// Its sockets.
    _dir: TempDir,
}

impl<'a> Machine<'a> {
    /// With a layer over the image in `output` for its disk.
    ///
    /// # Errors
    /// Something needed is missing.
    pub fn new(options: &'a MachineOptions, output: &Path) -> Result<Self> {
        let appliance = options.appliance()?;
        let identity = options.identity(&appliance)?;
        let prepared = options.prepare(&appliance)?;
        let output = std::path::absolute(output)?;
        std::fs::create_dir_all(&output)
            .with_context(|| format!("could not make the folder for the reports {}", output.display()))?;
        let layer = disk::overlay(&util::shell()?, &appliance.disk, &output)?;
        // What the guest flushes must reach the disk, and what it does not may be lost: that is the point.
        let disk = Disk {
            fate: Fate::Kept,
            ..layer
        };
        Ok(Self {
            options,
            appliance,
            prepared,
            identity,
            disk,
            output,
            boots: 0,
        })
    }

    pub fn appliance(&self) -> &Appliance {
        &self.appliance
    }

    /// What runs the guest's instructions, and why.
    pub fn accelerator(&self) -> String {
        let choice = &self.prepared.choice;
        format!("{} ({})", choice.accelerator.name(), choice.reason)
    }

    /// Switches it on.
    ///
    /// # Errors
    /// QEMU does not start.
    pub fn power_on(&mut self) -> Result<Powered> {
        self.boots += 1;
        let dir = tempfile::Builder::new()
            .prefix("ngforge-drill-")
            .tempdir()
            .context("could not make a temporary folder for the machine")?;
        let others = (2..=self.appliance.nics).map(|number| Nic::alone(dir.path(), number));
        let nics = std::iter::once(Nic::User { ssh_port: 0 }).chain(others).collect();
        let log = format!("serial-{}.log", self.boots % LOGS);
        let console = Console::Log(self.output.join(log));
        let machine = self
            .options
            .machine(&self.prepared, self.disk.clone(), nics, console, dir.path())?;
        let mut guest = Guest::start(&machine, dir.path(), Leash::Tight)?;
        let login = Login {
            port: guest.ssh_port()?,
            user: "root".into(),
            identity: self.identity.clone(),
        };
        let slowness = self.prepared.choice.accelerator.slowness();
        guest.boot(Phase::Booting(SILENCE * slowness))?;
        Ok(Powered {
            guest,
            login,
            boot_time: BOOT_TIME * slowness,
            _dir: dir,
        })
    }
}

impl Powered {
    /// Waits until it lets us in.
    ///
    /// # Errors
    /// It does not; the end of its console is in the message.
    pub fn connect(&mut self) -> Result<Connection> {
        let attempt = Connection::open(&self.login, Deadline::after(self.boot_time), &mut self.guest);
        self.guest.is_up();
        attempt.map_err(|failure| self.with_console(failure.into()))
    }

    /// Runs a script to its end; its output.
    ///
    /// # Errors
    /// It does not end with status 0.
    pub fn run(&mut self, connection: &Connection, script: &str) -> Result<String> {
        let deadline = Deadline::after(COMMAND_TIME);
        let output = connection.run(script, Vec::new(), deadline, &mut self.guest);
        let output = output.map_err(|failure| self.with_console(failure.into()))?;
        let (said, complained) = (output.stdout.text(), output.stderr.text());
        anyhow::ensure!(
            output.exit == Exit::Status(0),
            "`{script}` ended with {:?}:\n{said}{complained}",
            output.exit
        );
        Ok(said)
    }

    /// Starts a command with this input.
    ///
    /// # Errors
    /// The connection does not take it.
    pub fn start(&mut self, connection: &Connection, command: &str, input: &[u8]) -> Result<Running> {
        let deadline = Deadline::after(COMMAND_TIME);
        let running = connection.start(command, input.to_vec(), deadline, &mut self.guest);
        running.map_err(|failure| self.with_console(failure.into()))
    }

    /// Has a command go on until it ends (its output), `until` comes, or the machine restarts or is switched off (nothing).
    ///
    /// # Errors
    /// The machine fails.
    pub fn follow(&mut self, connection: &Connection, running: &mut Running, until: Instant) -> Result<Option<Output>> {
        while Instant::now() < until {
            match running.step() {
                Ok(Some(output)) => return Ok(Some(output)),
                Ok(None) => {}
                // A machine that restarts takes the connection with it.
                Err(Failure::Broken { .. }) => return Ok(None),
                Err(failure) => return Err(self.with_console(failure.into())),
            }
            match self.guest.check() {
                Ok(()) => connection.wait(),
                Err(Demise::Ended { .. }) => return Ok(None),
                Err(demise) => return Err(self.with_console(demise.into())),
            }
        }
        Ok(None)
    }

    /// Lets time pass until the guest restarts, by which QEMU ends here (true), or until `until` (false).
    ///
    /// # Errors
    /// The machine fails.
    pub fn restarts(&mut self, until: Instant) -> Result<bool> {
        while Instant::now() < until {
            match self.guest.check() {
                Ok(()) => std::thread::sleep(Duration::from_millis(20)),
                Err(Demise::Ended { .. }) => return Ok(true),
                Err(demise) => return Err(self.with_console(demise.into())),
            }
        }
        Ok(false)
    }

    /// Cuts the power.
    pub fn cut(self) {
        self.guest.kill();
    }

    fn with_console(&self, error: anyhow::Error) -> anyhow::Error {
        let tail = self.guest.tail(TAIL).join("\n");
        error.context(format!("the end of the serial console:\n{tail}"))
    }
}
