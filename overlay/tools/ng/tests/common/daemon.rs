//! A hosted kernel, served from the process of a test.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use hostkern::{Config, Kernel, Subject};
use hostkernd::{Server, Stop, serve};
use tempfile::TempDir;

/// A hosted kernel with the native module, served from this process. Should it lose something, it aborts the tests.
pub struct Daemon {
    /// Where its socket is.
    pub folder: TempDir,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Boots and serves it.
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

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Ends it.
    #[allow(dead_code, reason = "not every test ends it early")]
    pub fn stop(&mut self) {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap();
        assert!(!self.socket().exists());
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
