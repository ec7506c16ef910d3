//! One boot, from power-on to a session.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::ssh::{Connection, Deadline, Login};
use crate::util;
use crate::vm::accel::Accelerator;
use crate::vm::guest::{Leash, Phase};
use crate::vm::options::MachineOptions;
use crate::vm::timeline::Stage;
use crate::vm::{Console, Guest, Nic, disk};

/// From power-on to SSH.
const BOOT_TIME: Duration = Duration::from_secs(1200);
/// For which a booting guest may write nothing to its console.
const SILENCE: Duration = Duration::from_secs(300);

/// What a boot took.
pub struct Booted {
    /// From power-on to a session.
    pub seconds: f64,
    /// Where they went.
    pub stages: Vec<Stage>,
}

/// Boots a throw-away layer over an image and ends it once SSH has let us in.
///
/// # Errors
/// Something needed is missing, or the guest does not come up.
pub fn boot(options: &MachineOptions, counted: bool) -> Result<Booted> {
    let appliance = options.appliance()?;
    let identity = options.identity(&appliance)?;
    let mut prepared = options.prepare(&appliance)?;
    if counted {
        prepared.choice.accelerator = Accelerator::Counted;
    }
    let dir = tempfile::Builder::new()
        .prefix("ngforge-boot-")
        .tempdir()
        .context("could not make a temporary folder for the machine")?;
    let disk = disk::overlay(&util::shell()?, &appliance.disk, dir.path())?;
    let others = (2..=appliance.nics).map(|number| Nic::alone(dir.path(), number));
    let nics = std::iter::once(Nic::User { ssh_port: 0 }).chain(others).collect();
    let console = Console::Log(dir.path().join("serial.log"));
    let machine = options.machine(&prepared, disk, nics, console, dir.path())?;
    let mut guest = Guest::start(&machine, dir.path(), Leash::Tight)?;
    let login = Login {
        port: guest.ssh_port()?,
        user: "root".into(),
        identity,
    };
    let start = Instant::now();
    guest.boot(Phase::Booting(SILENCE))?;
    Connection::open(&login, Deadline::after(BOOT_TIME), &mut guest)?;
    let end = Instant::now();
    Ok(Booted {
        seconds: end.saturating_duration_since(start).as_secs_f64(),
        stages: guest.stages(end),
    })
}
