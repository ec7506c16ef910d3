//! Interfaces, on a wire of the test's own.

use kpi::Errno;

use super::data::frame;
use super::*;
use crate::netgraph::capture::{Header, inject, received};
use crate::netgraph::errors::{EADDRINUSE, EISCONN, ENETDOWN, ENOENT};
use crate::netgraph::ether::{Interface, Wire, attach};
use crate::netgraph::{hold, settle, snapshot};

/// What became of the hardware.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hardware {
    sent: Vec<Vec<u8>>,
    address: [u8; 6],
    promiscuous: bool,
    groups: Vec<[u8; 6]>,
    down: bool,
}

#[derive(Default)]
struct FakeWire(Mutex<Hardware>);

impl Wire for FakeWire {
    fn transmit(&self, frame: &[u8]) -> core::result::Result<(), Errno> {
        let mut hardware = lock(&self.0);
        if hardware.down {
            return Errno::check(ENETDOWN);
        }
        hardware.sent.push(frame.to_vec());
        Ok(())
    }

    fn index(&self) -> u32 {
        7
    }

    fn address(&self) -> core::result::Result<[u8; 6], Errno> {
        Ok(lock(&self.0).address)
    }

    fn set_address(&self, address: [u8; 6]) -> core::result::Result<(), Errno> {
        lock(&self.0).address = address;
        Ok(())
    }

    fn set_promiscuous(&self, on: bool) -> core::result::Result<(), Errno> {
        lock(&self.0).promiscuous = on;
        Ok(())
    }

    fn join(&self, group: [u8; 6]) -> core::result::Result<(), Errno> {
        lock(&self.0).groups.push(group);
        Ok(())
    }

    fn leave(&self, group: [u8; 6]) -> core::result::Result<(), Errno> {
        lock(&self.0).groups.retain(|known| *known != group);
        Ok(())
    }
}

impl FakeWire {
    fn sent(&self) -> Vec<Vec<u8>> {
        settle();
        core::mem::take(&mut lock(&self.0).sent)
    }
}

/// A kernel with an interface `em0`, and a mailbox to ask from.
struct Stage {
    interface: Interface,
    from: NodeRef,
    wire: Arc<FakeWire>,
    // The last to go, also in a test that fails.
    kernel: Kernel,
}

impl Stage {
    fn new() -> Self {
        let kernel = Kernel::boot();
        let wire = Arc::new(FakeWire::default());
        let interface = attach("em0", wire.clone()).expect("the name is free");
        let from = make("mailbox");
        Self {
            interface,
            from,
            wire,
            kernel,
        }
    }

    /// Connects a capture, named after the hook, to a hook of the interface.
    fn capture(&self, hook: &str) -> c_int {
        match super::data::peer_of(&self.from, "em0:", "capture", hook, "port") {
            0 => generic(&self.from, &format!("em0:{hook}"), commands::NAME, &field(hook, 32)),
            error => error,
        }
    }

    fn told(&self, name: &str, text: &str) -> core::result::Result<String, c_int> {
        ask(&self.from, "em0:", name, text)
    }

    /// Detaches the interface; nothing must be left.
    fn end(self) {
        drop(self.interface);
        dispose(self.from);
        assert_eq!(snapshot(), []);
        assert_eq!(Arc::strong_count(&self.wire), 1);
        assert_eq!(self.kernel.halt(), Vec::<String>::new());
    }
}

fn count(name: &str) -> usize {
    settle();
    received(name).expect("the node is there").len()
}

fn send_out(name: &str, bytes: &[u8]) -> core::result::Result<(), c_int> {
    inject(name, "port", bytes, Header::Packet).map_err(|error| error.get())
}

#[test]
fn what_comes_from_the_wire_goes_to_lower_else_to_orphans() {
    let stage = Stage::new();
    stage.interface.deliver(&frame(1, 2));
    assert_eq!(stage.capture("orphans"), 0);
    stage.interface.deliver(&frame(1, 2));
    stage.interface.deliver(b"short");
    assert_eq!(count("orphans"), 1);
    assert_eq!(stage.capture("lower"), 0);
    stage.interface.deliver(&frame(1, 3));
    assert_eq!((count("orphans"), count("lower")), (1, 1));
    assert_eq!(received("lower"), Ok(vec![("port".to_owned(), frame(1, 3))]));
    stage.end();
}

