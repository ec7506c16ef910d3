//! `cargo xtask smoke` as a whole, with guests that never come up: a report within the deadline, nothing left running.

mod common;
#[path = "../src/vm/testrom.rs"]
mod testrom;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{signal, text};
use testrom::{Then, rom};

/// A folder with everything that a run needs.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new(text: &str, then: Then) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("guest.rom"), rom(text, then)).unwrap();
        std::fs::write(dir.path().join("disk.raw"), vec![0; 1 << 20]).unwrap();
        std::fs::write(dir.path().join("key"), "not looked at").unwrap();
        let tests = dir.path().join("tests");
        std::fs::create_dir(&tests).unwrap();
        let text = "about: a\ntests:\n  - {name: one, command: 'true'}\n  - {name: two, command: 'true'}\n";
        std::fs::write(tests.join("a.yaml"), text).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn smoke(&self, more: &[&str]) -> Command {
        let mut command = self.machine("smoke", &["--image", "disk.raw"]);
        for (option, name) in [("--tests", "tests"), ("--output", "out")] {
            command.arg(option).arg(self.path(name));
        }
        command.args(more);
        command
    }

    /// A command with our guest; what it boots is an option and a file's name.
    fn machine(&self, verb: &str, [option, name]: &[&str; 2]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args([verb, "--accel", "tcg", "--memory", "64"]);
        for (option, name) in [(*option, *name), ("--identity", "key"), ("--firmware", "guest.rom")] {
            command.arg(option).arg(self.path(name));
        }
        // Sockets and overlay go below our folder, by which a QEMU that is left over can be told from others.
        command.env("TMPDIR", self.dir.path()).stdin(Stdio::null());
        command
    }

    /// The manifest of our disk, which says that it has `size` bytes.
    fn write_manifest(&self, base: &str, size: u64) {
        let manifest = serde_json::json!({
            "name": "router", "base": base, "release": "14.3", "hostname": "router", "nics": 3,
            "files": [{"path": "disk.raw", "format": "raw", "size": size, "sha256": ""}],
            "identity": "key", "inputs": {},
        });
        std::fs::write(self.path("router.json"), manifest.to_string()).unwrap();
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(self.path("out/report.json")).unwrap()).unwrap()
    }

    fn assert_nothing_runs(&self) {
        common::assert_nothing_runs(self.dir.path());
    }

    fn wait_for_guest(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::fs::read_to_string(self.path("out/serial.log"))
            .unwrap_or_default()
            .is_empty()
        {
            assert!(Instant::now() < deadline, "the guest does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs to the end; it must fail, quickly, and leave nothing behind.
fn failing(bench: &Bench, more: &[&str]) -> String {
    fails(bench, &mut bench.smoke(more))
}

/// The same of any command.
fn fails(bench: &Bench, command: &mut Command) -> String {
    let start = Instant::now();
    let output = command.output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
    bench.assert_nothing_runs();
    text
}

#[test]
fn a_guest_that_never_opens_ssh() {
    let bench = Bench::new("booting on and on\r\n", Then::Repeat);
    let text = failing(&bench, &["--timeout", "2"]);
    assert!(text.contains("the guest did not open SSH within 2 s"), "{text}");
    assert!(text.contains("  | booting on and on\n"), "{text}");
    assert!(text.contains("0 passed, 0 failed, 0 skipped, 2 not run"), "{text}");
    let report = bench.report();
    assert_eq!(report["boot_seconds"], serde_json::Value::Null);
    assert_eq!(report["tests"][1]["outcome"], "not_run");
    let junit = std::fs::read_to_string(bench.path("out/junit.xml")).unwrap();
    roxmltree::Document::parse(&junit).unwrap();
}

#[test]
fn a_guest_that_panics_ends_the_run_long_before_the_deadline() {
    let bench = Bench::new("panic: no coffee\r\ncpuid = 0\r\n", Then::Halt);
    let text = failing(&bench, &["--timeout", "600"]);
    assert!(text.contains("the guest's kernel panicked: panic: no coffee"), "{text}");
    assert!(text.contains("  | cpuid = 0\n"), "{text}");
}

#[test]
fn a_silent_guest_ends_the_run_long_before_the_deadline() {
    let bench = Bench::new("last words\r\n", Then::Halt);
    let text = failing(&bench, &["--timeout", "600", "--silence", "2"]);
    assert!(text.contains("written nothing to its serial console for 2 s"), "{text}");
    assert!(text.contains("  | last words\n"), "{text}");
}

#[test]
fn a_guest_that_resets_ends_the_run() {
    let bench = Bench::new("bye\r\n", Then::Reset);
    let text = failing(&bench, &["--timeout", "600"]);
    assert!(text.contains("QEMU ended"), "{text}");
}

#[test]
fn a_qemu_that_is_killed_while_the_guest_boots_ends_the_run() {
    let bench = Bench::new("booting\r\n", Then::Repeat);
    let mut command = bench.smoke(&["--timeout", "600"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    bench.wait_for_guest();
    let start = Instant::now();
    common::machines(bench.dir.path())
        .iter()
        .for_each(|pid| signal(*pid, "KILL"));
    let output = child.wait_with_output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("QEMU ended (signal: 9 (SIGKILL))"), "{text}");
    assert!(text.contains("  | booting\n"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    bench.assert_nothing_runs();
}

#[test]
fn a_port_that_is_taken_is_named_before_anything_starts() {
    let bench = Bench::new("booting\r\n", Then::Repeat);
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let mut command = bench.machine("run", &["--image", "disk.raw"]);
    let text = fails(&bench, command.args(["--ssh-port", &port]));
    let expected = format!("the loopback port {port} cannot be had for the guest's SSH\nhint: ");
    assert!(text.contains(&expected), "{text}");
    assert!(text.contains("because: Address already in use"), "{text}");
}

#[test]
fn an_image_that_is_cut_off_is_refused() {
    let bench = Bench::new("booting\r\n", Then::Repeat);
    bench.write_manifest("freebsd", 2 << 20);
    for verb in ["run", "smoke"] {
        let text = fails(&bench, &mut bench.machine(verb, &["--manifest", "router.json"]));
        assert!(
            text.contains("has 1048576 bytes, but its manifest says 2097152: it is incomplete"),
            "{text}"
        );
        assert!(text.contains("hint: build it again with `cargo xtask image`"), "{text}");
    }
    cut_off_qcow2(&bench.path("disk.qcow2"));
    let text = fails(&bench, &mut bench.machine("run", &["--image", "disk.qcow2"]));
    assert!(text.contains("disk.qcow2 is incomplete or damaged"), "{text}");
}

/// An image whose last part is missing.
fn cut_off_qcow2(path: &Path) {
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-o", "preallocation=full"])
        .arg(path)
        .arg("1M")
        .status()
        .unwrap();
    assert!(made.success());
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(800 << 10).unwrap();
}

#[test]
fn an_image_of_another_base_than_the_one_asked_for_is_refused() {
    let bench = Bench::new("booting\r\n", Then::Repeat);
    bench.write_manifest("freebsd", 1 << 20);
    let mut command = bench.machine("smoke", &["--manifest", "router.json"]);
    let text = fails(&bench, command.args(["--base", "hosted"]));
    assert!(
        text.contains("the image router is freebsd, but --base asks for hosted\nhint: "),
        "{text}"
    );
    bench.write_manifest("moon", 1 << 20);
    let text = fails(&bench, &mut bench.machine("run", &["--manifest", "router.json"]));
    assert!(text.contains("the base `moon`, which is unknown here"), "{text}");
}

#[test]
fn reports_say_what_was_booted() {
    let bench = Bench::new("panic: no coffee\r\n", Then::Halt);
    let text = failing(&bench, &["--base", "hosted"]);
    assert!(text.starts_with("disk: hosted base ("), "{text}");
    assert_eq!(text.matches("a rehearsal on Linux, not FreeBSD").count(), 2, "{text}");
    let report = bench.report();
    assert_eq!(report["base"], "hosted");
    let junit = std::fs::read_to_string(bench.path("out/junit.xml")).unwrap();
    assert!(junit.contains("a rehearsal on Linux, not FreeBSD"), "{junit}");
    let text = failing(&bench, &[]);
    assert!(text.starts_with("disk: FreeBSD (release unknown)\n"), "{text}");
}

#[test]
fn an_interrupted_run_reports_and_leaves_nothing_running() {
    let bench = Bench::new("booting\r\n", Then::Repeat);
    let mut command = bench.smoke(&["--timeout", "600"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    bench.wait_for_guest();
    signal(child.id(), "INT");
    let output = child.wait_with_output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("ended early: interrupted"), "{text}");
    bench.assert_nothing_runs();
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_is_killed_takes_its_machine_with_it() {
    let bench = Bench::new("booting\r\n", Then::Repeat);
    let mut command = bench.smoke(&["--timeout", "600"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    bench.wait_for_guest();
    assert!(!common::machines(bench.dir.path()).is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    bench.assert_nothing_runs();
}

#[test]
fn what_is_missing_is_named_before_anything_starts() {
    let bench = Bench::new("", Then::Halt);
    let cases: &[(&[&str], &str)] = &[
        (&["--filter", "no such test"], "no smoke test contains no such test"),
        (
            &["--qemu", "/nonexistent/qemu"],
            "could not find the program /nonexistent/qemu",
        ),
    ];
    for (more, expected) in cases {
        let text = failing(&bench, more);
        assert!(text.contains(expected), "{text}");
    }
    for (name, expected) in [
        ("guest.rom", "could not read the firmware"),
        ("key", "the private key"),
        ("disk.raw", "could not open the image"),
    ] {
        std::fs::remove_file(bench.path(name)).unwrap();
        let text = failing(&bench, &[]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_machine_without_qemu_is_told_what_to_install() {
    let bench = Bench::new("", Then::Halt);
    let mut command = bench.smoke(&[]);
    // A search path without QEMU; the administrators' folders hold none either.
    let output = command.env("PATH", empty_folder(&bench)).output().unwrap();
    let text = text(&output);
    assert!(
        text.contains("could not find qemu-system-x86_64, which is needed to boot the image\nhint: install it with `"),
        "{text}"
    );
}

fn empty_folder(bench: &Bench) -> PathBuf {
    let folder = bench.path("empty");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_test_that_needs_more_cards_is_refused() {
    let bench = Bench::new("", Then::Halt);
    write_frame_test(&bench.path("tests/frames.yaml"));
    let text = failing(&bench, &["--nics", "2"]);
    assert!(text.contains("needs network card 3, but the machine has 2"), "{text}");
}

fn write_frame_test(path: &Path) {
    let text = "about: a\ntests:\n  - name: f\n    frames:\n      - frame: {hex: 'ffffffffffff02000000000188b5'}\n        into: 2\n        \
                leaves: [3]\n";
    std::fs::write(path, text).unwrap();
}
