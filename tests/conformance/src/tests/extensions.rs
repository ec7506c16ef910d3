//! What the C module cannot do: events, hook policies, counters.

use netgraph::{Errno, SocketOption};

use crate::Test;
use crate::call;
use crate::message::{self, FOREIGN, HEADER, Message, SOCKET};
use crate::node::{Control, Pair, fresh_name, is_quiet, receive};
use crate::outcome::{Outcome, Stop, holds, refused, same, works};
use crate::system::here;

pub const TESTS: &[Test] = &[
    Test::new("x01_no_event_comes_unasked", unasked),
    Test::new("x01_hooks_that_come_and_go_are_told", hooks),
    Test::new("x01_a_new_name_is_told", renamed),
    Test::new("x01_the_data_socket_is_told", data_socket),
    Test::new("x01_dropped_packets_are_told", dropped),
    Test::new("x01_the_end_is_told_last", end),
    Test::new("x01_lost_events_are_counted", overflow),
    Test::new("x02_no_hook_is_accepted_if_so_asked", no_hooks),
    Test::new("x02_no_more_hooks_than_the_limit", limit),
    Test::new("x02_only_names_listed", listed),
    Test::new("x02_only_names_with_a_prefix", prefixed),
    Test::new("x02_a_refused_hook_is_told", refused_hook),
    Test::new("x02_malformed_policies_are_einval", malformed_policy),
    Test::new("x04_a_node_counts_its_traffic", traffic),
    Test::new("x04_a_node_counts_what_it_dropped", drops),
    Test::new("x04_counters_start_again_when_cleared", cleared),
    Test::new("x04_sysctls_count_for_the_system", sysctls),
];

/// Commands under `NGM_SOCKET_COOKIE`.
const SET_EVENTS: u32 = 3;
const SET_POLICY: u32 = 5;
const GET_POLICY: u32 = 6;
const GET_STATS: u32 = 7;
const CLR_STATS: u32 = 8;

/// Events, each bit 1 << (number - 32) of the mask.
const HOOK_CONNECTED: u32 = 32;
const HOOK_REMOVED: u32 = 33;
const HOOK_REFUSED: u32 = 34;
const RENAMED: u32 = 35;
const DATA_SOCKET: u32 = 36;
const DROPPED: u32 = 37;
const SHUTTING_DOWN: u32 = 38;
const OVERFLOW: u32 = 39;
const ALL: u32 = 0x7f;

/// Which names a hook policy accepts.
#[derive(Clone, Copy)]
enum Accept {
    All = 0,
    Nothing = 1,
    Listed = 2,
    Prefixed = 3,
}

fn command(control: &Control, command: u32, arguments: Vec<u8>) -> Result<(), Errno> {
    control.send(".", &Message::new(SOCKET, command, arguments))
}

/// A node that tells of everything.
fn talkative() -> Outcome<Control> {
    let control = Control::new()?;
    works(
        "the mask of events",
        command(&control, SET_EVENTS, ALL.to_le_bytes().to_vec()),
    )?;
    Ok(control)
}

