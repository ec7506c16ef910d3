//! What the tests of whole commands share.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The process numbers of machines whose command line names this folder.
pub fn machines(folder: &Path) -> Vec<u32> {
    let needle = folder.to_str().unwrap();
    let lines = Command::new("ps").args(["-eo", "pid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&lines.stdout).into_owned();
    { text.lines() }
        .filter(|line| line.contains(needle) && line.contains("qemu-system"))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

/// Waits until no machine of this folder's runs.
pub fn assert_nothing_runs(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !machines(folder).is_empty() {
        assert!(Instant::now() < deadline, "still running: {:?}", machines(folder));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Both streams of a program.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Sends a signal, such as `INT`.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}
