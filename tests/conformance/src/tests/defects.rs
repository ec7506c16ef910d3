//! What FreeBSD's C module does wrong, one test for each line but those about order in time (`races.rs`, `waiting.rs`)
//! and about loading (`kernel.rs`).

use std::time::{Duration, Instant};

use netgraph::{Errno, SocketOption, Wait};

use crate::Test;
use crate::call::{self, Address};
use crate::message::{self, FOREIGN, GENERIC, HEADER, LINGER, Message, NOLINGER, SOCKET};
use crate::node::{Control, Data, GONE, Pair, fresh_name, is_quiet, receive};
use crate::outcome::{Outcome, holds, refused, refused_with, same, works};
use crate::system::{Packet, here};

pub const TESTS: &[Test] = &[
    Test::new("d01_connect_to_this_node_does_not_panic", connect_here),
    Test::new("d02_a_user_cannot_take_the_data_side_of_a_node", data_of_nobody),
    Test::new("d03_connect_reads_nothing_past_the_address", unterminated),
    Test::new("d09_datagrams_of_less_than_a_header_are_refused", short),
    Test::new("d10_arglen_beyond_the_datagram_reaches_no_node", arglen_generic),
    Test::new("d10_ascii2binary_writes_nothing_past_the_message", arglen_ascii),
    Test::new("d11_a_short_message_brings_no_memory_of_the_kernel", disclosure),
    Test::new("d12_bind_after_shutdown_does_not_panic", bind_after),
    Test::new("d18_a_type_is_read_within_its_field_only", short_type),
    Test::new("d19_addresses_of_less_than_two_bytes_are_refused", no_address),
    Test::new("d20_paths_of_more_than_32_bytes_work", long_path),
    Test::new("d24_write_works_with_one_hook_whatever_came_first", write_order),
    Test::new("d25_so_rerror_works_on_data_sockets", data_overflow),
    Test::new("d26_a_reply_that_does_not_fit_is_told", large_reply),
    Test::new("d27_a_packet_without_header_is_dropped", headless),
    Test::new("d28_linger_commands_work_without_a_control_socket", linger_alone),
    Test::new("d29_connect_of_a_control_socket_logs_nothing", quiet_connect),
    Test::long("d31_one_sender_cannot_take_all_items", 60, all_items),
    Test::new("d32_the_end_of_a_node_is_enotconn_without_sigpipe", end_of_node),
    Test::new("d33_many_hooks_come_and_go", many_hooks),
    Test::new("d34_a_node_that_is_shut_down_is_freed", nothing_left),
];

fn connect_here() -> Outcome {
    let data = Data::new()?;
    for text in [".", ".:", ".:hook", ""] {
        refused(&format!("connect to `{text}`"), data.connect(text), Errno::EINVAL)?;
    }
    let control = Control::new()?;
    works("connect to a node after that", data.connect(&control.address()?))
}

fn data_of_nobody() -> Outcome {
    let victim = Control::new()?;
    let address = victim.address()?;
    here().become_nobody()?;
    if let Ok(data) = Data::new() {
        refused("the data side of another's node", data.connect(&address), Errno::EPERM)?;
    }
    works(
        "the victim's own data socket",
        victim.info(".").map(drop).or(Err(Errno::EIO)),
    )
}

fn unterminated() -> Outcome {
    let control = Control::new()?;
    control.bind(&fresh_name("d"))?;
    for length in [1, 14, 30, 62, 126, 253] {
        let address = Address::raw(&vec![b'a'; length]);
        let answer = call::connect(&Data::new()?, &address);
        refused_with(
            &format!("{length} bytes without a zero"),
            answer,
            &[Errno::EINVAL, Errno::ENOENT],
        )?;
    }
    Ok(())
}

fn short() -> Outcome {
    let pair = Pair::new()?;
    for length in [1, 2, 12, 23, 55] {
        let bytes = vec![8; length];
        refused(
            &format!("{length} bytes"),
            pair.left.send_bytes("x", &bytes),
            Errno::EINVAL,
        )?;
    }
    holds("nothing at the other socket", is_quiet(&pair.right)?)
}

/// Commands with arguments of a fixed size, and that size.
const FIXED: [u32; 4] = [message::MKPEER, message::CONNECT, message::NAME, message::RMHOOK];

fn arglen_generic() -> Outcome {
    let control = Control::new()?;
    for command in FIXED {
        let message = Message::new(GENERIC, command, vec![b'a'; 4]);
        for arglen in [32, 96, 576, 1 << 16, u32::MAX] {
            let sent = control.send_bytes(".", &message.claiming(arglen));
            refused(&format!("command {command} with arglen {arglen}"), sent, Errno::EINVAL)?;
        }
    }
    let info = control.info(".")?;
    same("the node after all that", (info.name, info.hooks), (String::new(), 0))
}