/// The next message, which must be this event; its arguments.
fn event(control: &Control, kind: u32) -> Outcome<Vec<u8>> {
    let (bytes, _) = receive(control)?;
    let (cookie, got) = (message::number(&bytes, message::COOKIE), message::number(&bytes, 8));
    same("the event", (cookie, got), (SOCKET, kind))?;
    Ok(bytes[HEADER..].to_vec())
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn policy(accept: Accept, limit: u32, names: &[&str]) -> Vec<u8> {
    let mut bytes = [(accept as u32).to_le_bytes(), limit.to_le_bytes()].concat();
    for name in names {
        bytes.extend(message::field(name.as_bytes(), 32));
    }
    bytes.resize(520, 0);
    bytes
}

fn unasked() -> Outcome {
    let pair = Pair::new()?;
    pair.left.remove_hook("x")?;
    pair.left.bind(&fresh_name("x"))?;
    holds("no event", is_quiet(&pair.left)?)
}

fn hooks() -> Outcome {
    let (control, other) = (talkative()?, Control::new()?);
    control.mkpeer("hole", "ours", "theirs")?;
    let came = event(&control, HOOK_CONNECTED)?;
    let names = (text(&came[..32]), text(&came[32..64]), text(&came[64..96]));
    same(
        "hook, peer's hook, peer's type",
        names,
        ("ours".into(), "theirs".into(), "hole".into()),
    )?;
    same(
        "the peer's ID",
        message::number(&came, 96),
        other.info(&peer(&control)?)?.id,
    )?;
    control.remove_hook("ours")?;
    let went = event(&control, HOOK_REMOVED)?;
    same("the hook that went", text(&went), "ours".into())?;
    same("why", message::number(&went, 32), 2)
}

/// The absolute address of the node behind the hook `ours`.
fn peer(control: &Control) -> Outcome<String> {
    Ok(format!("[{:x}]:", control.info("ours")?.id))
}

fn renamed() -> Outcome {
    let control = talkative()?;
    let name = fresh_name("e");
    control.bind(&name)?;
    let told = event(&control, RENAMED)?;
    same(
        "new and old name",
        (text(&told[..32]), text(&told[32..])),
        (name, String::new()),
    )
}

fn data_socket() -> Outcome {
    let control = Control::new()?;
    let address = control.address()?;
    command(&control, SET_EVENTS, ALL.to_le_bytes().to_vec())?;
    let data = crate::node::Data::new()?;
    data.connect(&address)?;
    same("attached", message::number(&event(&control, DATA_SOCKET)?, 0), 1)?;
    drop(data);
    same("detached", message::number(&event(&control, DATA_SOCKET)?, 0), 0)
}

fn dropped() -> Outcome {
    let pair = Pair::new()?;
    drop(pair.left_data);
    command(&pair.left, SET_EVENTS, (1u32 << (DROPPED - 32)).to_le_bytes().to_vec())?;
    pair.right_data.send("y", b"nobody reads it")?;
    let told = event(&pair.left, DROPPED)?;
    same("packets without a listener", long(&told, 0), 1)
}

/// A number of 64 bits.
fn long(bytes: &[u8], at: usize) -> u64 {
    let part = bytes.get(at..at + 8).and_then(|part| part.try_into().ok());
    part.map_or(u64::MAX, u64::from_le_bytes)
}

fn end() -> Outcome {
    let control = talkative()?;
    control.mkpeer("hole", "ours", "theirs")?;
    event(&control, HOOK_CONNECTED)?;
    control.shut_down(".")?;
    event(&control, SHUTTING_DOWN)?;
    let went = event(&control, HOOK_REMOVED)?;
    same("why the hook went", message::number(&went, 32), 1)?;
    refused("the read after that", call::read(&control, 100), Errno::ENOTCONN)
}

/// Reads every event there is: how many hooks were told of and how many events were missed, and the last hook.
fn count_events(control: &Control) -> Outcome<(u64, String)> {
    let (mut count, mut last) = (0, String::new());
    while !is_quiet(control)? {
        let (bytes, _) = receive(control)?;
        let arguments = &bytes[HEADER..];
        match message::number(&bytes, 8) {
            HOOK_CONNECTED => (count, last) = (count + 1, text(&arguments[..32])),
            OVERFLOW => count += long(arguments, 0),
            other => return same("an event", other, OVERFLOW).map(|()| (count, last)),
        }
    }
    Ok((count, last))
}

fn overflow() -> Outcome {
    let control = talkative()?;
    call::set_option(&control, SocketOption::ReceiveBuffer, 4096)?;
    for number in 0..60 {
        works("a hook", control.mkpeer("hole", &format!("h{number}"), "h"))?;
    }
    let (before, last) = count_events(&control)?;
    holds("some events that did not fit", last != "h59")?;
    control.mkpeer("hole", "last", "h")?;
    let (after, last) = count_events(&control)?;
    same("the events told of and missed", before + after, 61)?;
    same("the last event", last, "last".into())
}

/// Whether a hook of that name is accepted, tried from both sides.
fn judge(control: &Control, hook: &str, expected: Result<(), Errno>) -> Outcome {
    let other = Control::new()?;
    let address = control.address()?;
    let ours = || control.mkpeer("hole", hook, "h");
    let theirs = || other.send(".", &Message::connect(&address, "h", hook));
    let ways: [&dyn Fn() -> _; 2] = [&ours, &theirs];
    for (whose, ask) in ["us", "the peer"].into_iter().zip(ways) {
        same(&format!("the hook `{hook}`, asked for by {whose}"), ask(), expected)?;
        if expected.is_ok() {
            works("its end", control.remove_hook(hook))?;
        }
    }
    Ok(())
}

fn no_hooks() -> Outcome {
    let control = Control::new()?;
    judge(&control, "before", Ok(()))?;
    works(
        "the policy",
        command(&control, SET_POLICY, policy(Accept::Nothing, 0, &[])),
    )?;
    judge(&control, "any", Err(Errno::EPERM))?;
    works("the policy", command(&control, SET_POLICY, policy(Accept::All, 0, &[])))?;
    judge(&control, "after", Ok(()))
}

fn limit() -> Outcome {
    let control = Control::new()?;
    works("the policy", command(&control, SET_POLICY, policy(Accept::All, 2, &[])))?;
    control.mkpeer("hole", "one", "h")?;
    judge(&control, "two", Ok(()))?;
    control.mkpeer("hole", "two", "h")?;
    judge(&control, "three", Err(Errno::EPERM))?;
    control.remove_hook("one")?;
    judge(&control, "three", Ok(()))
}

fn listed() -> Outcome {
    let control = Control::new()?;
    let names = policy(Accept::Listed, 0, &["left", "right"]);
    works("the policy", command(&control, SET_POLICY, names.clone()))?;
    for (hook, expected) in [
        ("left", Ok(())),
        ("right", Ok(())),
        ("lef", Err(Errno::EPERM)),
        ("left2", Err(Errno::EPERM)),
    ] {
        judge(&control, hook, expected)?;
    }
    command(&control, GET_POLICY, vec![])?;
    same("the policy, asked for", event(&control, GET_POLICY)?, names)
}

fn prefixed() -> Outcome {
    let control = Control::new()?;
    works(
        "the policy",
        command(&control, SET_POLICY, policy(Accept::Prefixed, 0, &["link"])),
    )?;
    for (hook, expected) in [
        ("link", Ok(())),
        ("link7", Ok(())),
        ("lin", Err(Errno::EPERM)),
        ("uplink", Err(Errno::EPERM)),
    ] {
        judge(&control, hook, expected)?;
    }
    Ok(())
}

fn refused_hook() -> Outcome {
    let control = talkative()?;
    works(
        "the policy",
        command(&control, SET_POLICY, policy(Accept::Nothing, 0, &[])),
    )?;
    refused("a hook", control.mkpeer("hole", "unwanted", "h"), Errno::EPERM)?;
    let told = event(&control, HOOK_REFUSED)?;
    same(
        "the hook and the reason",
        (text(&told[..32]), message::number(&told, 32)),
        ("unwanted".into(), 1),
    )
}

fn malformed_policy() -> Outcome {
    let control = Control::new()?;
    let mut unknown = policy(Accept::All, 0, &[]);
    unknown[0] = 9;
    let mut endless = policy(Accept::Listed, 0, &[]);
    endless[8..40].fill(b'a');
    let cases = [
        ("none at all", vec![]),
        ("519 bytes", vec![0; 519]),
        ("kind 9", unknown),
        ("a name without a zero", endless),
    ];
    for (what, arguments) in cases {
        refused(what, command(&control, SET_POLICY, arguments), Errno::EINVAL)?;
    }
    judge(&control, "any", Ok(()))
}

/// The counters of a node: control in and out, data in and out, then drops.
fn statistics(control: &Control) -> Outcome<[u64; 10]> {
    works("getstats", command(control, GET_STATS, vec![]))?;
    let bytes = event(control, GET_STATS)?;
    same("the size of the counters", bytes.len(), 80)?;
    Ok(std::array::from_fn(|index| long(&bytes, 8 * index)))
}

fn traffic() -> Outcome {
    let pair = Pair::new()?;
    let before = statistics(&pair.left)?;
    for _ in 0..5 {
        pair.left_data.send("x", b"out")?;
    }
    for _ in 0..3 {
        pair.right_data.send("y", b"in")?;
    }
    for _ in 0..2 {
        pair.right.send("y", &Message::new(FOREIGN, 1, vec![]))?;
        receive(&pair.left)?;
    }
    let after = statistics(&pair.left)?;
    let data = (after[2] - before[2], after[3] - before[3]);
    same("packets in and out", data, (3, 5))?;
    // The answer to the first question, too, was a message in; the second question one out.
    same("messages in", after[0] - before[0], 3)?;
    same("messages out", after[1] - before[1], 1)
}

fn drops() -> Outcome {
    let pair = Pair::new()?;
    for _ in 0..60 {
        // What does not fit may be an error to the sender.
        let _ = pair.right_data.send("y", &[1; 1000]);
    }
    let full = statistics(&pair.left)?;
    same("packets in and packets for a full buffer", full[2] + full[5], 60)?;
    holds("some for a full buffer", full[5] > 0)?;
    drop(pair.left_data);
    for _ in 0..4 {
        pair.right_data.send("y", b"nobody")?;
    }
    same("packets without a listener", statistics(&pair.left)?[4], 4)
}

fn cleared() -> Outcome {
    let pair = Pair::new()?;
    pair.left_data.send("x", b"packet")?;
    holds("a packet out", statistics(&pair.left)?[3] == 1)?;
    works("clrstats", command(&pair.left, CLR_STATS, vec![]))?;
    same("the packets out after that", statistics(&pair.left)?[3], 0)
}

fn sysctls() -> Outcome {
    let count = |name: &str| -> Outcome<u64> {
        let name = format!("net.graph.socket.{name}");
        let bytes = here().sysctl(&name)?;
        match bytes.len() {
            4 => Ok(u64::from(message::number(&bytes, 0))),
            8 => Ok(long(&bytes, 0)),
            size => Err(Stop::Failed(format!("expected 4 or 8 bytes of {name}, got {size}"))),
        }
    };
    let before = (count("nodes")?, count("data_out")?);
    let pair = Pair::new()?;
    pair.left_data.send("x", b"packet")?;
    same(
        "nodes and packets out",
        (count("nodes")?, count("data_out")?),
        (before.0 + 2, before.1 + 1),
    )?;
    for name in ["control_in", "control_out", "data_in"] {
        holds(name, count(name)? > 0)?;
    }
    Ok(())
}
