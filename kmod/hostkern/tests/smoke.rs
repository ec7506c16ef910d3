//! The module and the kernel around it, from socket(2) to a packet at a hook and back.

use std::time::Duration;

use hostkern::netgraph::{self, capture};
use hostkern::{Config, Errno, Kernel, Process, Socket, Subject};
use kpi::raw::ng_message::{NG_VERSION, NGM_GENERIC_COOKIE, NGM_MKPEER};

const PF_NETGRAPH: i32 = 32;
const SOCK_DGRAM: i32 = 2;
const NG_DATA: i32 = 1;
const NG_CONTROL: i32 = 2;
const NGM_NODEINFO: u32 = 6 | 0x3000_0000;

fn boot() -> Kernel {
    let config = Config {
        subject: Subject::Native,
        guard_pages: true,
        check_leaks: true,
    };
    Kernel::boot(config).expect("the native module loads")
}

fn control() -> Socket {
    Process::ROOT
        .socket(PF_NETGRAPH, SOCK_DGRAM, NG_CONTROL)
        .expect("root may have a control socket")
}

fn data() -> Socket {
    Process::ROOT
        .socket(PF_NETGRAPH, SOCK_DGRAM, NG_DATA)
        .expect("root may have a data socket")
}

/// A `sockaddr_ng` with a path, a name or a hook.
fn address(text: &str) -> Vec<u8> {
    let mut address = vec![0, 32];
    address.extend_from_slice(text.as_bytes());
    address.push(0);
    address
}

/// A generic message with token 7.
fn message(command: u32, arguments: &[u8]) -> Vec<u8> {
    let mut message = vec![NG_VERSION, 0, 0, 0];
    // arglen, cmd, flags, token, typecookie
    let words = [arguments.len() as u32, command, 0, 7, NGM_GENERIC_COOKIE];
    message.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    // cmdstr
    message.resize(56, 0);
    message.extend_from_slice(arguments);
    message
}

/// Names in fields of 32 bytes each.
fn names(names: &[&str]) -> Vec<u8> {
    let field = |name: &&str| {
        let mut field = name.as_bytes().to_vec();
        field.resize(32, 0);
        field
    };
    names.iter().flat_map(field).collect()
}

/// The ID of the only node of a type.
fn node_of_type(kind: &str) -> u32 {
    let nodes = netgraph::snapshot();
    let found = nodes.iter().find(|node| node.kind == kind);
    found.expect("a node of this type").id
}

fn mkpeer(socket: &Socket, kind: &str, ours: &str, theirs: &str) -> Result<usize, Errno> {
    let message = message(NGM_MKPEER, &names(&[kind, ours, theirs]));
    socket.send(&message, 0, Some(&address(".:")), None)
}

#[test]
fn a_message_makes_a_round_trip() {
    let kernel = boot();
    let socket = control();
    socket.bind(&address("smoke")).expect("the name is free");
    assert_eq!(&socket.name().expect("a name")[2..8], b"smoke\0");
    mkpeer(&socket, "hub", "left", "port").expect("a hub");
    let asked = message(NGM_NODEINFO, &[]);
    assert_eq!(socket.send(&asked, 0, Some(&address(".:left")), None), Ok(56));
    let mut buffer = [0; 512];
    let answer = socket.receive(&mut buffer, 0).expect("an answer");
    assert!(answer.length >= 56 + 64, "{answer:?}");
    assert_eq!(&buffer[16..20], &7_u32.to_le_bytes(), "the token comes back");
    // struct nodeinfo: the name, the type.
    assert_eq!(&buffer[56 + 32..56 + 36], b"hub\0");
    assert!(
        answer.from.starts_with(&[answer.from.len() as u8, 32, b'[']),
        "{:?}",
        answer.from
    );
    drop(socket);
    drop(kernel);
}

