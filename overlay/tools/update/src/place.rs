//! Where everything is: devices of the slots, the record of what runs, and the files that the owner changes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::device::{Device, Partition};
use crate::failure::{Failure, Result};
use crate::file;
use crate::state::Slot;

/// The appliance, told apart from the machine that the program runs on.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Take everything from below this folder: an appliance that is not running, or files that stand for one
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        default_value = "/",
        hide_default_value = true
    )]
    pub root: PathBuf,

    /// The slot that is running [default: kenv ngforge.slot]
    #[arg(long, value_name = "a|b", global = true)]
    pub slot: Option<Slot>,

    /// What the names of the partitions begin with [default: kenv ngforge.label]
    #[arg(long, value_name = "NAME", global = true)]
    pub label: Option<String>,

    /// Tell in JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What is in a slot, as the slot itself tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The appliance's name.
    pub appliance: String,
    /// FreeBSD's release.
    pub release: String,
    /// The build.
    pub build: String,
}

/// What runs, and from where.
#[derive(Debug, Clone)]
pub struct Running {
    /// The slot.
    pub slot: Slot,
    label: String,
    root: PathBuf,
}

impl Place {
    /// A path of the appliance.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether it is this very machine.
    pub fn is_live(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Held while the slots or the state record are changed, so that nobody else changes them.
    ///
    /// # Errors
    /// Somebody else does.
    pub fn lock(&self) -> Result<File> {
        let path = self.path("/var/run/ng-update.lock");
        let failed = Failure::io("take the lock", &path);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(_) => Err(Failure::Refused(format!(
                "another ng-update is at work (it holds {}); try again when it is done",
                path.display()
            ))),
        }
    }

    /// What runs.
    ///
    /// # Errors
    /// The machine has no slots.
    pub fn running(&self) -> Result<Running> {
        let label = match &self.label {
            Some(label) => label.clone(),
            None => self.kenv("ngforge.label")?,
        };
        let slot = match self.slot {
            Some(slot) => slot,
            None => self.kenv("ngforge.slot")?.parse().map_err(Failure::NoSlots)?,
        };
        let root = self.root.clone();
        Ok(Running { slot, label, root })
    }

    /// A variable of the kernel's environment, which the loader has set.
    fn kenv(&self, name: &str) -> Result<String> {
        let absent = || Failure::NoSlots(format!("the loader has not set {name}: this machine has no root slots"));
        if !self.is_live() {
            return Err(Failure::Usage(format!(
                "with --root, --slot and --label tell what {name} would"
            )));
        }
        let output = Command::new("kenv").args(["-q", name]).output().map_err(|_| absent())?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match output.status.success() && !text.is_empty() {
            true => Ok(text),
            false => Err(absent()),
        }
    }

    /// What the slot that runs is.
    ///
    /// # Errors
    /// The file is absent or wrong.
    pub fn identity(&self) -> Result<Identity> {
        let path = self.path("/usr/share/ngforge/appliance.json");
        let text = fs::read_to_string(&path).map_err(Failure::io("read what this appliance is", &path))?;
        serde_json::from_str(&text).map_err(|error| Failure::Invalid(format!("{}: {error}", path.display())))
    }

    /// The keys whose updates are taken: from the slot itself, which only an update changes.
    ///
    /// # Errors
    /// The file is wrong. Without one, there are no keys.
    pub fn keys(&self) -> Result<Vec<[u8; 32]>> {
        let path = self.path("/usr/share/ngforge/update.pub");
        match fs::read_to_string(&path) {
            Ok(text) => file::keys(&text).map_err(|why| Failure::Invalid(format!("{}: {why}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Failure::io("read the keys", &path)(error)),
        }
    }
}

impl Running {
    fn partition(&self, name: &str) -> PathBuf {
        self.root.join(format!("dev/gpt/{}-{name}", self.label))
    }

    fn open(path: &Path, write: bool) -> Result<Partition> {
        Partition::open(path, write).map_err(Failure::io("open", path))
    }

    /// The state record's partition.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn state(&self, write: bool) -> Result<impl Device + use<>> {
        Self::open(&self.partition("state"), write)
    }

    /// Comes back when all that was written to the disk would outlive a loss of power.
    ///
    /// File systems of FreeBSD never empty the drive's own cache, which may keep writes for long and in any order. The state
    /// record's partition is one that can be opened for writing at any time, and a flush is of the whole drive.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush(&self) -> Result<()> {
        let path = self.partition("state");
        let mut state = Self::open(&path, true)?;
        state.flush().map_err(Failure::io("flush the drive of", &path))
    }

    /// The slot that does not run, for writing.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn other(&self) -> Result<impl Device + use<>> {
        Self::open(&self.partition(&self.slot.other().to_string()), true)
    }
}

impl Identity {
    /// The machine that this program was built for, as `uname -m` of FreeBSD calls it.
    pub fn machine() -> &'static str {
        match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
    }
}
