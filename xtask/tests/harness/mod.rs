//! What tests of whole commands share: what a command said, and which machines it left.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// All that a command said.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The machines whose command lines name this folder, by process number.
pub fn machines(folder: &Path) -> Vec<u32> {
    let needle = folder.to_str().unwrap();
    let lines = Command::new("ps").args(["-eo", "pid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&lines.stdout).into_owned();
    text.lines()
        .filter(|line| line.contains(needle) && line.contains("qemu-system"))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

/// Machines end before their command does, or at once after one that was killed.
pub fn assert_nothing_runs(folder: &Path) {
    wait_until("machines are still running", || machines(folder).is_empty());
}

/// Waits for something that is to come soon.
pub fn wait_until(complaint: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{complaint}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a signal.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}
