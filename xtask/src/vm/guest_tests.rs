//! Guests that misbehave, each in a real QEMU.

use super::*;
use crate::vm::accel::Accelerator;
use crate::vm::disk::{Disk, Fate, Format};
use crate::vm::testrom::{Then, rom};
use crate::vm::{Nic, serial::Trouble};

/// A machine in `dir` with that firmware and an empty disk.
fn machine(dir: &Path, text: &str, then: Then) -> Machine {
    let firmware = dir.join("test.rom");
    std::fs::write(&firmware, rom(text, then)).expect("the ROM can be written");
    let disk = dir.join("empty.raw");
    std::fs::write(&disk, vec![0; 1 << 16]).expect("the disk can be written");
    Machine {
        qemu: preflight::need("qemu-system-x86_64").expect("QEMU is installed (scripts/setup does it)"),
        accelerator: Accelerator::Tcg,
        firmware,
        variables: None,
        disk: Disk {
            path: disk,
            format: Format::Raw,
            fate: Fate::ThrownAway,
        },
        memory: 64,
        cpus: 1,
        nics: vec![Nic::User { ssh_port: 0 }],
        console: Console::Log(dir.join("serial.log")),
        seed: None,
        control: dir.join("qmp"),
    }
}

fn start(dir: &Path, text: &str, then: Then, phase: Phase) -> Guest {
    let mut guest = Guest::start(&machine(dir, text, then), dir, Leash::Tight).unwrap();
    guest.boot(phase).unwrap();
    guest
}

/// Checks until the guest is found to have failed.
fn demise(guest: &mut Guest) -> Demise {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Err(demise) = guest.check() {
            return demise;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the guest never failed; its console: {:?}", guest.tail(20));
}

fn is_running(pid: u32) -> bool {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

#[test]
fn a_panic_is_seen_on_the_console_with_what_follows_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(
        dir.path(),
        "booting\r\npanic: out of coffee\r\ncpuid = 0\r\n",
        Then::Halt,
        Phase::Up,
    );
    let demise = demise(&mut guest);
    let Demise::Console(verdict) = &demise else {
        panic!("{demise}")
    };
    assert_eq!(verdict.kind, Trouble::Panic);
    assert_eq!(guest.tail(2), ["panic: out of coffee", "cpuid = 0"]);
}

#[test]
fn a_silent_guest_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(
        dir.path(),
        "last words\r\n",
        Then::Halt,
        Phase::Booting(Duration::from_millis(700)),
    );
    let demise = demise(&mut guest);
    assert!(matches!(demise, Demise::Silent(_)), "{demise}");
    assert_eq!(guest.tail(1), ["last words"]);
}

#[test]
fn a_guest_that_is_up_may_be_silent_and_one_that_talks_may_boot_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(dir.path(), "login: ", Then::Halt, Phase::Up);
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        guest.check().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(dir.path(), ".", Then::Repeat, Phase::Booting(Duration::from_secs(2)));
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        guest.check().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_reset_ends_the_machine_and_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(dir.path(), "rebooting\r\n", Then::Reset, Phase::Up);
    let demise = demise(&mut guest);
    assert!(demise.to_string().contains("powered off or reset"), "{demise}");
}

#[test]
fn a_killed_qemu_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(dir.path(), "up\r\n", Then::Halt, Phase::Up);
    guest.check().unwrap();
    kill_process(Pid::from_child(&guest.child), Signal::KILL).unwrap();
    let demise = demise(&mut guest);
    assert!(demise.to_string().contains("signal: 9"), "{demise}");
}

#[test]
fn nothing_runs_on_after_a_guest_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let guest = start(dir.path(), ".", Then::Repeat, Phase::Up);
    let pid = guest.pid();
    assert!(is_running(pid));
    drop(guest);
    assert!(!is_running(pid));
}

#[test]
fn the_forwarded_port_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = start(dir.path(), "up\r\n", Then::Halt, Phase::Up);
    assert_ne!(guest.ssh_port().unwrap(), 0);
}

#[test]
fn a_port_that_is_taken_is_reported_in_qemu_s_words() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut machine = machine(dir.path(), "", Then::Halt);
    machine.nics = vec![Nic::User {
        ssh_port: taken.local_addr().unwrap().port(),
    }];
    let error = Guest::start(&machine, dir.path(), Leash::Tight)
        .unwrap_err()
        .to_string();
    assert!(error.contains("host forwarding"), "{error}");
}

#[test]
fn a_damaged_image_is_reported_in_qemu_s_words() {
    let dir = tempfile::tempdir().unwrap();
    let mut machine = machine(dir.path(), "", Then::Halt);
    std::fs::write(&machine.disk.path, b"QFI\xfb truncated").unwrap();
    machine.disk.format = Format::Qcow2;
    let error = Guest::start(&machine, dir.path(), Leash::Tight)
        .unwrap_err()
        .to_string();
    assert!(error.contains("QEMU does not start"), "{error}");
    assert!(error.contains("qcow2"), "{error}");
}

#[test]
fn a_guest_that_is_kept_outlives_its_harness() {
    let dir = tempfile::tempdir().unwrap();
    let guest = Guest::start(&machine(dir.path(), ".", Then::Repeat), dir.path(), Leash::Loose).unwrap();
    let pid = guest.pid();
    guest.keep();
    assert!(is_running(pid));
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}