fn arglen_ascii() -> Outcome {
    let control = Control::new()?;
    for command in [message::ASCII_TO_BINARY, message::BINARY_TO_ASCII] {
        let message = Message::new(GENERIC, command, vec![b'a'; HEADER + 8]);
        for arglen in [HEADER as u32 + 9, 4096, 1 << 20, 0x7fff_fff0, u32::MAX] {
            let sent = control.send_bytes(".", &message.claiming(arglen));
            refused(
                &format!("command {command:#x} with arglen {arglen}"),
                sent,
                Errno::EINVAL,
            )?;
        }
    }
    Ok(())
}

fn disclosure() -> Outcome {
    let (sender, receiver) = (Control::new()?, Control::new()?);
    let address = receiver.address()?;
    let message = Message::new(FOREIGN, 1, vec![]);
    for arglen in [1, 64, 4096, 16_000, 0x7fff_ffc8, 0x8000_0000, u32::MAX] {
        let sent = sender.send_bytes(&address, &message.claiming(arglen));
        refused(&format!("arglen {arglen}"), sent, Errno::EINVAL)?;
    }
    holds("nothing to read", is_quiet(&receiver)?)
}

fn bind_after() -> Outcome {
    let control = Control::new()?;
    works("the shutdown", control.shut_down("."))?;
    refused_with("bind", control.bind(&fresh_name("d")), &GONE)?;
    refused("getsockname", call::own_name(&control), Errno::EINVAL)
}

fn short_type() -> Outcome {
    let control = Control::new()?;
    for length in [0, 1, 31, 32, 95] {
        let message = Message::new(GENERIC, message::MKPEER, vec![b'h'; length]);
        refused(
            &format!("{length} bytes of arguments"),
            control.send(".", &message),
            Errno::EINVAL,
        )?;
    }
    let path = Message::generic(message::MKPEER, &[(b"../hole", 32), (b"h", 32), (b"h", 32)]);
    refused("a path as a type", control.send(".", &path), Errno::EINVAL)
}

fn no_address() -> Outcome {
    let (control, data) = (Control::new()?, Data::new()?);
    let bytes = Message::new(FOREIGN, 1, vec![]).bytes();
    let codes = [Errno::EINVAL, Errno::EDESTADDRREQ];
    for length in [0, 1] {
        let address = Address::cut(length);
        let what = |call: &str| format!("{call} with an address of {length} bytes");
        refused_with(&what("bind"), call::bind(&control, &address), &codes)?;
        refused_with(&what("connect"), call::connect(&data, &address), &codes)?;
        refused_with(&what("sendto"), call::send(&control, &bytes, Some(&address)), &codes)?;
    }
    Ok(())
}

fn long_path() -> Outcome {
    let pair = Pair::new()?;
    for hops in [10, 20, 40, 60] {
        let path = format!(".:{}", ["x", "y"].repeat(hops).join("."));
        same(
            &format!("the node at a path of {} bytes", path.len()),
            pair.left.info(&path)?.id,
            pair.left.info(".")?.id,
        )?;
    }
    Ok(())
}

fn write_order() -> Outcome {
    let before = Control::new()?;
    let early = before.data()?;
    before.mkpeer("hole", "h", "h")?;
    works("write, the data socket first", call::write(&early, b"packet"))?;
    let after = Control::new()?;
    after.mkpeer("hole", "h", "h")?;
    works("write, the hook first", call::write(&after.data()?, b"packet")).map(drop)
}

fn data_overflow() -> Outcome {
    let pair = Pair::new()?;
    call::set_option(&pair.right_data, SocketOption::ReceiveErrors, 1)?;
    for _ in 0..60 {
        refused_with(
            "nothing but a full buffer",
            pair.left_data.send("x", &[1; 1000]).and(Err::<(), _>(Errno::ENOBUFS)),
            &[Errno::ENOBUFS],
        )?;
    }
    loop {
        match call::receive(&pair.right_data, 2000, Wait::Never) {
            Ok(_) => {}
            error => return refused("the read after what was queued", error, Errno::ENOBUFS),
        }
    }
}

