//! `cargo xtask smoke` with guests of the hosted base that come up, and then misbehave: a report within the deadline, nothing
//! left running.
//!
//! They take the image in `target/image/`, which `cargo xtask test hosted` builds before it runs them.

mod common;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{signal, text};

/// From power-on to SSH, and then some.
const LONGEST: Duration = Duration::from_secs(180);

/// A folder with tests that misbehave, and for the reports.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new(tests: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tests")).unwrap();
        let text = format!("about: misbehaviour\ntests:\n{tests}");
        std::fs::write(dir.path().join("tests/a.yaml"), text).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn smoke(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["smoke", "--base", "hosted"]);
        command.arg("--tests").arg(self.path("tests"));
        command.arg("--output").arg(self.path("out"));
        // Sockets and overlay go below our folder, by which a machine that is left over can be told from others.
        command.env("TMPDIR", self.0.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end, while `meanwhile` looks on; it must fail in time and leave nothing behind.
    fn failing(&self, meanwhile: impl FnOnce(&Self)) -> String {
        let start = Instant::now();
        let child = self.smoke().spawn().unwrap();
        meanwhile(self);
        let output = child.wait_with_output().unwrap();
        let text = text(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(start.elapsed() < LONGEST, "took {:?}:\n{text}", start.elapsed());
        assert!(text.contains("a rehearsal on Linux, not FreeBSD"), "{text}");
        common::assert_nothing_runs(self.0.path());
        text
    }

    fn wait_for_console(&self, line: &str) {
        let deadline = Instant::now() + LONGEST;
        while !std::fs::read(self.path("out/serial.log")).is_ok_and(|log| String::from_utf8_lossy(&log).contains(line))
        {
            assert!(Instant::now() < deadline, "the console never showed {line}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_flood_and_a_session_that_hangs_cost_their_tests_and_no_other() {
    let bench = Bench::new(
        "  - {name: flood, command: 'head -c 10485760 /dev/zero', timeout: 60}
  - name: hangs
    command: |
      echo begun
      for pid in $(pidof sshd); do
          [ \"$pid\" = \"$(cat /run/sshd.pid)\" ] || kill -STOP \"$pid\"
      done
    timeout: 4
  - {name: next, command: 'true'}
",
    );
    let text = bench.failing(|_| ());
    assert!(
        text.contains("stdout has 10485760 bytes; a test may print 1048576"),
        "{text}"
    );
    assert!(text.contains("no answer within 4.0 s"), "{text}");
    assert!(text.contains("1 passed, 2 failed, 0 skipped, 0 not run"), "{text}");
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_guest_whose_ssh_never_comes_back_ends_the_run() {
    let bench = Bench::new(
        "  - {name: hangs, command: 'kill -STOP $(pidof sshd)', timeout: 4}
  - {name: in vain, command: 'true'}
  - {name: never, command: 'true'}
",
    );
    let text = bench.failing(|_| ());
    assert!(text.contains("no answer within 4.0 s"), "{text}");
    assert!(
        text.contains("the guest did not open SSH within 60 s; the last attempt: "),
        "{text}"
    );
    assert!(
        text.contains("ended early: SSH did not come back\nthe last lines of its serial console:\n  | "),
        "{text}"
    );
    assert!(text.contains("0 passed, 2 failed, 0 skipped, 1 not run"), "{text}");
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_kernel_that_panics_in_a_test_ends_the_run() {
    let bench = Bench::new(
        "  - {name: panics, command: 'echo c > /proc/sysrq-trigger; sleep 60', timeout: 90}\n  - {name: next, command: 'true'}\n",
    );
    let text = bench.failing(|_| ());
    assert!(text.contains("the guest's kernel panicked"), "{text}");
    assert!(
        text.contains("Kernel panic - not syncing: sysrq triggered crash"),
        "{text}"
    );
    assert!(text.contains("0 passed, 1 failed, 0 skipped, 1 not run"), "{text}");
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn the_end_of_the_hosted_kernel_is_reported_as_a_panic() {
    let bench = Bench::new(
        "  - {name: kills, command: 'kill -9 $(pidof hostkernd); sleep 60', timeout: 90}\n  - {name: next, command: 'true'}\n",
    );
    let text = bench.failing(|_| ());
    assert!(
        text.contains("panic: the hosted kernel has ended with status 137"),
        "{text}"
    );
    assert!(text.contains("0 passed, 1 failed, 0 skipped, 1 not run"), "{text}");
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_machine_that_is_killed_in_a_test_ends_the_run() {
    let bench = Bench::new("  - {name: killed, command: 'echo reached > /dev/console; sleep 60', timeout: 90}\n");
    let text = bench.failing(|bench| {
        bench.wait_for_console("reached");
        common::machines(bench.0.path())
            .iter()
            .for_each(|pid| signal(*pid, "KILL"));
    });
    assert!(text.contains("QEMU ended (signal: 9"), "{text}");
    assert!(text.contains("0 passed, 1 failed"), "{text}");
}
