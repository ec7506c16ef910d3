//! A hosted kernel, served from this process.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use hostkern::{Config, Kernel, Subject};
use hostkernd::{Server, Stop, serve};
use tempfile::TempDir;

/// A hosted kernel with the native module. Should it lose something, it aborts the tests.
pub struct Daemon {
    folder: TempDir,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::bind(&folder.path().join("socket")).unwrap();
        let stop = server.stopper();
        let config = Config {
            subject: Subject::Native,
            guard_pages: false,
            check_leaks: true,
        };
        // Tests take turns: there is one kernel at a time.
        let thread = thread::spawn(move || serve(Kernel::boot(config).unwrap(), &server));
        let thread = Some(thread);
        Self { folder, stop, thread }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After a test that failed, too: the next one waits for its turn.
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "the daemon panicked");
        }
    }
}
