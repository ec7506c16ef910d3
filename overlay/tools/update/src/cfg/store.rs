//! The saved configurations: numbered folders, and a link that says which one counts.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, StatVfsMountFlags, flock, statvfs};

use crate::check::succeed;
use crate::failure::{Failure, Result, say};
use crate::files::sync_folder;
use crate::place::Running;

/// How many are kept.
pub const KEPT: usize = 5;
/// Tenths of a second that somebody else may take to save.
const PATIENCE: u32 = 20;
/// Where the next one is put together; a name that is no number counts as nothing.
const FRESH: &str = "new";

/// `/cfg`.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    live: bool,
    /// What the file system is on, if the machine has slots.
    running: Option<Running>,
}

/// One that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its number.
    pub number: u64,
    /// When it was saved.
    pub at: Option<SystemTime>,
}

/// Held while the store is changed: nobody else changes it, and it can be written.
#[derive(Debug)]
pub struct Writing<'a> {
    store: &'a Store,
    made_writable: bool,
    _lock: File,
}

impl Store {
    /// Looks into a folder that stands for it.
    ///
    /// # Errors
    /// It is not there.
    pub fn open(root: PathBuf) -> Result<Self> {
        match root.is_dir() {
            true => Ok(Self {
                root,
                live: false,
                running: None,
            }),
            false => Err(Failure::NoSlots(format!("{}: is no folder", root.display()))),
        }
    }

    /// Looks into that of this machine, a file system that is only read but for the moment of saving.
    ///
    /// # Errors
    /// It is not there.
    pub fn live(root: PathBuf, running: Option<Running>) -> Result<Self> {
        let store = Self::open(root)?;
        Ok(Self {
            live: true,
            running,
            ..store
        })
    }

    fn saved(&self) -> PathBuf {
        self.root.join("saved")
    }

    /// A saved one's `/etc`.
    pub fn etc(&self, number: u64) -> PathBuf {
        self.saved().join(number.to_string()).join("etc")
    }

    /// The number of the one that counts.
    ///
    /// # Errors
    /// The link cannot be read, or leads elsewhere.
    pub fn current(&self) -> Result<Option<u64>> {
        let path = self.root.join("current");
        let target = match fs::read_link(&path) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io("read the link", &path)(error)),
        };
        let number = target.strip_prefix("saved").ok().and_then(Path::to_str);
        match number.and_then(|number| number.parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(Failure::Invalid(format!(
                "{}: leads to {}, not to saved/ and a number",
                path.display(),
                target.display()
            ))),
        }
    }

    /// All of them, the oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Saved>> {
        let saved = self.saved();
        let names = match fs::read_dir(&saved) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::io("read the folder", &saved)(error)),
        };
        let number = |name: &fs::DirEntry| name.file_name().to_str().and_then(|name| name.parse().ok());
        let names = names.filter_map(|name| name.ok());
        let numbered = names.filter_map(|name| number(&name).map(|number| (number, name)));
        let mut all: Vec<Saved> = numbered
            .map(|(number, name)| Saved {
                number,
                at: name.metadata().and_then(|about| about.modified()).ok(),
            })
            .collect();
        all.sort_by_key(|saved| saved.number);
        Ok(all)
    }

    /// Lets nobody else change it, and makes it writable until that is dropped.
    ///
    /// # Errors
    /// Somebody else changes it, or it cannot be made writable.
    pub fn write(&self) -> Result<Writing<'_>> {
        let lock = File::open(&self.root).map_err(Failure::io("open", &self.root))?;
        let locked = (0..PATIENCE).any(|_| {
            let locked = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            if !locked {
                thread::sleep(Duration::from_millis(100));
            }
            locked
        });
        if !locked {
            let root = self.root.display();
            return Err(Failure::Refused(format!(
                "{root}: another ng-update is saving; try again when it is done"
            )));
        }
        let read_only = statvfs(&self.root).is_ok_and(|about| about.f_flag.contains(StatVfsMountFlags::RDONLY));
        let made_writable = read_only && self.live;
        if made_writable {
            self.remount("-uw")?;
        }
        let writing = Writing {
            store: self,
            made_writable,
            _lock: lock,
        };
        // From here on the disk says that the file system must be checked, whatever becomes of the writes that follow.
        self.settle()?;
        Ok(writing)
    }

    /// Comes back when what was synchronized would outlive a loss of power.
    fn settle(&self) -> Result<()> {
        self.running.as_ref().map_or(Ok(()), Running::flush)
    }

    fn remount(&self, how: &str) -> Result<()> {
        succeed(Command::new("mount").arg(how).arg(&self.root)).map_err(|said| Failure::Program {
            command: format!("mount {how} {}", self.root.display()),
            said,
        })
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.made_writable {
            return;
        }
        if let Err(failure) = self.store.remount("-ur").and_then(|()| self.store.settle()) {
            say(&format!("ng-update: warning: {failure}"));
        }
    }
}

impl Writing<'_> {
    /// An empty folder to put the next one together in.
    ///
    /// # Errors
    /// What the system says.
    pub fn fresh(&self) -> Result<PathBuf> {
        let fresh = self.store.saved().join(FRESH);
        self.discard()?;
        let etc = fresh.join("etc");
        fs::create_dir_all(&etc).map_err(Failure::io("make the folder", &etc))?;
        Ok(etc)
    }

    /// Takes away what was put together.
    ///
    /// # Errors
    /// What the system says.
    pub fn discard(&self) -> Result<()> {
        let fresh = self.store.saved().join(FRESH);
        match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::io("remove", &fresh)(error)),
            _ => Ok(()),
        }
    }

    /// Gives what was put together the next number, and makes it the one that counts.
    ///
    /// # Errors
    /// What the system says.
    pub fn commit(&self) -> Result<u64> {
        let saved = self.store.saved();
        let last = self.store.list()?.last().map_or(0, |last| last.number);
        let number = self.store.current()?.unwrap_or(0).max(last) + 1;
        let (fresh, place) = (saved.join(FRESH), saved.join(number.to_string()));
        sync_folder(&fresh)?;
        fs::rename(&fresh, &place).map_err(Failure::io("give its number to", &fresh))?;
        sync_folder(&saved)?;
        self.store.settle()?;
        self.switch(number)?;
        Ok(number)
    }

    /// Makes one the one that counts, in one step.
    ///
    /// # Errors
    /// What the system says.
    pub fn switch(&self, number: u64) -> Result<()> {
        let root = &self.store.root;
        let (fresh, link) = (root.join("next"), root.join("current"));
        let _ = fs::remove_file(&fresh);
        symlink(format!("saved/{number}"), &fresh)
            .and_then(|()| fs::rename(&fresh, &link))
            .map_err(Failure::io("switch the link", &link))?;
        sync_folder(root)?;
        self.store.settle()
    }

    /// Takes away the oldest ones; never the one that counts.
    ///
    /// # Errors
    /// What the system says.
    pub fn prune(&self) -> Result<()> {
        let current = self.store.current()?;
        let all = self.store.list()?;
        let many = all.len().saturating_sub(KEPT);
        for old in all.iter().filter(|old| Some(old.number) != current).take(many) {
            let path = self.store.saved().join(old.number.to_string());
            fs::remove_dir_all(&path).map_err(Failure::io("remove", &path))?;
        }
        Ok(())
    }
}
