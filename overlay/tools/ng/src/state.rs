//! What `ng` remembers between its runs: which nodes and links it made, and which graph is the confirmed one.
//!
//! | file | what it holds |
//! |---|---|
//! | `lock` | nothing; whoever changes the graph holds a lock on it (flock(2)) |
//! | `record.json` | what was made ([`Record`]), and in which life of the kernel's graph |
//! | `confirmed.json` | the last graph that was applied and confirmed, file name and text |
//! | `pending.json` | a graph that was applied and waits for `ng confirm` |
//!
//! Files appear by atomic rename, and are on the disk before anything else is done: after a loss of power there is the old
//! or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use graph::Record;
use rustix::fs::{FlockOperation, flock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

/// The folder in which all of it is.
#[derive(Debug, Clone)]
pub struct State(PathBuf);

/// Held while the graph is changed; ends when it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock goes with the file")] File);

/// A record, and of which life of the kernel's graph.
#[derive(Serialize, Deserialize)]
struct Recorded {
    instance: String,
    #[serde(flatten)]
    record: Record,
}

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
    /// Tells this one from others: the process that keeps the time.
    pub guard: u32,
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
        let recorded: Option<Recorded> = self.read("record.json")?;
        let current = recorded.filter(|recorded| recorded.instance == instance);
        Ok(current.map(|recorded| recorded.record).unwrap_or_default())
    }

    /// Remembers what was made.
    pub fn write_record(&self, instance: &str, record: &Record) -> Result<()> {
        let recorded = Recorded {
            instance: instance.to_owned(),
            record: record.clone(),
        };
        self.write("record.json", &recorded)
    }

    /// The last graph that was confirmed.
    pub fn confirmed(&self) -> Result<Option<Applied>> {
        self.read("confirmed.json")
    }

    /// Remembers a graph as the confirmed one, and that none is pending.
    pub fn confirm(&self, applied: &Applied) -> Result<()> {
        self.write("confirmed.json", applied)?;
        self.forget_pending()
    }

    /// Forgets the confirmed graph, and one that waits to be.
    pub fn forget_confirmed(&self) -> Result<()> {
        self.forget("confirmed.json")?;
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
        let unreadable = |error| Failure::File {
            path: path.display().to_string(),
            error,
        };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(unreadable)?,
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unreadable(error.into()))
    }

    fn write<V: Serialize>(&self, name: &str, value: &V) -> Result<()> {
        let path = self.0.join(name);
        let write = || {
            fs::create_dir_all(&self.0)?;
            let mut file = NamedTempFile::new_in(&self.0)?;
            file.write_all(&serde_json::to_vec(value)?)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            sync_folder(&self.0)
        };
        write().map_err(|error| unwritable(&path, error))
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
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
        fs::write(state.folder().join("record.json"), "{").unwrap();
        let said = state.record("boot 1").unwrap_err().to_string();
        assert!(said.contains("record.json"), "{said}");
    }
}
