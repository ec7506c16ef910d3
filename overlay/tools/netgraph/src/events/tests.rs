//! Every event, read from the module's layout.

use super::*;
use crate::wire::{IS_REPLY, padded};

fn message(command: u32, parts: &[&[u8]]) -> Message {
    Message {
        command,
        flags: 0,
        token: 1,
        cookie: SOCKET_COOKIE,
        name: String::new(),
        data: parts.concat(),
    }
}

fn read(command: u32, parts: &[&[u8]]) -> Event {
    let message = message(command, parts);
    for length in 0..message.data.len() {
        let data = message.data[..length].to_vec();
        let short = Message {
            data,
            ..message.clone()
        };
        assert!(Event::read(&short).is_err(), "{command} with {length} bytes");
    }
    Event::read(&message).unwrap()
}

#[test]
fn a_connected_hook_has_its_peer() {
    let (a, b, tee) = (padded::<32>("a"), padded::<32>("b"), padded::<32>("tee"));
    let peer = Peer {
        id: NodeId(7),
        type_name: "tee".into(),
        hook: "b".into(),
    };
    let told = read(32, &[&a, &b, &tee, &[7, 0, 0, 0]]);
    assert_eq!(
        told,
        Event::HookConnected {
            hook: "a".into(),
            peer: Some(peer)
        }
    );
    let gone = read(32, &[&a, &[0; 68]]);
    assert_eq!(
        gone,
        Event::HookConnected {
            hook: "a".into(),
            peer: None
        }
    );
}

#[test]
fn every_other_event_is_read() {
    let name = padded::<32>("a");
    let hook = "a".to_owned();
    let why = Removal::Peer;
    assert_eq!(read(33, &[&name, &[3, 0, 0, 0]]), Event::HookRemoved { hook, why });
    let (hook, why) = ("a".to_owned(), Refusal::Limit);
    assert_eq!(read(34, &[&name, &[2, 0, 0, 0]]), Event::HookRefused { hook, why });
    let (name_now, old) = ("a".to_owned(), None);
    assert_eq!(read(35, &[&name, &[0; 32]]), Event::Renamed { name: name_now, old });
    assert_eq!(read(36, &[&[1, 0, 0, 0]]), Event::DataSocket { attached: true });
    let numbers: Vec<u8> = (1..=4u64).flat_map(u64::to_le_bytes).collect();
    let drops = Drops {
        no_listener: 1,
        full: 2,
        no_header: 3,
        control_lost: 4,
    };
    assert_eq!(read(37, &[&numbers]), Event::Dropped(drops));
    assert_eq!(read(38, &[]), Event::ShuttingDown);
    assert_eq!(read(39, &[&[9, 0, 0, 0, 0, 0, 0, 0]]), Event::Overflow { missed: 9 });
}

#[test]
fn other_messages_are_no_events() {
    let event = message(38, &[]);
    let answer = Message {
        flags: IS_REPLY,
        ..event.clone()
    };
    let of_another_type = Message { cookie: 1, ..event };
    for other in [answer, of_another_type, message(31, &[]), message(40, &[])] {
        assert!(!Event::is_event(&other), "{other:?}");
        assert!(Event::read(&other).is_err(), "{other:?}");
    }
    assert!(Event::read(&message(33, &[&padded::<32>("a"), &[4, 0, 0, 0]])).is_err());
}
