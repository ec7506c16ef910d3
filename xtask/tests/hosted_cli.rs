//! `cargo xtask smoke` with a guest that is up and then misbehaves, in the middle of a test: a report within the deadline,
//! nothing left running.
//!
//! The guest is the hosted base, `target/image/ngforge-hosted.json` or what NGFORGE_HOSTED_MANIFEST names.

mod harness;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{machines, signal, text, wait_until};

/// How long anything may take that waits for no deadline of the harness: a boot, and a test or two.
const SOON: Duration = Duration::from_secs(90);
/// The same with the minute for which the harness waits for SSH to come back.
const LATER: Duration = Duration::from_secs(150);

/// What a test says on the console when it has begun.
const BEGUN: &str = "the test has begun";

/// A folder with tests and the reports of a run.
struct Bench {
    dir: tempfile::TempDir,
}

/// What came of a run.
struct Ending {
    said: String,
    report: serde_json::Value,
}

impl Bench {
    fn new(tests: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tests")).unwrap();
        std::fs::write(dir.path().join("tests/a.yaml"), format!("about: a\ntests:\n{tests}")).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["smoke", "--base", "hosted", "--tests"]);
        command.arg(self.path("tests")).arg("--output").arg(self.path("out"));
        if let Some(manifest) = std::env::var_os("NGFORGE_HOSTED_MANIFEST") {
            command.arg("--manifest").arg(manifest);
        }
        // By our folder, a QEMU that is left over can be told from others.
        command.env("TMPDIR", self.dir.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits for a run to end; it must fail, in time, and leave nothing behind.
    fn end(&self, run: Child, since: Instant, limit: Duration) -> Ending {
        let output = run.wait_with_output().unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(since.elapsed() < limit, "took {:?}: {said}", since.elapsed());
        harness::assert_nothing_runs(self.dir.path());
        let report = std::fs::read_to_string(self.path("out/report.json")).expect(&said);
        let report = serde_json::from_str(&report).unwrap();
        Ending { said, report }
    }

    fn run(&self, limit: Duration) -> Ending {
        let since = Instant::now();
        self.end(self.start(), since, limit)
    }
}

impl Ending {
    fn outcomes(&self) -> Vec<&str> {
        let tests = self.report["tests"].as_array().unwrap();
        tests.iter().map(|test| test["outcome"].as_str().unwrap()).collect()
    }

    fn assert_says(&self, expected: &str) {
        assert!(self.said.contains(expected), "`{expected}` is not in\n{}", self.said);
    }
}

/// A script that sends a signal to every process whose command line begins like this.
fn kill_all(signal: &str, like: &str) -> String {
    format!(
        "for process in /proc/[0-9]*; do case \"$(tr '\\0' ' ' < $process/cmdline)\" in \"{like}\"*) \
         kill -{signal} ${{process#/proc/}} ;; esac; done 2>/dev/null"
    )
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_flood_and_an_ssh_that_hangs_cost_their_tests_and_no_other() {
    let stop = kill_all("STOP", "sshd: root@");
    let bench = Bench::new(&format!(
        "  - {{name: flood, command: head -c 10485760 /dev/zero, timeout: 60}}
  - name: hangs
    timeout: 5
    command: |
      echo begun
      sleep 1
      {stop}
      sleep 60
  - {{name: next, command: echo well, stdout: {{equals: well}}}}
"
    ));
    let ending = bench.run(SOON);
    assert_eq!(ending.outcomes(), ["failed", "failed", "passed"]);
    ending.assert_says("- stdout has 10485760 bytes; a test may print 1048576");
    ending.assert_says("- no answer within 5.0 s while waiting for the command to end");
    ending.assert_says("1 passed, 2 failed, 0 skipped, 0 not run");
    assert_eq!(ending.report["tests"][1]["stdout"], "begun\n");
    assert_eq!(ending.report["ended_early"], serde_json::Value::Null);
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_guest_whose_ssh_never_comes_back_ends_the_run() {
    let stop = kill_all("STOP", "sshd: ");
    let bench = Bench::new(&format!(
        "  - name: hangs
    timeout: 5
    command: |
      {stop}
      sleep 60
  - {{name: in vain, command: 'true'}}
  - {{name: never, command: 'true'}}
"
    ));
    let ending = bench.run(LATER);
    assert_eq!(ending.outcomes(), ["failed", "failed", "not_run"]);
    ending.assert_says("- the guest did not open SSH within 60 s; the last attempt: ");
    ending.assert_says("ended early: SSH did not come back\nthe last lines of its serial console:\n");
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_kernel_that_panics_in_a_test_ends_the_run() {
    let bench = Bench::new(
        "  - {name: panics, command: 'echo c > /proc/sysrq-trigger; sleep 500', timeout: 600}
  - {name: never, command: 'true'}
",
    );
    let ending = bench.run(SOON);
    assert_eq!(ending.outcomes(), ["failed", "not_run"]);
    ending.assert_says("ended early: the guest failed: the guest's kernel panicked: ");
    ending.assert_says("Kernel panic - not syncing: sysrq triggered crash");
    let console = ending.report["console"].as_array().unwrap();
    assert!(
        console
            .iter()
            .any(|line| line.as_str().unwrap().contains("Kernel panic")),
        "{console:?}"
    );
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_hosted_kernel_that_is_killed_in_a_test_ends_the_run() {
    let kill = kill_all("KILL", "hostkernd ");
    let bench = Bench::new(&format!(
        "  - name: kills
    timeout: 600
    command: |
      {kill}
      sleep 500
  - {{name: never, command: 'true'}}
"
    ));
    let ending = bench.run(SOON);
    assert_eq!(ending.outcomes(), ["failed", "not_run"]);
    ending.assert_says("kernel panicked: panic: the hosted kernel has ended with status 137");
}

#[test]
#[ignore = "boots the hosted image: cargo xtask test hosted"]
fn a_qemu_that_is_killed_in_a_test_ends_the_run() {
    let bench = Bench::new(&format!(
        "  - {{name: dies, command: 'echo {BEGUN} > /dev/console; sleep 500', timeout: 600}}
  - {{name: never, command: 'true'}}
"
    ));
    let since = Instant::now();
    let run = bench.start();
    let log = bench.path("out/serial.log");
    wait_until("the test does not begin", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains(BEGUN))
    });
    for machine in machines(bench.dir.path()) {
        signal(machine, "KILL");
    }
    let killed = Instant::now();
    let ending = bench.end(run, since, SOON);
    assert!(killed.elapsed() < Duration::from_secs(10), "{}", ending.said);
    assert_eq!(ending.outcomes(), ["failed", "not_run"]);
    ending.assert_says("ended early: the guest failed: QEMU ended (signal: 9 (SIGKILL))");
    ending.assert_says(BEGUN);
}
