//! Control messages find their node, and its answer comes back.

use netgraph::Errno;

use crate::Test;
use crate::call::{self, Address};
use crate::message::{FOREIGN, HEADER, LINGER, MKPEER, Message, NOLINGER, SOCKET};
use crate::node::{Control, Pair, fresh_name, receive};
use crate::outcome::{Outcome, holds, refused, same, works};
use crate::system::here;

pub const TESTS: &[Test] = &[
    Test::new("b10_paths_lead_to_their_nodes", paths),
    Test::new("b10_paths_to_nothing_are_enoent", no_paths),
    Test::new("b11_no_address_is_edestaddrreq", no_address),
    Test::new("b12_ancillary_data_is_einval", ancillary),
    Test::new("b15_the_node_s_error_comes_back", node_error),
    Test::new("b15_nonblocking_sockets_work", nonblocking),
    Test::new("b16_mkpeer_of_a_malformed_type_is_einval", malformed_type),
    Test::new("b16_mkpeer_of_an_unknown_type_is_enoent", unknown_type),
    Test::new("b16_loading_a_type_needs_privilege", type_privilege),
    Test::new("b17_foreign_messages_arrive_unaltered", foreign),
    Test::new("b19_nolinger_ends_with_the_last_hook", nolinger),
    Test::new("b20_linger_is_the_default_and_comes_back", linger),
    Test::new("b21_unknown_socket_commands_are_einval", unknown_command),
    Test::new("b22_connect_of_a_control_socket_is_einval", connect),
    Test::new("b23_paths_of_more_than_200_bytes_work", long_path),
];

fn paths() -> Outcome {
    let pair = Pair::new()?;
    let name = fresh_name("p");
    pair.right.bind(&name)?;
    let (left, right) = (pair.left.info(".")?.id, pair.right.info(".")?.id);
    let cases = [
        (".".to_owned(), left),
        (".:".to_owned(), left),
        (format!("[{left:x}]:"), left),
        (format!("{name}:"), right),
        (format!("[{right:x}]:"), right),
        (".:x".to_owned(), right),
        ("x".to_owned(), right),
        ("x.y".to_owned(), left),
        (".:x.y.x".to_owned(), right),
        (format!("{name}:y"), left),
        (format!("[{right:x}]:y.x"), right),
    ];
    for (path, id) in cases {
        same(&format!("the node at `{path}`"), pair.left.info(&path)?.id, id)?;
    }
    Ok(())
}

fn no_paths() -> Outcome {
    let pair = Pair::new()?;
    for path in [
        "nosuchnode:",
        "[fffffff0]:",
        "nosuchhook",
        ".:nosuchhook",
        "x.nosuchhook",
        ".:x.x",
    ] {
        refused(&format!("`{path}`"), pair.left.shut_down(path), Errno::ENOENT)?;
    }
    Ok(())
}

fn no_address() -> Outcome {
    let control = Control::new()?;
    let bytes = Message::generic(crate::message::NODEINFO, &[]).bytes();
    refused("send", call::send(&control, &bytes, None), Errno::EDESTADDRREQ)?;
    refused("write", call::write(&control, &bytes), Errno::EDESTADDRREQ)
}

fn ancillary() -> Outcome {
    let pair = Pair::new()?;
    let bytes = Message::new(FOREIGN, 1, vec![]).bytes();
    refused(
        "a message",
        call::send_with_ancillary(&pair.left, &bytes, &Address::text("x")),
        Errno::EINVAL,
    )?;
    refused(
        "a packet",
        call::send_with_ancillary(&pair.left_data, b"packet", &Address::text("x")),
        Errno::EINVAL,
    )
}

fn node_error() -> Outcome {
    let pair = Pair::new()?;
    pair.left.mkpeer("hub", "h", "h")?;
    refused("a hook that is there", pair.left.mkpeer("hub", "h", "h"), Errno::EEXIST)?;
    refused(
        "a command that a hub has not",
        pair.left.send("h", &Message::new(FOREIGN, 1, vec![])),
        Errno::EINVAL,
    )?;
    refused(
        "a hook name that no bridge takes",
        pair.left.mkpeer("bridge", "b", "wrong"),
        Errno::EINVAL,
    )?;
    let name = fresh_name("e");
    pair.right.bind(&name)?;
    refused(
        "a taken name for another node",
        pair.left.name("h", &name),
        Errno::EADDRINUSE,
    )
}

fn nonblocking() -> Outcome {
    let control = Control::new()?;
    call::set_nonblocking(&control)?;
    let node = control.info(".")?;
    same("the hooks of a new node", node.hooks, 0)?;
    // Asked by a socket that waits for its turn: on the node itself a message may still be queued.
    let watcher = Control::new()?;
    let path = format!("[{:x}]:", node.id);
    match control.mkpeer("hub", "h", "h") {
        Err(errno) if errno != Errno::EINPROGRESS => return Err(errno.into()),
        _ => same("the hooks after mkpeer", watcher.info(&path)?.hooks, 1)?,
    }
    match control.mkpeer("hub", "h", "h") {
        Err(errno) if errno == Errno::EINPROGRESS => {
            std::thread::sleep(std::time::Duration::from_secs(1));
            same("SO_ERROR", call::pending_error(&control)?, Some(Errno::EEXIST))
        }
        other => refused("a hook that is there", other, Errno::EEXIST),
    }
}

