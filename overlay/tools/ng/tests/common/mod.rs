//! A hosted kernel for tests of the program `ng`.

#![allow(dead_code, reason = "each of the tests' programs uses a part of it")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hostkern::{Config, Kernel, Subject};
use hostkernd::{Server, Stop, serve};
use tempfile::TempDir;

#[cfg(target_os = "linux")]
pub mod terminal;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A hosted kernel with the native module, served from this process. Should it lose something, it aborts the tests.
pub struct Daemon {
    pub folder: TempDir,
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

    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ng"));
        command.arg("--hosted").arg(self.socket()).args(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `ng`, which is to succeed, and returns what it prints.
    pub fn ng(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the output of `ng` is as wanted.
    pub fn wait(&self, arguments: &[&str], is_wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.ng(arguments);
            if is_wanted(&text) {
                return;
            }
            assert!(Instant::now() < deadline, "{arguments:?}: {text}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs `ng hook` in the background, from when it is connected.
    pub fn hook(&self, name: &str, arguments: &[&str]) -> Child {
        let child = self.command(&[&["-n", name, "hook", "-t", "30"], arguments].concat());
        let child = { child }.spawn().unwrap();
        let is_connected = |line: &str| line.contains(name) && line.ends_with("Num hooks: 1");
        self.wait(&["list"], |text| text.lines().any(is_connected));
        child
    }

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

/// What a program said on standard error.
pub fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
