//! What `ng` remembers between its runs: which nodes and links it made, and which graph is the confirmed one.
//!
//! | file | what it holds |
//! |---|---|
//! | `lock` | nothing; whoever changes the graph holds a lock on it (flock(2)) |
//! | `record` | in which life of the kernel's graph something was made, and in the next line what ([`Record`]) |
//! | `confirmed.json` | the last graph that was applied and confirmed, file name and text |
//! | `confirmed.new` | the same of a graph that is being applied |
//! | `pending.json` | a graph that was applied and waits for `ng confirm` |
//!
//! Files appear by atomic rename: a process that is killed leaves the old or the new one. All but the record are on the disk
//! before anything else is done, so that the same holds for a loss of power. That ends the life of the kernel's graph, and
//! with it the record, whatever is found in its place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use graph::Record;
use rustix::fs::{FlockOperation, flock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

mod prepared;

/// The last graph that was confirmed.
const CONFIRMED: &str = "confirmed.json";

/// What was made, and in which life of the kernel's graph.
const RECORD: &str = "record";

/// The folder in which all of it is.
#[derive(Debug, Clone)]
pub struct State(PathBuf);

/// Held while the graph is changed; ends when it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock goes with the file")] File);

/// A graph that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The file it came from.
    pub file: PathBuf,
    /// The text of that file.
    pub text: String,
}

/// A graph that waits to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Tells this one from others: the process that keeps the time; 0 when it can be confirmed no more.
    pub guard: u32,
    /// The life of the kernel's graph in which it was applied.
    pub instance: String,
    /// Seconds that were given.
    pub seconds: u64,
    /// The graph.
    pub applied: Applied,
}

impl State {
    /// Remembers in that folder, which is made when it is first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where that is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Waits for nobody: another process that changes the graph is an error.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.0.join("lock");
        let open = || {
            fs::create_dir_all(&self.0)?;
            File::options().create(true).truncate(false).write(true).open(&path)
        };
        let file = open().map_err(|error| unwritable(&path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::Busy(path.display().to_string())),
            Err(error) => Err(unwritable(&path, error.into())),
        }
    }

    /// What was made in this life of the kernel's graph.
    pub fn record(&self, instance: &str) -> Result<Record> {
        let path = self.0.join(RECORD);
        let Some(bytes) = contents(&path)? else {
            return Ok(Record::default());
        };
        let rest = bytes.strip_prefix(instance.as_bytes());
        match rest.and_then(|rest| rest.strip_prefix(b"\n")) {
            Some(record) => serde_json::from_slice(record).map_err(|error| unreadable(&path, error.into())),
            None => Ok(Record::default()),
        }
    }

    /// Remembers what was made.
    pub fn write_record(&self, instance: &str, record: &Record) -> Result<()> {
        let path = self.0.join(RECORD);
        let write = || {
            let mut bytes = format!("{instance}\n").into_bytes();
            serde_json::to_writer(&mut bytes, record)?;
            self.draft(&bytes)?.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| unwritable(&path, error))
    }

    /// The last graph that was confirmed.
    pub fn confirmed(&self) -> Result<Option<Applied>> {
        self.read(CONFIRMED)
    }

    /// Remembers a graph as the confirmed one, and that none is pending.
    pub fn confirm(&self, applied: &Applied) -> Result<()> {
        self.write(CONFIRMED, applied)?;
        self.forget_pending()
    }

    /// Forgets the confirmed graph, and one that waits to be.
    pub fn forget_confirmed(&self) -> Result<()> {
        self.forget(CONFIRMED)?;
        self.forget_pending()
    }

    /// The graph that waits to be confirmed.
    pub fn pending(&self) -> Result<Option<Pending>> {
        self.read("pending.json")
    }

    /// Remembers a graph that waits to be confirmed.
    pub fn write_pending(&self, pending: &Pending) -> Result<()> {
        self.write("pending.json", pending)
    }

    /// Forgets it.
    pub fn forget_pending(&self) -> Result<()> {
        self.forget("pending.json")
    }

    fn forget(&self, name: &str) -> Result<()> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(&path, error)),
            Ok(()) => sync_folder(&self.0).map_err(|error| unwritable(&path, error)),
            Err(_) => Ok(()),
        }
    }

    fn read<V: DeserializeOwned>(&self, name: &str) -> Result<Option<V>> {
        let path = self.0.join(name);
        let bytes = contents(&path)?;
        let value = bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose();
        value.map_err(|error| unreadable(&path, error.into()))
    }

    fn write<V: Serialize>(&self, name: &str, value: &V) -> Result<()> {
        let path = self.0.join(name);
        let write = || {
            let file = self.draft(&serde_json::to_vec(value)?)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            sync_folder(&self.0)
        };
        write().map_err(|error| unwritable(&path, error))
    }

    /// A new file with that in it, which is to take the place of another.
    fn draft(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        fs::create_dir_all(&self.0)?;
        let mut file = NamedTempFile::new_in(&self.0)?;
        file.write_all(bytes)?;
        Ok(file)
    }
}

/// What is in a file, if it is there.
fn contents(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some).map_err(|error| unreadable(path, error)),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::File {
        path: path.display().to_string(),
        error,
    }
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::State {
        path: path.display().to_string(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().join("ng"));
        (folder, state)
    }

    #[test]
    fn a_record_is_of_one_life_of_the_graph() {
        let (_folder, state) = state();
        assert!(state.record("boot 1").unwrap().is_empty());
        let mut record = Record::default();
        record
            .messages
            .entry("sw".to_owned())
            .or_default()
            .insert("reset".to_owned());
        state.write_record("boot 1", &record).unwrap();
        assert_eq!(state.record("boot 1").unwrap(), record);
        assert!(state.record("boot 2").unwrap().is_empty());
    }

    #[test]
    fn one_process_changes_the_graph_at_a_time() {
        let (_folder, state) = state();
        let lock = state.lock().unwrap();
        assert!(matches!(state.lock(), Err(Failure::Busy(_))));
        drop(lock);
        state.lock().unwrap();
    }

    #[test]
    fn a_confirmed_graph_is_pending_no_longer() {
        let (_folder, state) = state();
        let applied = Applied {
            file: "graph.yaml".into(),
            text: "version: 1\n".to_owned(),
        };
        let pending = Pending {
            guard: 1,
            instance: "boot 1".to_owned(),
            seconds: 60,
            applied: applied.clone(),
        };
        state.write_pending(&pending).unwrap();
        assert_eq!(state.pending().unwrap(), Some(pending));
        state.confirm(&applied).unwrap();
        assert_eq!(
            (state.pending().unwrap(), state.confirmed().unwrap()),
            (None, Some(applied))
        );
    }

    #[test]
    fn a_damaged_file_is_named() {
        let (_folder, state) = state();
        state.write_record("boot 1", &Record::default()).unwrap();
        fs::write(state.folder().join(RECORD), "boot 1\n{").unwrap();
        let said = state.record("boot 1").unwrap_err().to_string();
        assert!(said.contains("ng/record"), "{said}");
    }

    #[test]
    fn what_a_loss_of_power_leaves_of_a_record_is_none() {
        let (_folder, state) = state();
        state.write_record("boot 1", &Record::default()).unwrap();
        for left in ["", "\0\0\0\0", "boot 1", "boot 1\n{"] {
            fs::write(state.folder().join(RECORD), left).unwrap();
            assert!(state.record("boot 2").unwrap().is_empty(), "{left:?}");
        }
    }
}
