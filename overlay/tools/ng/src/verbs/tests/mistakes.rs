//! What a new user does wrong, and what is said to it.

use std::io;
use std::time::Instant;

use netgraph::fake::Fake;
use netgraph::{Endpoint, Errno, Protocol, Received, Transport};

use super::{failure_of, run, tapped};
use crate::cli::Command;
use crate::failure::Failure;
use crate::host::FreeBsd;
use crate::program::Program;
use crate::script;
use crate::session::{Session, Setup};
use crate::state::State;
use crate::table::Style;
use crate::trace::Level;

/// Command, and what is said to it in order.
const MISTAKES: &[(&str, &[&str])] = &[
    // Paths.
    (
        "show tpa:",
        &[
            "there is no such node or hook (ENOENT)",
            "there is no node `tpa:`; did you mean `tap`?",
        ],
    ),
    (
        "show tap",
        &[
            "without a colon, `tap` is a hook of ng's own node",
            "the node (tee) is `tap:`",
        ],
    ),
    (
        "show tap:lef",
        &["node `tap:` (tee) has no hook `lef`; did you mean `left`?"],
    ),
    (
        "show tap:left.upper",
        &["node `em0:` (ether) has no hook `upper`; it has `lower`"],
    ),
    (
        "show em1:lower",
        &["node `em1:` (ether) has no hook `lower`; it has none at all"],
    ),
    (
        "show [99]:",
        &["there is no node with the ID [99]; `ng list` shows those that are"],
    ),
    (
        "show em0::lower",
        &["`em0::lower` is no address: it has more than one colon"],
    ),
    (
        "show em0:lower..left",
        &["`em0:lower..left` is no address: two dots follow each other"],
    ),
    (
        "show :lower",
        &["`:lower` is no address: there is no node name before the colon"],
    ),
    (
        "show em0.lower:",
        &["`em0.lower:` is no address: a dot stands before the colon"],
    ),
    // Types and hooks.
    (
        "mkpeer em1: hubb lower x",
        &[
            "there is no such node, or no module",
            "no type `hubb` is loaded",
            "did you mean `hub`?",
        ],
    ),
    (
        "mkpeer em1: netflow lower x",
        &["type `netflow` is not loaded, and its module ng_netflow was not found"],
    ),
    (
        "mkpeer em1: tee lower middle",
        &["type tee has no hook `middle`; its hooks are `left`, `right`, `left2right` and `right2left`"],
    ),
    (
        "mkpeer em1: tee lowr left",
        &["`em1:`: type ether has no hook `lowr`; did you mean `lower`?"],
    ),
    (
        "mkpeer em0: tee lower right",
        &[
            "a hook of that name is there already (EEXIST)",
            "hook `lower` of `em0:` leads to `tap:`, hook `left`",
        ],
    ),
    (
        "mkpeer em1: socket lower x",
        &["nodes of type socket come from socket(2) only"],
    ),
    (
        "mkpeer em1: ether lower lower",
        &["nodes of type ether come with network interfaces only"],
    ),
    (
        "mkpeer hub x",
        &[
            "2 arguments make no `mkpeer`",
            "usage: mkpeer [PATH] TYPE HOOK PEERHOOK",
        ],
    ),
    ("connect em1: tpa: lower right", &["did you mean `tap`?"]),
    (
        "connect em1: tap: lower left",
        &["hook `left` of `tap:` leads to `em0:`, hook `lower`"],
    ),
    (
        "connect em1: tap: lower middle",
        &["`tap:`: type tee has no hook `middle`"],
    ),
    (
        "connect em1: em1: lower lower",
        &["a link has two hooks, and both ends are `lower` of `em1:`"],
    ),
    (
        "connect em1: [2]: lower lower",
        &["both ends are hook `lower` of `em1:`; a link has two hooks"],
    ),
    // Names.
    (
        "name em1: tap",
        &[
            "another node has that name (EADDRINUSE)",
            "`tap:` is node [4], of type tee; give another name",
        ],
    ),
    (
        "name em1: a.b",
        &["the node name `a.b` contains '.', which a node name cannot"],
    ),
    (
        "name em1: b:",
        &["the node name `b:` contains ':', which a node name cannot"],
    ),
    ("name em1: [4]", &["the node name `[4]` reads as a node ID"]),
    (
        "name em1: abcdefghijklmnopqrstuvwxyz0123456789",
        &["has 36 bytes; 31 is the most"],
    ),
    // Messages.
    (
        "msg em0: fly",
        &[
            "the node's type knows no such command (ENOSYS)",
            "it is of type ether; it knows `getifname`,",
        ],
    ),
    (
        "msg em0: setpromsic 1",
        &["it is of type ether; did you mean `setpromisc`?"],
    ),
    (
        "msg em0: setpromisc on",
        &[
            "the arguments are not of the form that the command takes (EINVAL)",
            "`getpromisc` answers in the form that `setpromisc` takes: 0",
        ],
    ),
    ("msg em0:", &["<COMMAND>", "usage: msg"]),
    // Packets.
    (
        "write x 1",
        &[
            "this process's node has no such hook (EHOSTUNREACH)",
            "ng's own node has no hooks; connect it first",
        ],
    ),
    ("write x 300", &["`300` is no byte: -128 to 255, or 0x00 to 0xff"]),
    (
        "write x -f /nonexistent",
        &["could not read /nonexistent: No such file"],
    ),
    // Words.
    ("lsit", &["unrecognized subcommand 'lsit'", "'list'"]),
    ("show", &["<PATH>", "usage: show"]),
    ("list em0:", &["unexpected argument 'em0:' found"]),
    ("debug loud", &["`loud` is no level: + or -, or from 0 to 255"]),
    ("help fly", &["there is no command `fly`; `help` lists them"]),
];

