//! The operations.

use std::sync::Mutex;

use hostkern::faults::{self, Site};
use hostkern::netgraph::capture;
use hostkern::{Errno, Kernel, Socket, Subject, module};
use models::wire::{address, connect, message, mkpeer, name, nodeinfo, own, rmhook, shutdown};
use models::world::{self, DONTWAIT, control, data, drain, joined, named, nodes_of, put, tell, tell_with};
use ng_socket::messages::{Policy, command};

use crate::{Operation, turn};

/// Tests of one operation each: what it is done to, and what is done.
macro_rules! operations {
    ($($(#[$doc:meta])* $test:ident: $prepare:expr, $run:expr;)*) => {
        $($(#[$doc])* #[test]
        fn $test() {
            Operation { prepare: $prepare, run: $run }.each();
        })*
    };
}

/// A node with a data socket, connected to another such node by hooks `x` and `y`.
struct Pair {
    near: Socket,
    near_data: Socket,
    far: Socket,
    far_data: Socket,
}

fn pair(_: &Kernel) -> Pair {
    let (near, far) = (named("a"), named("b"));
    let (near_data, far_data) = (joined("a:"), joined("b:"));
    tell(&near, ".:", &connect("b:", "x", "y")).expect("two hooks");
    Pair {
        near,
        near_data,
        far,
        far_data,
    }
}

/// Asks, and takes the answer.
fn ask(socket: &Socket, path: &str, question: &[u8]) -> Result<(), Errno> {
    tell(socket, path, question)?;
    assert_eq!(drain(socket), 1, "an answer to what was sent without an error");
    Ok(())
}

/// A policy that accepts everything.
fn policy() -> Vec<u8> {
    vec![0; Policy::LENGTH]
}

operations! {
    open_control: |_| (), |_, ()| world::try_control();
    open_data: |_| (), |_, ()| world::try_data();
    bind: |_| control(), |_, socket| socket.bind(&address("a"));
    getsockname: |_| named("a"), |_, socket| socket.name();
    connect_data: |_| (named("a"), data()), |_, (_, socket)| socket.connect(&address("a:"));
    rename: |_| control(), |_, socket| tell(socket, ".:", &name("b"));
    make_a_peer: |_| named("a"), |_, socket| tell(socket, ".:", &mkpeer("capture", "out", "in"));
    connect_hooks: |_| (named("a"), named("b")), |_, (socket, _)| tell(socket, ".:", &connect("b:", "x", "y"));
    remove_a_hook: pair, |_, pair| match tell(&pair.near, ".:", &rmhook("x")) {
        // The try before this one removed it, although its answer was lost.
        Err(errno) if errno == Errno::ENOENT => Ok(()),
        result => result,
    };
    send_control: pair, |_, pair| {
        tell(&pair.near, "b:", &message(4711, 1, b"hello"))?;
        assert_eq!(drain(&pair.far), 1, "what was sent without an error arrives");
        Ok(())
    };
    send_control_without_waiting: pair, |_, pair| {
        tell_with(&pair.near, "b:", &message(4711, 1, b"hello"), DONTWAIT)?;
        assert_eq!(drain(&pair.far), 1, "what was sent without an error arrives");
        Ok(())
    };
    receive_an_answer: |_| control(), |_, socket| ask(socket, ".:", &nodeinfo());
    send_data_by_name: pair, |_, pair| {
        put(&pair.near_data, Some("x"))?;
        assert_eq!(drain(&pair.far_data), 1, "what was sent without an error arrives");
        Ok(())
    };
    send_data_out_of_the_only_hook: pair, |_, pair| {
        put(&pair.far_data, None)?;
        assert_eq!(drain(&pair.near_data), 1, "what was sent without an error arrives");
        Ok(())
    };
    deliver_data: |_| {
        let owner = named("a");
        tell(&owner, ".:", &mkpeer("capture", "out", "in")).expect("a peer");
        (owner, joined("a:"))
    }, |_, (_, socket)| {
        capture::inject(nodes_of("capture")[0], "in", b"packet", capture::Header::Packet)?;
        assert_eq!(drain(socket), 1, "what was sent without an error arrives");
        Ok(())
    };
    set_events: |_| control(), |_, socket| tell(socket, ".:", &own(command::SET_EVENTS, &1_u32.to_le_bytes()));
    get_events: |_| control(), |_, socket| ask(socket, ".:", &own(command::GET_EVENTS, &[]));
    events: |_| {
        let socket = named("a");
        tell(&socket, ".:", &own(command::SET_EVENTS, &1_u32.to_le_bytes())).expect("events");
        socket
    }, |_, socket| tell(socket, ".:", &mkpeer("capture", "out", "in"));
    set_policy: |_| control(), |_, socket| tell(socket, ".:", &own(command::SET_HOOK_POLICY, &policy()));
    get_policy: |_| control(), |_, socket| ask(socket, ".:", &own(command::GET_HOOK_POLICY, &[]));
    statistics: |_| control(), |_, socket| ask(socket, ".:", &own(command::GETCLR_STATS, &[]));
    shut_down: pair, |_, pair| tell(&pair.near, ".:", &shutdown());
    close: |kernel| Mutex::new(Some(pair(kernel))), |_, pair| {
        *pair.lock().expect("nobody panics") = None;
        Ok(())
    };
    load: |kernel| kernel.unload(kernel.subject().expect("the module")).expect("nobody uses it"),
        |kernel, ()| kernel.load(&Subject::Native).map_err(|_| Errno::ENOMEM);
    unload: |kernel| kernel.subject().expect("the module"), |_, file| module::unload(*file);
}

/// Socket buffers that are full: the sender is told, and nothing is lost without a trace.
#[test]
fn a_full_buffer_is_told() {
    let _turn = turn();
    let kernel = world::boot(true);
    let pair = pair(&kernel);
    faults::arm(Site::SocketBuffer, 1, false);
    assert_eq!(put(&pair.near_data, Some("x")), Err(Errno::ENOBUFS));
    assert!(faults::disarm());
    assert_eq!(put(&pair.near_data, Some("x")), Ok(()));
    faults::arm(Site::SocketBuffer, 1, false);
    assert_eq!(
        tell(&pair.near, ".:", &nodeinfo()),
        Err(Errno::ENOBUFS),
        "the answer did not fit"
    );
    assert!(faults::disarm());
    assert_eq!(drain(&pair.near), 0, "the answer did not come after all");
    assert_eq!(ask(&pair.near, ".:", &nodeinfo()), Ok(()));
    drop(pair);
}

/// A signal while the sender waits; the message is applied all the same.
#[test]
fn an_interrupted_sender_is_told() {
    let _turn = turn();
    let kernel = world::boot(true);
    let pair = pair(&kernel);
    let held = hostkern::netgraph::hold("b").expect("the node");
    faults::arm(Site::Sleep, 1, true);
    assert_eq!(tell(&pair.near, "b:", &nodeinfo()), Err(Errno::EINTR));
    assert!(faults::disarm());
    drop(held);
    kernel.settle();
    assert_eq!(drain(&pair.near), 1, "the answer comes later");
    drop(pair);
}

/// netgraph refuses the type: the load leaves nothing behind, and the next one works.
#[test]
fn a_load_that_is_refused_leaves_nothing() {
    let _turn = turn();
    let kernel = world::boot(true);
    kernel
        .unload(kernel.subject().expect("the module"))
        .expect("nobody uses it");
    faults::arm(Site::NewType, 1, false);
    assert!(kernel.load(&Subject::Native).is_err());
    assert!(faults::disarm());
    assert!(world::try_control().is_err(), "there is no such protocol");
    kernel.load(&Subject::Native).expect("the module loads");
    drop(control());
}
