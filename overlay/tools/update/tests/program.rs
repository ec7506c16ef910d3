//! The program itself, on files that stand for an appliance's partitions.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ed25519_dalek::SigningKey;
use serde_json::Value;
use tempfile::TempDir;
use update::device::Partition;
use update::file::{About, CHUNK, Needs, Writer, pack};
use update::state::{self, Mark, Slot, State};

/// The public key of the private key that is 32 times 7, as ssh-keygen writes it.
fn public_line() -> String {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    let data = ssh_key::public::KeyData::Ed25519(ssh_key::public::Ed25519PublicKey(key));
    ssh_key::PublicKey::new(data, "test").to_openssh().unwrap()
}

struct Appliance(TempDir);

impl Appliance {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["dev/gpt", "usr/share/ngforge", "var/db/ng", "var/run"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let write = |path: &str, bytes: &[u8]| fs::write(root.path().join(path), bytes).unwrap();
        write("dev/gpt/box-state", &vec![0; 1 << 20]);
        write("dev/gpt/box-a", &vec![1; 2 * CHUNK]);
        write("dev/gpt/box-b", &vec![0; 2 * CHUNK]);
        let identity = r#"{"appliance":"box","release":"14.2","build":"old"}"#;
        write("usr/share/ngforge/appliance.json", identity.as_bytes());
        write("usr/share/ngforge/update.pub", public_line().as_bytes());
        let new = Self(root);
        new.set(State::fresh());
        new
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn set(&self, state: State) {
        let mut device = Partition::open(&self.path("dev/gpt/box-state"), true).unwrap();
        state::write(&mut device, state).unwrap();
    }

    fn state(&self) -> State {
        let mut device = Partition::open(&self.path("dev/gpt/box-state"), false).unwrap();
        state::read(&mut device).unwrap().valid().unwrap().1
    }

    fn command(&self, running: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ng-update"));
        command
            .arg("--root")
            .arg(self.0.path())
            .args(["--label", "box", "--slot", running]);
        command
    }

    fn run(&self, running: &str, words: &[&str]) -> Output {
        self.command(running).args(words).stdin(Stdio::null()).output().unwrap()
    }

    fn update(&self, key: Option<u8>) -> PathBuf {
        let about = About {
            appliance: "box".into(),
            release: "14.3".into(),
            build: "new".into(),
            slot_bytes: CHUNK as u64 + 512,
            needs: Needs {
                disk: 1,
                machine: "amd64".into(),
            },
        };
        let mut writer = Writer::new(Cursor::new(Vec::new()), about).unwrap();
        writer.add(pack(&vec![5; CHUNK])).unwrap();
        writer.add(pack(&[6; 512])).unwrap();
        let key = key.map(|byte| SigningKey::from_bytes(&[byte; 32]));
        let path = self.path("x.ngu");
        fs::write(&path, writer.finish(key.as_ref()).unwrap().into_inner()).unwrap();
        path
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_update_goes_into_the_other_slot_and_is_tried() {
    let appliance = Appliance::new();
    let output = appliance.run("a", &["install", name(&appliance.update(Some(7)))]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "slot b: box 14.3 (build new), verified, 1 of 1 MiB written; the next boot tries it\n"
    );
    let slot = fs::read(appliance.path("dev/gpt/box-b")).unwrap();
    assert_eq!((slot[0], slot[CHUNK], slot[CHUNK + 512]), (5, 6, 0));
    assert_eq!(fs::read(appliance.path("dev/gpt/box-a")).unwrap(), vec![1; 2 * CHUNK]);
    let state = appliance.state();
    assert_eq!((state.once, state.b, state.boot), (Some(Slot::B), Mark::New, Slot::A));
    let status = json(&appliance.run("a", &["status", "--json"]));
    assert_eq!((&status["running"], &status["next"]), (&"a".into(), &"b".into()));
    assert_eq!(status["slots"][0]["version"]["release"], "14.2");
    assert_eq!(status["slots"][1]["version"]["release"], "14.3");
    assert_eq!(status["state"]["try"], "b");
}

#[test]
fn an_update_comes_through_standard_input() {
    let appliance = Appliance::new();
    let bytes = fs::read(appliance.update(Some(7))).unwrap();
    let mut command = appliance.command("a");
    command.args(["install", "-", "--json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    let report = json(&output);
    assert_eq!(
        (&report["slot"], &report["bytes"]),
        (&"b".into(), &(CHUNK + 512).into())
    );
}

#[test]
fn a_file_that_nobody_or_somebody_else_signed_is_refused_and_nothing_is_written() {
    let appliance = Appliance::new();
    let before = fs::read(appliance.path("dev/gpt/box-state")).unwrap();
    for (key, said) in [(None, "it is not signed"), (Some(9), "it is signed with the key")] {
        let file = appliance.update(key);
        let output = appliance.run("a", &["install", name(&file)]);
        assert_eq!(output.status.code(), Some(77));
        assert!(text(&output.stderr).contains(said), "{}", text(&output.stderr));
        let output = appliance.run("a", &["install", "--unsigned", name(&file)]);
        assert_eq!(output.status.code(), Some(77));
        assert!(
            text(&output.stderr).contains("system's console only"),
            "{}",
            text(&output.stderr)
        );
        let output = appliance.run("a", &["install", "--unsigned", "-"]);
        assert_eq!(output.status.code(), Some(77));
    }
    assert_eq!(fs::read(appliance.path("dev/gpt/box-state")).unwrap(), before);
    assert_eq!(fs::read(appliance.path("dev/gpt/box-b")).unwrap(), vec![0; 2 * CHUNK]);
}

#[test]
fn failures_are_told_in_json_too() {
    let appliance = Appliance::new();
    let output = appliance.run("a", &["--json", "install", "/no/such/file"]);
    assert_eq!(output.status.code(), Some(66));
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(report["status"], 66);
    assert!(
        report["error"]
            .as_str()
            .unwrap()
            .starts_with("/no/such/file: could not open")
    );
    let output = appliance.run("a", &["fly"]);
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_trial_ends_with_health_or_with_a_note() {
    let appliance = Appliance::new();
    let tried = State {
        tried: Some(Slot::B),
        b: Mark::New,
        ..State::fresh()
    };
    appliance.set(tried);
    let shown = text(&appliance.run("b", &["status"]).stdout);
    assert!(shown.contains("running, on trial"), "{shown}");
    assert!(appliance.run("b", &["status", "--tried"]).status.success());
    assert_eq!(appliance.run("a", &["status", "--tried"]).status.code(), Some(1));
    assert!(appliance.run("b", &["note"]).stdout.is_empty());
    let refused = appliance.run("b", &["install", name(&appliance.update(Some(7)))]);
    assert_eq!(refused.status.code(), Some(71), "{}", text(&refused.stderr));
    assert!(appliance.run("b", &["healthy", "--force"]).status.success());
    let state = appliance.state();
    assert_eq!((state.boot, state.tried, state.b), (Slot::B, None, Mark::Good));
    assert!(appliance.run("b", &["rollback"]).status.success());
    assert_eq!(appliance.state().once, Some(Slot::A));

    appliance.set(tried);
    let noted = appliance.run("a", &["note"]);
    assert!(
        text(&noted.stdout).starts_with("slot b was booted and did not become healthy"),
        "{}",
        text(&noted.stdout)
    );
    assert_eq!((appliance.state().b, appliance.state().tried), (Mark::Bad, None));
    assert!(appliance.run("a", &["note"]).stdout.is_empty());
    assert_eq!(appliance.run("a", &["rollback"]).status.code(), Some(71));
}

#[test]
fn two_do_not_change_the_slots_at_once() {
    let appliance = Appliance::new();
    let bytes = fs::read(appliance.update(Some(7))).unwrap();
    let mut command = appliance.command("a");
    command.args(["install", "-"]);
    let mut waiting = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = waiting.stdin.take().unwrap();
    pipe.write_all(&bytes[..bytes.len() - 1]).unwrap();
    let refused = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let output = appliance.run("a", &["healthy", "--force"]);
        (!output.status.success()).then_some(output)
    });
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    let refused = refused.expect("the lock is never held");
    assert_eq!(refused.status.code(), Some(71));
    assert!(
        text(&refused.stderr).contains("another ng-update is at work"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn what_a_file_is_for_is_shown() {
    let appliance = Appliance::new();
    let shown = text(&appliance.run("a", &["show", name(&appliance.update(Some(7)))]).stdout);
    assert!(
        shown.starts_with("appliance  box\nrelease    14.3\n") && shown.ends_with("\ntrusted here\n"),
        "{shown}"
    );
    let report = json(&appliance.run("a", &["show", "--json", name(&appliance.update(None))]));
    assert_eq!((&report["trusted"], &report["key"]), (&false.into(), &Value::Null));
}

#[test]
fn a_check_of_a_disk_that_answers_is_quick_and_fine() {
    let appliance = Appliance::new();
    let output = appliance.run("a", &["check", "--quick", "--json"]);
    assert!(output.status.success());
    assert_eq!(json(&output)["healthy"], true);
    fs::remove_file(appliance.path("dev/gpt/box-state")).unwrap();
    assert_eq!(appliance.run("a", &["check", "--quick"]).status.code(), Some(66));
}