fn malformed_type() -> Outcome {
    let control = Control::new()?;
    let types: [&[u8]; 7] = [b"", b"../hub", b"hub.ko", b"h b", b"h\xc3\xbcb", b"/hub", &[b'a'; 32]];
    for kind in types {
        let message = Message::generic(MKPEER, &[(kind, 32), (b"h", 32), (b"h", 32)]);
        let what = format!("the type `{}`", String::from_utf8_lossy(kind));
        refused(&what, control.send(".", &message), Errno::EINVAL)?;
    }
    let short = Message::generic(MKPEER, &[(b"hub", 32), (b"h", 32), (b"h", 31)]);
    refused("arguments that end too early", control.send(".", &short), Errno::EINVAL)?;
    refused(
        "no arguments",
        control.send(".", &Message::generic(MKPEER, &[])),
        Errno::EINVAL,
    )?;
    same("the hooks after that", control.info(".")?.hooks, 0)
}

fn unknown_type() -> Outcome {
    refused("mkpeer", Control::new()?.mkpeer("nosuchtype", "h", "h"), Errno::ENOENT)
}

fn type_privilege() -> Outcome {
    let control = Control::new()?;
    here().become_nobody()?;
    refused("mkpeer by nobody", control.mkpeer("nosuchtype", "h", "h"), Errno::EPERM)
}

fn foreign() -> Outcome {
    let (sender, receiver) = (Control::new()?, Control::new()?);
    for arguments in [vec![], vec![0xa5; 1], (0..=255).collect::<Vec<u8>>(), vec![7; 10_000]] {
        let mut message = Message::new(FOREIGN, 0x1234_5678, arguments);
        message.token = 0xdead_beef;
        works("the message", sender.send(&receiver.address()?, &message))?;
        let (bytes, from) = receive(&receiver)?;
        holds("the message unaltered", bytes == message.bytes())?;
        same("its sender", from.as_text(), sender.address()?)?;
        same(
            "the size of the address",
            from.size(),
            if here().release() < 15 { 16 } else { 34 },
        )?;
    }
    works(
        "a message to oneself",
        sender.send(".", &Message::new(FOREIGN, 1, vec![])),
    )?;
    same("its length", receive(&sender)?.0.len(), HEADER)
}

fn nolinger() -> Outcome {
    let (control, other) = (Control::new()?, Control::new()?);
    let address = control.address()?;
    control.send(".", &Message::new(SOCKET, NOLINGER, vec![]))?;
    control.mkpeer("hole", "a", "a")?;
    control.mkpeer("hole", "b", "b")?;
    control.remove_hook("a")?;
    same("the hooks with one left", other.info(&address)?.hooks, 1)?;
    control.remove_hook("b")?;
    holds("no node after its last hook", other.is_gone(&address)?)
}

fn linger() -> Outcome {
    let control = Control::new()?;
    let come_and_go = |what: &str| -> Outcome {
        control.mkpeer("hole", "a", "a")?;
        control.remove_hook("a")?;
        std::thread::sleep(std::time::Duration::from_millis(100));
        same(what, control.info(".")?.hooks, 0)
    };
    come_and_go("the hooks of the node that stays")?;
    control.send(".", &Message::new(SOCKET, NOLINGER, vec![]))?;
    works(
        "the linger command",
        control.send(".", &Message::new(SOCKET, LINGER, vec![])),
    )?;
    come_and_go("the hooks of the node that stays again")
}

fn unknown_command() -> Outcome {
    let pair = Pair::new()?;
    for command in [0, 0x7fff, u32::MAX] {
        let message = Message::new(SOCKET, command, vec![]);
        refused(
            &format!("command {command} to oneself"),
            pair.left.send(".", &message),
            Errno::EINVAL,
        )?;
        refused(
            &format!("command {command} to another"),
            pair.left.send("x", &message),
            Errno::EINVAL,
        )?;
    }
    Ok(())
}

fn connect() -> Outcome {
    let pair = Pair::new()?;
    for text in [".", "", "nosuch:", &pair.right.address()?] {
        refused(
            &format!("`{text}`"),
            call::connect(&pair.left, &Address::text(text)),
            Errno::EINVAL,
        )?;
    }
    pair.left.info("x").map(drop)
}

fn long_path() -> Outcome {
    let pair = Pair::new()?;
    let steps = ["x", "y"].repeat(62).join(".");
    let path = format!(".:{steps}");
    same("the path's length", path.len(), 249)?;
    same(
        "the node it leads to",
        pair.left.info(&path)?.id,
        pair.left.info(".")?.id,
    )
}
