//! `ng-update install`.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::reboot;
use crate::failure::{Failure, Result, say};
use crate::file::{Reader, Seal, Trust, fingerprint};
use crate::install::{self, Installed, Step, Target};
use crate::place::{Identity, Place};
use crate::state::Slot;
use crate::terminal::{consent_on_console, print};

/// Write an update into the other slot, verify it, and have it booted once
///
/// Whatever ends this early, the slot that is running is booted next.
#[derive(Debug, Args)]
pub struct Install {
    /// The update file (<name>.ngu); `-` is standard input: ssh root@appliance ng-update install - < x.ngu
    file: PathBuf,

    /// Boot the update as soon as it is installed
    #[arg(long)]
    reboot: bool,

    /// Take a file that no trusted key has signed; asks, on the system's console only
    #[arg(long)]
    unsigned: bool,
}

/// What was done, in JSON.
#[derive(Serialize)]
struct Report<'a> {
    slot: Slot,
    appliance: &'a str,
    release: &'a str,
    build: &'a str,
    bytes: u64,
    written: u64,
    rebooting: bool,
}

impl Install {
    pub fn run(self, place: &Place) -> Result<()> {
        let installed = match self.file == Path::new("-") {
            true if self.unsigned => Err(Failure::NotHere(
                "--unsigned takes a file by its name: the answer comes from standard input".into(),
            )),
            true => self.install(place, io::stdin().lock()),
            false => {
                let file = File::open(&self.file).map_err(Failure::io("open", &self.file))?;
                self.install(place, io::BufReader::with_capacity(1 << 16, file))
            }
        }?;
        self.tell(place, &installed)?;
        match self.reboot {
            true => reboot(),
            false => Ok(()),
        }
    }

    fn install(&self, place: &Place, source: impl Read) -> Result<Installed> {
        let running = place.running()?;
        let identity = place.identity()?;
        let keys = place.keys()?;
        let mut reader = self.open(source, &keys)?;
        let _lock = place.lock()?;
        let mut target = Target {
            appliance: &identity.appliance,
            machine: Identity::machine(),
            running: running.slot,
            state: &mut running.state(true)?,
            slot: &mut running.other()?,
        };
        let mut progress = Progress::new(reader.header().about.slot_bytes, place.json);
        let installed = install::install(&mut reader, &mut target, &mut |step| progress.show(step));
        progress.end();
        let installed = installed.map_err(|error| self.failed(error))?;
        remember(place, &installed);
        Ok(installed)
    }

    /// Opens a file that is trusted, or that somebody at the console wants all the same.
    fn open<R: Read>(&self, source: R, keys: &[[u8; 32]]) -> Result<Reader<R>> {
        let trust = if self.unsigned {
            Trust::Anyone
        } else {
            Trust::Keys(keys)
        };
        let reader = Reader::open(source, trust).map_err(|error| self.failed(error.into()))?;
        if self.unsigned {
            let (about, seal) = (&reader.header().about, reader.seal());
            let signed = match *seal == Seal::NONE {
                true => "is not signed".to_owned(),
                false => format!("names the key {}, which was not checked", fingerprint(&seal.key)),
            };
            let name = self.file.display();
            consent_on_console(&format!("{name} ({} {}) {signed}.", about.appliance, about.release))?;
        }
        Ok(reader)
    }

    fn failed(&self, error: install::Error) -> Failure {
        let path = match self.file == Path::new("-") {
            true => "standard input".to_owned(),
            false => self.file.display().to_string(),
        };
        Failure::Update { path, error }
    }

    fn tell(&self, place: &Place, installed: &Installed) -> Result<()> {
        let about = &installed.about;
        if place.json {
            let report = Report {
                slot: installed.slot,
                appliance: &about.appliance,
                release: &about.release,
                build: &about.build,
                bytes: about.slot_bytes,
                written: installed.written,
                rebooting: self.reboot,
            };
            return print(&(serde_json::to_string(&report).unwrap_or_default() + "\n"));
        }
        let next = match self.reboot {
            true => "rebooting into it now",
            false => "the next boot tries it",
        };
        print(&format!(
            "slot {}: {} {} (build {}), verified, {} of {} MiB written; {next}\n",
            installed.slot,
            about.appliance,
            about.release,
            about.build,
            installed.written >> 20,
            about.slot_bytes >> 20,
        ))
    }
}

/// Notes what is in the slot, for `status`; the slot itself is not mounted until it runs.
fn remember(place: &Place, installed: &Installed) {
    let path = place.path(&format!("/var/db/ng/slot-{}.json", installed.slot));
    let about = &installed.about;
    let identity = Identity {
        appliance: about.appliance.clone(),
        release: about.release.clone(),
        build: about.build.clone(),
    };
    let text = serde_json::to_string(&identity).unwrap_or_default();
    if let Err(error) = fs::write(&path, text) {
        say(&format!(
            "ng-update: warning: {}: {error}; `status` will not know this version",
            path.display()
        ));
    }
}

/// Percent on a terminal, nothing elsewhere.
struct Progress {
    total: u64,
    shown: Option<u64>,
}

impl Progress {
    fn new(total: u64, json: bool) -> Self {
        let shown = (!json && io::stderr().is_terminal()).then_some(u64::MAX);
        Self { total, shown }
    }

    fn show(&mut self, step: Step) {
        let (what, bytes) = match step {
            Step::Written(bytes) => ("writing", bytes),
            Step::Verified(bytes) => ("verifying", bytes),
        };
        let percent = bytes * 100 / self.total.max(1);
        if self.shown.is_some_and(|shown| shown != percent) {
            self.shown = Some(percent);
            let _ = write!(io::stderr(), "\r{what} {percent:3} % of {} MiB  ", self.total >> 20);
        }
    }

    fn end(&self) {
        if self.shown.is_some() {
            say("");
        }
    }
}
