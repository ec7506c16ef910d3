//! A hosted kernel with an empty graph.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for until then.
const INTERVAL: Duration = Duration::from_millis(5);

/// A running `hostkernd`; it goes when this is dropped.
pub struct Daemon {
    process: Child,
    socket: PathBuf,
}

impl Daemon {
    /// Starts one that serves a Unix socket.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(program: &Path, socket: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("--socket").arg(socket).stderr(Stdio::null());
        let process = command
            .spawn()
            .with_context(|| format!("{}: could not be run", program.display()))?;
        let socket = socket.to_owned();
        let mut daemon = Self { process, socket };
        daemon.wait()?;
        Ok(daemon)
    }

    /// The Unix socket at which it is served.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&self.socket).is_err() {
            let ended = self.process.try_wait()?;
            ensure!(ended.is_none(), "hostkernd ended when it had just begun");
            ensure!(Instant::now() < deadline, "hostkernd does not serve its socket");
            thread::sleep(INTERVAL);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It is thrown away with what it holds; one that has ended already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
