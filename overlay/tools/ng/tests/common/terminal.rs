//! A terminal, for tests of what people do at it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Daemon, PATIENCE};

/// A program on a terminal, and somebody at its keys.
pub struct Terminal {
    child: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    text: String,
}

impl Terminal {
    /// Starts `ng` by that name.
    pub fn start(daemon: &Daemon, name: &str, home: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ng"));
        command.arg0(name).env_remove("HOME");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        Self::run(daemon, command)
    }

    /// Starts a program that can reach the kernel.
    pub fn run(daemon: &Daemon, mut command: Command) -> Self {
        let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&pty).unwrap();
        unlockpt(&pty).unwrap();
        let path = ptsname(&pty, Vec::new()).unwrap().into_string().unwrap();
        let side = || OpenOptions::new().read(true).write(true).open(&path).unwrap();
        command
            .env("NG_HOSTED", daemon.socket())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        command.stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().unwrap();
        let keys = File::from(pty);
        let shown = read(keys.try_clone().unwrap());
        Self {
            child,
            keys,
            shown,
            text: String::new(),
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a text, and forgets what was shown up to its end; returns it.
    pub fn wait(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.text.find(text) {
                return self.text.drain(..place + text.len()).collect();
            }
            match self
                .shown
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.text.push_str(&plain(&bytes)),
                Err(RecvTimeoutError::Timeout) => panic!("`{text}` was not shown, but: {:?}", self.text),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without `{text}`: {:?}", self.text),
            }
        }
    }

    /// Presses a key at the prompt; while a command is carried out, the terminal itself would take it.
    pub fn press_at_prompt(&mut self, prompt: &str, key: &str) {
        self.wait(prompt);
        self.press(key);
    }

    pub fn end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end: {:?}", self.text);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Collects what is shown until the program has ended.
fn read(mut screen: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = screen.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Without the sequences that move the cursor and colour.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    let mut plain = String::new();
    while let Some((before, sequence)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        rest = sequence.trim_start_matches(|character: char| !character.is_ascii_alphabetic());
        rest = rest.get(1..).unwrap_or_default();
    }
    plain + rest
}