#[test]
fn each_mistake_is_told_with_its_cause_and_a_way_out() {
    for (line, parts) in MISTAKES {
        let said = match run(&tapped(), line, false) {
            Ok(said) => panic!("{line} succeeded: {said}"),
            Err(failure) => failure.to_string(),
        };
        println!("$ ng {line}\nng: {said}\n");
        let mut rest = said.as_str();
        for part in *parts {
            let Some((_, behind)) = rest.split_once(part) else {
                panic!("{line}: `{part}` is not in {said}");
            };
            rest = behind;
        }
    }
}

/// A kernel that refuses sockets, the names of nodes, or every message.
#[derive(Debug, Clone, Copy)]
struct Closed {
    open: Option<Errno>,
    bind: Option<Errno>,
    send: Errno,
}

impl Transport for Closed {
    type Endpoint = Self;

    fn open(&self, _: Protocol) -> Result<Self, Errno> {
        self.open.map_or(Ok(*self), Err)
    }

    fn load_module(&self, _: &str) -> Result<(), Errno> {
        Err(Errno::EPERM)
    }
}

impl Endpoint for Closed {
    fn bind(&self, _: &str) -> Result<(), Errno> {
        self.bind.map_or(Ok(()), Err)
    }

    fn connect(&self, _: &str) -> Result<(), Errno> {
        Err(Errno::ENOENT)
    }

    fn send(&self, _: &[u8], _: Option<&str>) -> Result<(), Errno> {
        Err(self.send)
    }

    fn receive(&self, _: &mut [u8]) -> Result<Option<Received>, Errno> {
        Err(Errno::ENOTCONN)
    }

    fn wait(&self, _: Option<Instant>) -> Result<bool, Errno> {
        Err(Errno::ENOTCONN)
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        Ok(bytes)
    }
}

/// What is said to a line there.
fn refused(kernel: Closed, line: &str) -> Failure {
    let setup = Setup {
        name: Some("ng1".parse().unwrap()),
        json: false,
        style: Style::Plain,
        program: Program::Ng,
        level: Level::default(),
        state: State::new("/nonexistent"),
    };
    let opened = Session::with_output(kernel, Box::new(FreeBsd::default()), setup, Box::new(io::sink()));
    let done = opened.and_then(|mut session| {
        script::line(&mut session, line, &|command, session| match command {
            Command::Verb(verb) => verb.run(session),
            other => panic!("{other:?}"),
        })
    });
    failure_of(done)
}

#[test]
fn what_no_command_can_change_is_told() {
    let closed = |open, bind, send| Closed { open, bind, send };
    let rows = [
        (
            closed(Some(Errno::EPERM), None, Errno::EPERM),
            77,
            "network stack of its own (vnet) (EPERM)\n  hint: run it as root",
        ),
        (
            closed(Some(Errno::EPROTONOSUPPORT), None, Errno::EPERM),
            69,
            "the module ng_socket is not there (EPROTONOSUPPORT)\n  hint: `kldload ng_socket`",
        ),
        (
            closed(None, Some(Errno::EADDRINUSE), Errno::EPERM),
            71,
            "could not name the own node `ng1`: another node has that name (EADDRINUSE)\n  hint: give ng's own node another",
        ),
        (
            closed(None, None, Errno::EPERM),
            77,
            "may not load the type's module, or the node's policy refuses the hook (EPERM)\n  hint: `sysctl kern.securelevel` shows whether modules can still be loaded; ng_vlan_load",
        ),
        (
            closed(None, None, Errno::ENOTCONN),
            71,
            "this process's node has been shut down (ENOTCONN)\n  hint: nothing more can be done through it",
        ),
    ];
    for (kernel, status, part) in rows {
        let failure = refused(kernel, "mkpeer vlan a downstream");
        let said = failure.to_string();
        println!("$ ng mkpeer vlan a downstream\nng: {said}\n");
        assert!(said.contains(part), "{said}");
        assert_eq!(failure.status(), status, "{said}");
    }
}

#[test]
fn what_is_no_mistake_is_no_failure() {
    let fake = tapped();
    for line in ["rmhook em1: lower", "shutdown em1:", "status tap:", "quit", "? list"] {
        assert!(run(&fake, line, false).is_ok(), "{line}");
    }
    assert!(run(&Fake::default(), "# nothing", false).is_ok());
}