#[test]
fn what_is_sent_goes_out_by_the_wire() {
    let stage = Stage::new();
    for hook in ["lower", "orphans"] {
        assert_eq!(stage.capture(hook), 0);
        assert_eq!(send_out(hook, &frame(1, 2)), Ok(()));
        assert_eq!(stage.wire.sent(), [frame(1, 2)]);
        assert_eq!(send_out(hook, b"13 bytes long"), Err(EINVAL));
    }
    assert_eq!(stage.told("setautosrc", "1"), Ok(String::new()));
    assert_eq!(send_out("lower", &frame(1, 2)), Ok(()));
    assert_eq!(stage.wire.sent()[0][6..12], [0; 6]);
    lock(&stage.wire.0).down = true;
    assert_eq!(send_out("lower", &frame(1, 2)), Err(ENETDOWN));
    stage.end();
}

#[test]
fn what_is_for_the_host_is_an_orphan() {
    let stage = Stage::new();
    assert_eq!(stage.capture("upper"), 0);
    assert_eq!(send_out("upper", &frame(1, 2)), Ok(()));
    assert_eq!(stage.capture("orphans"), 0);
    assert_eq!(send_out("upper", &frame(1, 2)), Ok(()));
    assert_eq!(count("orphans"), 1);
    assert_eq!(send_out("upper", b"short"), Err(EINVAL));
    stage.interface.deliver(&frame(1, 2));
    assert_eq!((count("upper"), count("orphans")), (0, 2));
    assert_eq!(stage.wire.sent(), Vec::<Vec<u8>>::new());
    stage.end();
}

