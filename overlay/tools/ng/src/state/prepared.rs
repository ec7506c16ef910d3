//! A graph on its way to the disk while it is being applied.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use super::{Applied, CONFIRMED, State, sync_folder, unwritable};
use crate::failure::Result;

/// Where it is until it is confirmed; what a killed process has left there is written over.
const DRAFT: &str = "confirmed.new";

/// A graph that is written down, to become the confirmed one; unless it does, it is taken away again.
#[derive(Debug)]
pub struct Prepared {
    state: State,
    /// None once it was waited for.
    writing: Option<JoinHandle<io::Result<Written>>>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// It is on the disk.
    Draft,
    /// It is the confirmed one already.
    Nothing,
}

impl State {
    /// Begins to write a graph down that is about to be applied. A disk takes its time, in which other things can be done.
    pub fn prepare(&self, applied: Applied) -> Result<Prepared> {
        let (confirmed, draft) = (self.0.join(CONFIRMED), self.0.join(DRAFT));
        let write = {
            let draft = draft.clone();
            move || write(&applied, &confirmed, &draft)
        };
        let writing = thread::Builder::new().spawn(write);
        Ok(Prepared {
            state: self.clone(),
            writing: Some(writing.map_err(|error| unwritable(&draft, error))?),
        })
    }
}

/// Has the graph on the disk, unless the confirmed one is the same.
fn write(applied: &Applied, confirmed: &Path, draft: &Path) -> io::Result<Written> {
    let bytes = serde_json::to_vec(applied)?;
    if fs::read(confirmed).is_ok_and(|old| old == bytes) {
        return Ok(Written::Nothing);
    }
    draft.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(Written::Draft)
}

impl Prepared {
    /// Remembers the graph as the confirmed one, and that none is pending.
    pub fn confirm(mut self) -> Result<()> {
        let confirmed = self.state.0.join(CONFIRMED);
        let moved = self.written().and_then(|written| {
            if written == Written::Draft {
                fs::rename(self.draft(), &confirmed)?;
            }
            sync_folder(&self.state.0)
        });
        moved.map_err(|error| unwritable(&confirmed, error))?;
        self.state.forget_pending()
    }

    fn draft(&self) -> PathBuf {
        self.state.0.join(DRAFT)
    }

    /// Waits until it is written.
    fn written(&mut self) -> io::Result<Written> {
        match self.writing.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(_)) => Err(io::Error::other("the thread that was to write it panicked")),
            None => Ok(Written::Nothing),
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // Whether it was written matters to nobody any more; what cannot be taken away is written over by the next one.
        let _ = self.written();
        let _ = fs::remove_file(self.draft());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str) -> Applied {
        Applied {
            file: "graph.yaml".into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_is_confirmed_replaces_what_was_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().join("ng"));
        state.prepare(applied("first")).unwrap().confirm().unwrap();
        assert_eq!(state.confirmed().unwrap(), Some(applied("first")));
        drop(state.prepare(applied("second")).unwrap());
        assert_eq!(state.confirmed().unwrap(), Some(applied("first")));
        state.prepare(applied("third")).unwrap().confirm().unwrap();
        assert_eq!(state.confirmed().unwrap(), Some(applied("third")));
        let names = fs::read_dir(state.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), [CONFIRMED]);
    }

    #[test]
    fn what_is_confirmed_again_is_not_written_again() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path());
        let inode = || fs::metadata(folder.path().join(CONFIRMED)).unwrap().ino();
        state.prepare(applied("same")).unwrap().confirm().unwrap();
        let before = inode();
        // Left by a process that was killed.
        fs::write(folder.path().join(DRAFT), "another one").unwrap();
        state.prepare(applied("same")).unwrap().confirm().unwrap();
        assert_eq!((inode(), state.confirmed().unwrap()), (before, Some(applied("same"))));
        assert!(!folder.path().join(DRAFT).exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_told_when_it_matters() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let prepared = State::new(file.join("ng")).prepare(applied("any")).unwrap();
        let said = prepared.confirm().unwrap_err().to_string();
        assert!(said.contains("file/ng/confirmed.json"), "{said}");
    }
}
