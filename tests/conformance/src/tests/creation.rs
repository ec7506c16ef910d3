//! Sockets are made, inherited and named.

use netgraph::{Errno, Protocol};

use crate::Test;
use crate::call::{self, Address};
use crate::node::{Control, Data, Info, Pair, fresh_name, receive};
use crate::outcome::{Outcome, refused, same, works};
use crate::system::here;

pub const TESTS: &[Test] = &[
    Test::new("b01_new_node_has_type_socket_no_name_no_hooks", new_node),
    Test::new("b01_control_socket_needs_privilege", control_privilege),
    Test::new("b02_data_socket_needs_privilege", data_privilege),
    Test::new("b03_inherited_sockets_work_without_privilege", inherited),
    Test::new("b04_bind_names_the_node", bind),
    Test::new("b04_bind_refuses_malformed_addresses", bind_malformed),
    Test::new("b04_bind_refuses_a_taken_name", bind_taken),
    Test::new("b04_bind_refuses_a_second_name", bind_twice),
    Test::new("b05_bind_of_a_data_socket_is_eopnotsupp", bind_data),
    Test::new("b06_getsockname_is_the_name", own_name),
    Test::new("b06_getsockname_without_a_name", own_name_unnamed),
    Test::new("b06_getsockname_after_shutdown_is_einval", own_name_after),
    Test::new("b07_mkpeer_of_type_socket_is_einval", mkpeer_socket),
];

fn new_node() -> Outcome {
    let control = Control::new()?;
    let info = control.info(".")?;
    let id = info.id;
    same(
        "the new node",
        info,
        Info {
            name: String::new(),
            kind: "socket".into(),
            id,
            hooks: 0,
        },
    )
}

fn control_privilege() -> Outcome {
    here().become_nobody()?;
    refused(
        "a control socket of nobody",
        here().socket(Protocol::Control).map(drop),
        Errno::EPERM,
    )
}

fn data_privilege() -> Outcome {
    here().become_nobody()?;
    refused(
        "a data socket of nobody",
        here().socket(Protocol::Data).map(drop),
        Errno::EPERM,
    )
}

fn inherited() -> Outcome {
    let pair = Pair::new()?;
    // Nobody may use a type, but not load it.
    pair.left.mkpeer("hole", "loaded", "loaded")?;
    here().become_nobody()?;
    same("the hooks that nobody sees", pair.left.info(".")?.hooks, 2)?;
    works("a packet from nobody", pair.left_data.send("x", b"inherited"))?;
    same(
        "the packet to nobody",
        receive(&pair.right_data)?.0,
        b"inherited".to_vec(),
    )?;
    works("mkpeer by nobody", pair.left.mkpeer("hole", "h", "h"))?;
    works("shutdown by nobody", pair.right.shut_down("."))
}

fn bind() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("a");
    works("bind", control.bind(&name))?;
    same("the node's name", control.info(&format!("{name}:"))?.name, name)?;
    let longest = format!("{:-<31}", fresh_name("b"));
    let other = Control::new()?;
    works("bind to a name of 31 bytes", other.bind(&longest))?;
    same("the longest name", other.info(".")?.name, longest)
}

fn bind_malformed() -> Outcome {
    let control = Control::new()?;
    let cases: [(&str, &[u8]); 9] = [
        ("no text at all", b""),
        ("a length of 3", b"a"),
        ("an empty name", b"\0"),
        ("an empty name and more", b"\0\0\0"),
        ("a name without its zero", b"proof"),
        ("32 bytes and a zero", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0"),
        ("a name with a colon", b"a:b\0"),
        ("a name with a dot", b"a.b\0"),
        ("a name that is an ID", b"[1f]\0"),
    ];
    for (what, data) in cases {
        refused(what, call::bind(&control, &Address::raw(data)), Errno::EINVAL)?;
    }
    let long = [&[b'a'; 252][..], &[0]].concat();
    refused(
        "the longest address",
        call::bind(&control, &Address::raw(&long)),
        Errno::EINVAL,
    )?;
    same("the name after all that", control.info(".")?.name, String::new())
}

fn bind_taken() -> Outcome {
    let (first, second) = (Control::new()?, Control::new()?);
    let name = fresh_name("t");
    first.bind(&name)?;
    refused("a taken name", second.bind(&name), Errno::EADDRINUSE)?;
    drop(first);
    // The node is removed in its own time.
    second.is_gone(&format!("{name}:"))?;
    works("the name once it is free", second.bind(&name))
}

fn bind_twice() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("1");
    control.bind(&name)?;
    refused("a second name", control.bind(&fresh_name("2")), Errno::EINVAL)?;
    refused("the same name again", control.bind(&name), Errno::EINVAL)?;
    same("the name after that", control.info(".")?.name, name)
}

fn bind_data() -> Outcome {
    let data = Data::new()?;
    refused("bind", call::bind(&data, &Address::text("proof")), Errno::EOPNOTSUPP)?;
    let pair = Pair::new()?;
    refused(
        "bind once connected",
        call::bind(&pair.left_data, &Address::text("proof")),
        Errno::EOPNOTSUPP,
    )
}

fn own_name() -> Outcome {
    let control = Control::new()?;
    let name = fresh_name("n");
    control.bind(&name)?;
    same(
        "the control socket's name",
        call::own_name(&control)?.as_text(),
        name.clone(),
    )?;
    same(
        "the data socket's name",
        call::own_name(&control.data()?)?.as_text(),
        name,
    )?;
    refused(
        "getsockname before connect",
        call::own_name(&Data::new()?),
        Errno::EINVAL,
    )
}

fn own_name_unnamed() -> Outcome {
    let control = Control::new()?;
    let expected = if here().release() < 15 {
        String::new()
    } else {
        format!("[{:x}]", control.info(".")?.id)
    };
    same(
        "the name of an unnamed node",
        call::own_name(&control)?.as_text(),
        expected,
    )
}

fn own_name_after() -> Outcome {
    let pair = Pair::new()?;
    pair.left.shut_down(".")?;
    refused(
        "getsockname of the control socket",
        call::own_name(&pair.left),
        Errno::EINVAL,
    )?;
    refused(
        "getsockname of the data socket",
        call::own_name(&pair.left_data),
        Errno::EINVAL,
    )
}

fn mkpeer_socket() -> Outcome {
    let control = Control::new()?;
    refused(
        "mkpeer from a control socket",
        control.mkpeer("socket", "a", "b"),
        Errno::EINVAL,
    )?;
    control.mkpeer("hub", "h", "h")?;
    let message = crate::message::Message::mkpeer("socket", "a", "b");
    refused("mkpeer from another node", control.send(".:h", &message), Errno::EINVAL)?;
    same("the hooks after that", control.info(".")?.hooks, 1)
}
