//! The runner against a real SSH server on this machine, with a stand-in for the guest's network cards.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use super::*;
use crate::ssh::testserver::{Server, Well};
use crate::vm::Nic;

fn suite(tests: &str) -> Vec<Suite> {
    vec![serde_yaml::from_str(&format!("about: a\ntests:\n{tests}")).unwrap()]
}

fn run_with(server: &Server, watch: &mut dyn Watch, ports: &[Port], tests: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut runner = Runner {
        login: &server.login(),
        watch,
        ports,
        base: Base::Freebsd,
        programs: &std::collections::BTreeMap::new(),
        connection: None,
        over: None,
    };
    runner.run(&suite(tests), &|_, _| true, &mut |record| records.push(record));
    records
}

fn run(tests: &str) -> Vec<Record> {
    run_with(&Server::start(), &mut Well, &[], tests)
}

fn words(records: &[Record]) -> Vec<&'static str> {
    records.iter().map(|record| record.outcome.word()).collect()
}

#[test]
fn expectations_decide() {
    let records = run("
  - {name: good, command: 'echo one; exit 3', status: 3, stdout: {equals: one}}
  - {name: bad, command: 'echo two >&2; false', stdout: {equals: one}, stderr: {matches: three}}
  - {name: elsewhere, on: hosted, command: 'true'}
  - name: several lines and quotes
    command: |
      for word in a 'b c'; do
          echo \"<$word>\"
      done
      cat
    stdout: {equals: \"<a>\\n<b c>\"}
");
    assert_eq!(words(&records), ["ok", "FAILED", "skipped", "ok"]);
    assert_eq!(records[2].outcome.reasons(), ["only on hosted; this is freebsd"]);
    assert_eq!(records[1].outcome.reasons().len(), 3);
    assert_eq!(records[1].outcome.reasons()[0], "exit status 1 instead of 0");
}

#[test]
fn a_test_that_hangs_costs_its_deadline_and_the_next_one_runs() {
    let start = Instant::now();
    let records = run("
  - {name: hangs, command: 'echo begun; sleep 60', timeout: 3}
  - {name: next, command: 'true'}
");
    assert_eq!(words(&records), ["FAILED", "ok"]);
    assert!(records[0].outcome.reasons()[0].contains("no answer within 3.0 s"));
    assert_eq!(records[0].stdout, "begun\n");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_flood_fails_its_test_and_no_other() {
    let records = run("
  - {name: flood, command: 'head -c 10485760 /dev/zero', timeout: 60}
  - {name: endless, command: 'yes', timeout: 1}
  - {name: next, command: 'true'}
");
    assert_eq!(words(&records), ["FAILED", "FAILED", "ok"]);
    assert_eq!(
        records[0].outcome.reasons(),
        ["stdout has 10485760 bytes; a test may print 1048576"]
    );
    assert!(records[1].stdout.len() <= 1 << 20);
}

/// A guest that dies as soon as it is asked for the n-th time.
struct Dies(u32);

impl Watch for Dies {
    fn check(&mut self) -> Result<(), Demise> {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 {
            return Err(Demise::Silent(Duration::from_secs(1)));
        }
        Ok(())
    }

    fn console(&self, _mark: u64) -> Vec<String> {
        Vec::new()
    }

    fn mark(&self) -> u64 {
        0
    }
}

#[test]
fn a_guest_that_dies_in_a_test_ends_the_run_at_once() {
    let start = Instant::now();
    let tests = "
  - {name: dies, command: 'sleep 60', timeout: 60}
  - {name: never, command: 'true'}
";
    let records = run_with(&Server::start(), &mut Dies(15), &[], tests);
    assert_eq!(words(&records), ["FAILED", "not run"]);
    assert!(records[1].outcome.reasons()[0].contains("the guest failed"));
    assert!(start.elapsed() < Duration::from_secs(15));
}

/// A guest that is dead once this file is there.
struct DeadWith(PathBuf);

impl Watch for DeadWith {
    fn check(&mut self) -> Result<(), Demise> {
        match self.0.exists() {
            true => Err(Demise::Silent(Duration::from_secs(1))),
            false => Ok(()),
        }
    }

    fn console(&self, _mark: u64) -> Vec<String> {
        Vec::new()
    }

    fn mark(&self) -> u64 {
        0
    }
}

#[test]
fn a_guest_whose_connection_breaks_first_still_ends_the_run_in_that_test() {
    let dir = tempfile::tempdir().unwrap();
    let sign = dir.path().join("dead");
    let tests = format!(
        "
  - name: dies
    command: |
      exec >/dev/null 2>&1
      kill -9 $(ps -o ppid= -p $PPID)
      sleep 0.5
      touch {}
  - {{name: never, command: 'true'}}
",
        sign.display()
    );
    let records = run_with(&Server::start(), &mut DeadWith(sign), &[], &tests);
    assert_eq!(words(&records), ["FAILED", "not run"]);
    assert!(records[0].outcome.reasons()[0].contains("has written nothing"));
}

#[test]
fn the_console_is_waited_for() {
    let records = run("
  - {name: shown, command: 'true', serial: {matches: a line on}}
  - {name: not shown, command: 'true', serial: {matches: another}, timeout: 1}
");
    assert_eq!(words(&records), ["ok", "FAILED"]);
}

/// Joins cards 2 and 3 as a bridge would, except that frames to the address 02:…:99 stay where they are.
fn fake_bridge(dir: &std::path::Path) -> Vec<Port> {
    let (ports, nics): (Vec<_>, Vec<_>) = [2, 3].map(|nic| Port::open(nic, dir).unwrap()).into_iter().unzip();
    let ends: Vec<(UnixDatagram, PathBuf)> = nics
        .into_iter()
        .map(|nic| match nic {
            Nic::Frames { qemu, harness } => (UnixDatagram::bind(qemu).unwrap(), harness),
            other => panic!("{other:?}"),
        })
        .collect();
    for (from, to) in [(0, 1), (1, 0)] {
        let (source, target) = (ends[from].0.try_clone().unwrap(), ends[to].0.try_clone().unwrap());
        let path = ends[to].1.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok(count) = source.recv(&mut buffer) {
                if buffer[5] != 0x99 && target.send_to(&buffer[..count], &path).is_err() {
                    return;
                }
            }
        });
    }
    ports
}

#[test]
fn frames_are_followed_through_the_guest() {
    let dir = tempfile::tempdir().unwrap();
    let ports = fake_bridge(dir.path());
    let tests = "
  - name: goes through and stays
    frames:
      - frame: {to: '02:00:00:00:00:99', from: '02:00:00:00:00:01', type: 0x88b5, payload: stays}
        into: 2
        avoids: [3]
      - frame: {to: broadcast, from: '02:00:00:00:00:01', type: 0x88b5, payload: through}
        into: 2
        leaves: [3]
  - name: never comes
    timeout: 1
    frames:
      - frame: {to: '02:00:00:00:00:99', from: '02:00:00:00:00:01', type: 0x88b5}
        into: 2
        leaves: [3]
  - name: comes though it must not
    frames:
      - frame: {to: broadcast, from: '02:00:00:00:00:02', type: 0x88b5}
        into: 3
        avoids: [2]
      - frame: {to: broadcast, from: '02:00:00:00:00:03', type: 0x88b5}
        into: 3
        leaves: [2]
  - name: with a command
    command: sleep 1
    frames:
      - frame: {to: broadcast, from: '02:00:00:00:00:02', type: 0x88b5, payload: again}
        into: 3
        leaves: [2]
  - name: no such card
    frames:
      - frame: {to: broadcast, from: '02:00:00:00:00:02', type: 0x88b5}
        into: 4
        leaves: [2]
";
    let records = run_with(&Server::start(), &mut Well, &ports, tests);
    assert_eq!(words(&records), ["ok", "FAILED", "FAILED", "ok", "FAILED"]);
    assert!(records[1].outcome.reasons()[0].contains("did not leave network card 3"));
    assert!(records[2].outcome.reasons()[0].contains("left network card 2, which it must not"));
    assert!(records[4].outcome.reasons()[0].contains("no network card 4"));
}