fn large_reply() -> Outcome {
    let (control, other) = (Control::new()?, Control::new()?);
    let address = other.address()?;
    call::set_option(&control, SocketOption::ReceiveBuffer, 4096)?;
    for number in 0..80 {
        other.mkpeer("hole", &format!("h{number}"), "h")?;
    }
    // 80 hooks of 136 bytes each do not fit into 4,096.
    let asked = control.send(&address, &Message::generic(message::LISTHOOKS, &[]));
    refused("the list of 80 hooks", asked, Errno::ENOBUFS)?;
    same("SO_ERROR of who has been told", call::pending_error(&control)?, None)?;
    same("a question whose answer fits", control.info(&address)?.hooks, 80)
}

fn headless() -> Outcome {
    let laboratory = here().laboratory()?;
    let control = Control::new()?;
    let data = control.data()?;
    control.mkpeer("capture", "ours", "theirs")?;
    let faulty = control.info("ours")?.id;
    for _ in 0..3 {
        // What the faulty node is told does not matter.
        let _ = laboratory.inject(faulty, "theirs", Packet::Headless, b"headless");
    }
    holds("nothing to read", is_quiet(&data)?)?;
    works(
        "a whole packet",
        laboratory.inject(faulty, "theirs", Packet::Whole, b"whole"),
    )?;
    same("that packet", receive(&data)?.0, b"whole".to_vec())
}

fn linger_alone() -> Outcome {
    let Pair {
        left, left_data, right, ..
    } = Pair::new()?;
    let address = left.address()?;
    drop(left);
    std::thread::sleep(Duration::from_millis(200));
    works("linger", right.send(&address, &Message::new(SOCKET, LINGER, vec![])))?;
    works(
        "nolinger",
        right.send(&address, &Message::new(SOCKET, NOLINGER, vec![])),
    )?;
    works("the end of the last hook", right.remove_hook("y"))?;
    holds("no node after it", right.is_gone(&address)?)?;
    refused("a packet after that", left_data.send_plain(b"packet"), Errno::ENOTCONN)
}

fn quiet_connect() -> Outcome {
    let control = Control::new()?;
    let lines = here().message_buffer()?.len();
    for _ in 0..10 {
        refused(
            "connect",
            call::connect(&control, &Address::text("nosuchnode:")),
            Errno::EINVAL,
        )?;
    }
    same("the lines in the message buffer", here().message_buffer()?.len(), lines)
}

fn all_items() -> Outcome {
    let (greedy, other) = (Pair::new()?, Control::new()?);
    let held = here().laboratory()?.hold(greedy.right.info(".")?.id)?;
    call::set_nonblocking(&greedy.left)?;
    let message = Message::new(FOREIGN, 1, vec![]);
    for _ in 0..6000 {
        let answers = [Errno::EINPROGRESS, Errno::ENOBUFS, Errno::ENOMEM, Errno::EAGAIN];
        refused_with(
            "one more message to a busy node",
            greedy.left.send("x", &message),
            &answers,
        )?;
    }
    let start = Instant::now();
    same("the hooks of another node", other.info(".")?.hooks, 0)?;
    holds("an answer at once", start.elapsed() < Duration::from_secs(2))?;
    drop(held);
    Ok(())
}

fn end_of_node() -> Outcome {
    let pair = Pair::new()?;
    works("the shutdown", pair.left.shut_down("."))?;
    refused("a message", pair.left.shut_down("."), Errno::ENOTCONN)?;
    refused("a packet", pair.left_data.send_plain(b"packet"), Errno::ENOTCONN)?;
    refused("a read of packets", call::read(&pair.left_data, 100), Errno::ENOTCONN)?;
    refused("a read of messages", call::read(&pair.left, 100), Errno::ENOTCONN)?;
    same("the signals SIGPIPE", here().broken_pipes(), 0)
}

/// The node goes, and its name and ID with it.
fn nothing_left() -> Outcome {
    let (control, other) = (Control::new()?, Control::new()?);
    let address = control.address()?;
    works("the shutdown", control.shut_down("."))?;
    holds("no node after its shutdown", other.is_gone(&address)?)?;
    drop(control);
    holds("nothing of it once its socket is closed", other.is_freed(&address)?)
}

fn many_hooks() -> Outcome {
    if let Ok(laboratory) = here().laboratory() {
        laboratory.check_assertions();
    }
    let pair = Pair::new()?;
    for _ in 0..2 {
        for number in 0..300 {
            works("a hook", pair.left.mkpeer("hole", &format!("h{number}"), "h"))?;
        }
        works("a packet", pair.left_data.send("h299", b"packet"))?;
        for number in 0..300 {
            works("a hook's end", pair.left.remove_hook(&format!("h{number}")))?;
        }
    }
    same("the hooks at the end", pair.left.info(".")?.hooks, 1)
}
