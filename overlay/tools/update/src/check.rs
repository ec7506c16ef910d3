//! Whether the appliance is healthy: it does what it is there for, and can be reached.

use std::fmt;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use crate::failure::Result;
use crate::place::Place;
use crate::state;

#[cfg(test)]
mod tests;

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Programs start and the disk answers: what a watchdog must not mistake is somebody who stops a service.
    Quick,
    /// All of it.
    Full,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub detail: String,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It is not wanted here.
    Skipped,
    /// It is not as it should be.
    Failed,
}

/// How long sshd may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(5);

impl Finding {
    /// Nothing is missing.
    pub fn is_fine(&self) -> bool {
        self.verdict != Verdict::Failed
    }

    fn new(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { check, verdict, detail }
    }

    fn of(check: &'static str, result: Result<String, String>) -> Self {
        match result {
            Ok(detail) => Self::new(check, Verdict::Ok, detail),
            Err(detail) => Self::new(check, Verdict::Failed, detail),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Skipped => "skipped",
            Verdict::Failed => "FAILED",
        };
        write!(f, "{:9} {verdict:8} {}", self.check, self.detail)
    }
}

/// Checks all of it.
///
/// # Errors
/// The machine has no slots.
pub fn findings(place: &Place, depth: Depth) -> Result<Vec<Finding>> {
    let mut all = vec![Finding::of("disk", disk(place)?)];
    if depth == Depth::Full {
        all.extend([graph(place), sshd(), watchdog(place)]);
    }
    Ok(all)
}

/// The state record can be read: the disk answers.
fn disk(place: &Place) -> Result<Result<String, String>> {
    let running = place.running()?;
    let mut device = running.state(false)?;
    Ok(match state::read(&mut device) {
        Ok(copies) if copies.valid().is_some() => Ok(format!("slot {} runs", running.slot)),
        Ok(_) => Ok(format!(
            "slot {} runs; the state record is not valid and will be written anew",
            running.slot
        )),
        Err(error) => Err(format!("the state record cannot be read: {error}")),
    })
}

/// The graph is the one that is declared: `ng plan` has nothing to change.
fn graph(place: &Place) -> Finding {
    if !is_enabled("ngforge_enable") {
        return Finding::new("graph", Verdict::Skipped, "ngforge_enable is not YES");
    }
    let ng = place.path("/usr/local/sbin/ng");
    let file = setting("ngforge_graph").filter(|file| !file.is_empty());
    let output = Command::new(&ng).arg("plan").args(file).output();
    Finding::of(
        "graph",
        match output {
            Err(error) => Err(format!("{}: {error}", ng.display())),
            Ok(output) => match output.status.code() {
                Some(0) => Ok("it is the one that is declared".into()),
                Some(1) => Err("it is not the one that is declared; `ng plan` tells the difference".into()),
                _ => Err(first_line(&output.stderr)),
            },
        },
    )
}

/// sshd answers, at the port that it is set to.
fn sshd() -> Finding {
    if !is_enabled("sshd_enable") {
        return Finding::new("sshd", Verdict::Skipped, "sshd_enable is not YES");
    }
    let settings = Command::new("/usr/sbin/sshd").arg("-T").output();
    let settings = settings.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let addresses = listening(&settings.unwrap_or_default());
    let mut last = "it listens nowhere".to_owned();
    for address in addresses {
        match greeting(address) {
            Ok(greeting) => return Finding::new("sshd", Verdict::Ok, format!("{greeting} at {address}")),
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    Finding::new("sshd", Verdict::Failed, last)
}

/// Where sshd listens, from what `sshd -T` says; any address is the machine's own.
fn listening(settings: &str) -> Vec<SocketAddr> {
    let words = settings.lines().filter_map(|line| line.strip_prefix("listenaddress "));
    let mut all: Vec<SocketAddr> = words.filter_map(|word| word.trim().parse().ok()).collect();
    for address in &mut all {
        if address.ip().is_unspecified() {
            match address {
                SocketAddr::V4(_) => address.set_ip(std::net::Ipv4Addr::LOCALHOST.into()),
                SocketAddr::V6(_) => address.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
            }
        }
    }
    all.sort_by_key(SocketAddr::is_ipv6);
    all
}

/// The first line that an SSH server sends (RFC 4253, 4.2).
fn greeting(address: SocketAddr) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(text)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
    let mut start = [0; 255];
    let len = stream.read(&mut start).map_err(text)?;
    let line = first_line(&start[..len]);
    match line.starts_with("SSH-") {
        true => Ok(line),
        false => Err(format!("it is no SSH server: it says `{line}`")),
    }
}

/// watchdogd runs, if it is to.
fn watchdog(place: &Place) -> Finding {
    let check = "watchdog";
    let Ok(text) = std::fs::read_to_string(place.path("/var/run/watchdogd.pid")) else {
        return match is_enabled("watchdogd_enable") {
            true => Finding::new(
                check,
                Verdict::Failed,
                "watchdogd_enable is YES, and watchdogd is not running",
            ),
            false => Finding::new(check, Verdict::Skipped, "there is none, or nobody asked for it"),
        };
    };
    let alive = succeed(Command::new("kill").args(["-0", text.trim()]));
    Finding::of(
        check,
        alive
            .map(|()| "watchdogd feeds it".into())
            .map_err(|_| "watchdogd has died".into()),
    )
}

/// Whether a setting of rc.conf(5) is YES.
fn is_enabled(name: &str) -> bool {
    let value = setting(name).map(|value| value.to_ascii_lowercase());
    matches!(value.as_deref(), Some("yes" | "true" | "on" | "1"))
}

/// A setting of rc.conf(5), as rc(8) finds it.
fn setting(name: &str) -> Option<String> {
    let script = format!(". /etc/rc.subr && load_rc_config ngforge && echo \"${{{name}}}\"");
    let output = Command::new("/bin/sh").args(["-c", &script]).output().ok()?;
    let value = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(value)
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|char| !char.is_control()).take(120).collect()
}

/// Runs a program that has nothing to tell unless it fails; what it says then.
///
/// # Errors
/// It cannot be run, or fails.
pub fn succeed(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Err(error) => Err(error.to_string()),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&[&output.stderr[..], &output.stdout].concat())
                .trim()
                .to_owned();
            Err(if said.is_empty() {
                output.status.to_string()
            } else {
                said
            })
        }
    }
}