#[test]
fn packets_go_through_a_hook_both_ways() {
    let kernel = boot();
    let socket = control();
    socket.bind(&address("smoke")).expect("the name is free");
    mkpeer(&socket, "capture", "out", "in").expect("a capture node");
    let packets = data();
    packets.connect(&address("smoke:")).expect("the node is there");
    assert_eq!(packets.send(b"to the hook", 0, Some(&address("out")), None), Ok(11));
    kernel.settle();
    let node = node_of_type("capture");
    let received = capture::received(node).expect("the node");
    assert_eq!(received, [("in".to_owned(), b"to the hook".to_vec())]);
    capture::inject(node, "in", b"and back", capture::Header::Packet).expect("a packet");
    assert_eq!(packets.poll(1, Some(Duration::from_secs(10))), Ok(1));
    let mut buffer = [0; 64];
    let received = packets.receive(&mut buffer, 0).expect("the packet");
    assert_eq!(&buffer[..received.length], b"and back");
    assert_eq!(&received.from[2..6], b"out\0");
    drop((packets, socket));
    drop(kernel);
}

#[test]
fn a_kernel_boots_again_after_another() {
    for round in 0..3 {
        let kernel = boot();
        assert_eq!(
            Process::ROOT.read_sysctl("net.graph.maxdgram"),
            Ok(20480_u64.to_le_bytes().to_vec()),
            "{round}"
        );
        Process::ROOT
            .write_sysctl("net.graph.maxdgram", &4096_u64.to_le_bytes())
            .expect("root sets the limit");
        let socket = control();
        assert_eq!(socket.option(0x1001), Ok(4096));
        drop(socket);
        drop(kernel);
    }
}

#[test]
fn users_without_privileges_get_nothing() {
    let kernel = boot();
    for protocol in [NG_DATA, NG_CONTROL] {
        let refused = Process::USER.socket(PF_NETGRAPH, SOCK_DGRAM, protocol);
        assert_eq!(refused.err().map(|errno| errno.get()), Some(1), "EPERM");
    }
    let write = Process::USER.write_sysctl("net.graph.maxdgram", &1_u64.to_le_bytes());
    assert_eq!(write.map_err(|errno| errno.get()), Err(1));
    drop(kernel);
}

#[test]
fn node_types_are_loaded_when_they_are_needed() {
    let kernel = boot();
    let socket = control();
    let errno = |kind| mkpeer(&socket, kind, "a", "b").map_err(|errno| errno.get());
    hostkern::module::provide_hollow("ng_hollow");
    assert_eq!(errno("nonesuch"), Err(2), "ENOENT");
    assert_eq!(errno("hollow"), Err(6), "ENXIO: the module has no such type");
    assert!(errno("hole").is_ok());
    drop(socket);
    drop(kernel);
}

#[test]
fn the_module_goes_when_nobody_uses_it() {
    let kernel = boot();
    let file = kernel.subject().expect("the module");
    let socket = control();
    assert_eq!(kernel.unload(file).map_err(|errno| errno.get()), Err(16), "EBUSY");
    drop(socket);
    kernel.settle();
    assert_eq!(kernel.unload(file), Ok(()));
    let gone = Process::ROOT.socket(PF_NETGRAPH, SOCK_DGRAM, NG_CONTROL);
    assert_eq!(gone.err().map(|errno| errno.get()), Some(47), "EAFNOSUPPORT");
    kernel.load(&Subject::Native).expect("it loads again");
    drop(control());
    drop(kernel);
}

#[test]
fn what_goes_through_is_counted() {
    let kernel = boot();
    let count = |name: &str| {
        let value = Process::ROOT.read_sysctl(name).expect("a counter");
        u64::from_le_bytes(value.try_into().expect("64 bits"))
    };
    let before = count("net.graph.socket.control_in");
    let socket = control();
    // From two threads: each counts by itself.
    let other = socket.clone();
    let thread = std::thread::spawn(move || other.send(&message(NGM_NODEINFO, &[]), 0, Some(&address(".:")), None));
    assert_eq!(thread.join().expect("no panic"), Ok(56));
    assert_eq!(
        socket.send(&message(NGM_NODEINFO, &[]), 0, Some(&address(".:")), None),
        Ok(56)
    );
    assert_eq!(count("net.graph.socket.control_in"), before + 2);
    drop(socket);
    drop(kernel);
}
