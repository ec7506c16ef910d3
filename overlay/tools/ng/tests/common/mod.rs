//! A hosted kernel for tests of the program `ng`.

#![allow(dead_code, reason = "each of the tests' programs uses a part of it")]

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

mod daemon;

#[cfg(target_os = "linux")]
pub mod terminal;

pub use daemon::Daemon;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

impl Daemon {
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
}

/// What a program said on standard error.
pub fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
