//! `ng-update check`, `healthy`, `note` and `rollback`.

use clap::Args;
use serde_json::json;

use super::reboot;
use crate::check::{Depth, Finding, findings};
use crate::failure::{Failure, Result};
use crate::install::{self, current};
use crate::place::{Place, Running};
use crate::state::{self, Failed, State};
use crate::terminal::print;

/// Check the health: exit status 0, or 1 when something is missing
#[derive(Debug, Args)]
pub struct Check {
    /// Only whether programs start and the disk answers: what a watchdog asks every few seconds
    #[arg(long)]
    quick: bool,
}

/// Check the health, as `check`, and make the running slot the one to boot
#[derive(Debug, Args)]
pub struct Healthy {
    /// Whatever the checks would say
    #[arg(long)]
    force: bool,
}

/// Boot the other slot next, if it has been healthy
#[derive(Debug, Args)]
pub struct Rollback {
    /// Boot it now
    #[arg(long)]
    reboot: bool,
}

impl Check {
    pub fn run(&self, place: &Place) -> Result<()> {
        let depth = if self.quick { Depth::Quick } else { Depth::Full };
        tell(place, &findings(place, depth)?)
    }
}

/// Tells what was found; it is a failure if something is missing.
fn tell(place: &Place, all: &[Finding]) -> Result<()> {
    if place.json {
        let healthy = all.iter().all(Finding::is_fine);
        print(&format!("{}\n", json!({"healthy": healthy, "checks": all})))?;
    } else {
        print(&all.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
    }
    match all.iter().all(Finding::is_fine) {
        true => Ok(()),
        false => Err(Failure::Different),
    }
}

impl Healthy {
    pub fn run(&self, place: &Place) -> Result<()> {
        let running = place.running()?;
        if !self.force {
            tell(place, &findings(place, Depth::Full)?)?;
        }
        let _lock = place.lock()?;
        let before = read(&running)?;
        let after = before.healthy(running.slot);
        if before == after {
            return Ok(());
        }
        write(&running, after)?;
        match place.json {
            true => Ok(()),
            false => print(&format!("slot {} is healthy and is booted from now on\n", running.slot)),
        }
    }
}

impl Rollback {
    pub fn run(&self, place: &Place) -> Result<()> {
        let running = place.running()?;
        let _lock = place.lock()?;
        let state = write(&running, read(&running)?.rollback(running.slot)?)?;
        let other = running.slot.other();
        match place.json {
            true => print(&format!("{}\n", json!({"next": other, "state": state})))?,
            false => print(&format!(
                "the next boot tries slot {other}; if it is healthy, it stays\n"
            ))?,
        }
        match self.reboot {
            true => reboot(),
            false => Ok(()),
        }
    }
}

/// Marks a slot that was booted and did not become healthy, and says so.
///
/// # Errors
/// The machine has no slots, or its state record cannot be read or written.
pub fn note(place: &Place) -> Result<()> {
    let running = place.running()?;
    let _lock = place.lock()?;
    let (state, failed) = read(&running)?.note(running.slot);
    let Some(Failed { slot, .. }) = failed else {
        return Ok(());
    };
    write(&running, state)?;
    match place.json {
        true => print(&format!("{}\n", json!({"failed": slot, "running": running.slot}))),
        false => print(&format!(
            "slot {slot} was booted and did not become healthy; slot {} runs instead, and slot {slot} is marked bad\n",
            running.slot
        )),
    }
}

fn read(running: &Running) -> Result<State> {
    current(&mut running.state(false)?, running.slot).map_err(of_state)
}

fn write(running: &Running, state: State) -> Result<State> {
    let mut device = running.state(true)?;
    state::write(&mut device, state).map_err(|error| of_state(install::Error::State(error)))
}

/// A failure of the state record.
pub fn of_state(error: install::Error) -> Failure {
    let path = "the disk".into();
    Failure::Update { path, error }
}