#[test]
fn an_interface_answers_in_words() {
    let stage = Stage::new();
    let nothing = || Ok(String::new());
    let rows = [
        ("getifname", "", Ok(r#""em0""#.to_owned())),
        ("getifindex", "", Ok("7".to_owned())),
        ("getenaddr", "", Ok("00:00:00:00:00:00".to_owned())),
        ("setenaddr", "02:00:00:00:00:0a", nothing()),
        ("getenaddr", "", Ok("02:00:00:00:00:0a".to_owned())),
        ("getpromisc", "", Ok("0".to_owned())),
        ("setpromisc", "5", nothing()),
        ("getpromisc", "", Ok("1".to_owned())),
        ("getautosrc", "", Ok("0".to_owned())),
        ("setautosrc", "1", nothing()),
        ("getautosrc", "", Ok("1".to_owned())),
        ("addmulti", "03:00:00:00:00:01", nothing()),
        ("addmulti", "03:00:00:00:00:01", Err(EADDRINUSE)),
        ("addmulti", "02:00:00:00:00:01", Err(EINVAL)),
        ("delmulti", "03:00:00:00:00:02", Err(ENOENT)),
        ("delmulti", "03:00:00:00:00:01", nothing()),
        ("addmulti", "03:00:00:00:00:03", nothing()),
        ("setpromisc", "", Err(EINVAL)),
    ];
    for (name, text, expected) in rows {
        assert_eq!(stage.told(name, text), expected, "{name} {text}");
    }
    assert_eq!(lock(&stage.wire.0).groups, [[3, 0, 0, 0, 0, 3]]);
    let wire = stage.wire.clone();
    assert!(lock(&wire.0).promiscuous);
    drop(stage.interface);
    let hardware = core::mem::take(&mut *lock(&wire.0));
    assert_eq!((hardware.promiscuous, hardware.groups), (false, vec![]));
    dispose(stage.from);
}

#[test]
fn hooks_are_the_known_ones_and_divert_is_lower() {
    let stage = Stage::new();
    assert_eq!(stage.capture("nosuch"), EINVAL);
    assert_eq!(
        super::data::peer_of(&stage.from, "em0:", "capture", "divert", "port"),
        0
    );
    let hooks: Vec<String> = snapshot()[0].hooks.iter().map(|hook| hook.name.clone()).collect();
    assert_eq!(hooks, ["lower"]);
    assert_eq!(
        super::data::peer_of(&stage.from, "em0:", "capture", "divert", "port"),
        EISCONN
    );
    stage.end();
}

#[test]
fn nobody_else_makes_one() {
    let stage = Stage::new();
    assert_eq!(make_peer(&stage.from, "ether", "out", "lower"), EINVAL);
    assert_eq!(super::super::unload_type("ether"), Err(Errno::EBUSY));
    stage.end();
}

#[test]
fn a_shutdown_takes_the_hooks_only() {
    let stage = Stage::new();
    assert_eq!(stage.capture("lower"), 0);
    assert_eq!(stage.told("setpromisc", "1"), Ok(String::new()));
    let id = snapshot()[0].id;
    shut_down(&stage.from, "em0:");
    let node = &snapshot()[0];
    assert_eq!(
        (node.id, node.name.as_str(), node.valid, node.hooks.len()),
        (id, "em0", true, 0)
    );
    assert!(!lock(&stage.wire.0).promiscuous);
    assert_eq!(snapshot().len(), 2, "the capture has gone");
    assert_eq!(stage.capture("lower"), 0);
    stage.interface.deliver(&frame(1, 2));
    assert_eq!(count("lower"), 1);
    stage.end();
}

#[test]
fn a_detached_node_goes_before_its_interface() {
    let stage = Stage::new();
    assert_eq!(stage.capture("lower"), 0);
    assert_eq!(stage.told("detach", ""), Ok(String::new()));
    let nodes = snapshot();
    assert!(!nodes[0].valid && nodes[0].hooks.is_empty(), "{nodes:?}");
    assert_eq!(stage.told("getifname", ""), Err(ENOENT));
    stage.interface.deliver(&frame(1, 2));
    stage.end();
}

#[test]
fn an_interface_waits_for_those_who_use_it() {
    let stage = Stage::new();
    assert_eq!(stage.capture("lower"), 0);
    let held = hold("em0").expect("it is there");
    assert_eq!(send_out("lower", &frame(1, 2)), Ok(()), "it waits");
    std::thread::scope(|scope| {
        let detached = scope.spawn(|| drop(stage.interface));
        std::thread::sleep(core::time::Duration::from_millis(20));
        assert!(!detached.is_finished());
        drop(held);
    });
    settle();
    dispose(stage.from);
    // The frame went out, or was thrown away with the node.
    assert!(stage.wire.sent().len() <= 1);
    assert_eq!(snapshot(), []);
    assert_eq!(stage.kernel.halt(), Vec::<String>::new());
}

#[test]
fn names_are_made_fit_or_refused() {
    let stage = Stage::new();
    let wire = || Arc::new(FakeWire::default());
    let vlan = attach("em0.5:1", wire()).expect("the name is made fit");
    assert_eq!(
        ask(&stage.from, "em0_5_1:", "getifname", ""),
        Ok(r#""em0.5:1""#.to_owned())
    );
    drop(vlan);
    assert_eq!(attach("em0", wire()).err(), Some(Errno::EADDRINUSE));
    for bad in ["", "[1f]", "a\0b", &"x".repeat(32)] {
        assert_eq!(attach(bad, wire()).err(), Some(Errno::EINVAL), "{bad:?}");
    }
    stage.end();
}

#[test]
fn frames_without_memory_are_lost() {
    use crate::faults::{Site, arm, disarm};
    let stage = Stage::new();
    assert_eq!(stage.capture("lower"), 0);
    for nth in 1.. {
        arm(Site::Zone(None), nth, false);
        stage.interface.deliver(&frame(1, 2));
        settle();
        if !disarm() {
            break;
        }
    }
    assert_eq!(count("lower"), 1);
    stage.end();
}
