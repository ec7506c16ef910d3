//! An OpenSSH server of our own for tests: without privileges, on a loopback port, with keys made for it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Login;
use crate::preflight;
use crate::vm::{Demise, Watch};

/// A running server; dropping it ends it.
pub struct Server {
    child: Child,
    dir: tempfile::TempDir,
    port: u16,
}

/// A guest that is always well.
pub struct Well;

impl Watch for Well {
    fn check(&mut self) -> Result<(), Demise> {
        Ok(())
    }

    fn console(&self, _mark: u64) -> Vec<String> {
        vec!["a line on the console".into()]
    }

    fn mark(&self) -> u64 {
        0
    }
}

/// A relay in front of a server, which can be made to hold everything back, as a guest does that hangs.
pub struct Relay {
    port: u16,
    held: Arc<AtomicBool>,
}

impl Relay {
    /// Relays one connection to a port.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let held = Arc::new(AtomicBool::new(false));
        let holding = Arc::clone(&held);
        std::thread::spawn(move || {
            let (client, _) = listener.accept().expect("somebody connects");
            let server = TcpStream::connect(("127.0.0.1", server)).expect("the server listens");
            let back = (server.try_clone(), client.try_clone());
            let holding_back = Arc::clone(&holding);
            std::thread::spawn(move || copy(back.0.expect("a copy"), back.1.expect("a copy"), &holding_back));
            copy(client, server, &holding);
        });
        Self { port, held }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From here on nothing comes through.
    pub fn hold(&self) {
        self.held.store(true, Ordering::SeqCst);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, held: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        while held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

impl Server {
    /// Starts a server and waits until it listens.
    pub fn start() -> Self {
        let mut dir = tempfile::tempdir().expect("a temporary folder");
        for name in ["host", "user", "stranger"] {
            make_key(&dir.path().join(name));
        }
        // sshd as root insists on its folder; distributions make it when the service starts.
        let _ = std::fs::create_dir_all("/run/sshd");
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let port = free_port();
            let child = spawn(dir.path(), port);
            let mut server = Self { child, dir, port };
            if server.listens(deadline) {
                return server;
            }
            // Another process has taken the port meanwhile, perhaps.
            eprintln!("sshd does not listen: {}", server.log());
            dir = std::mem::replace(&mut server.dir, tempfile::tempdir().expect("a temporary folder"));
        }
        panic!("sshd could not be started");
    }

    fn listens(&mut self, deadline: Instant) -> bool {
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The login that works.
    pub fn login(&self) -> Login {
        Login {
            port: self.port,
            user: user(),
            identity: self.dir.path().join("user"),
        }
    }

    /// A key that the server does not know.
    pub fn stranger(&self) -> PathBuf {
        self.dir.path().join("stranger")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(dir: &Path, port: u16) -> Child {
    let config = dir.join("config");
    let text = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {0}/host\nAuthorizedKeysFile {0}/user.pub\nPidFile none\nUsePAM no\n\
         StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
        dir.display()
    );
    std::fs::write(&config, text).expect("the configuration can be written");
    let log = std::fs::File::create(dir.join("log")).expect("the log can be written");
    Command::new(preflight::need("sshd").expect("sshd is installed (scripts/setup does it)"))
        .args(["-D", "-e", "-f"])
        .arg(config)
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("sshd starts")
}

fn make_key(path: &Path) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status();
    assert!(status.expect("ssh-keygen is installed").success());
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
