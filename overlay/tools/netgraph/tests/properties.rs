//! Whatever bytes come, decoding ends in a value or in an error; what was encoded is decoded.

use netgraph::{
    Accept, Address, Event, GetEvents, GetHookPolicy, GetNodeInfo, GetStatistics, HookName, HookPolicy, ListHooks,
    ListNodes, ListTypes, Message, NodeId, NodeName, Reader, Request, SOCKET_COOKIE, SetHookPolicy, TextStatus,
    ToAscii, TypeName, padded, until_zero,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..700)
}

fn message() -> impl Strategy<Value = Message> {
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
    (numbers, "[^\0]{0,7}", bytes()).prop_map(|((command, flags, token, cookie), name, data)| Message {
        command,
        flags,
        token,
        cookie,
        name,
        data,
    })
}

/// A text as users and kernels give it: mostly near to what is allowed.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9.:\\[\\]]{0,40}", "\\[0?x?[0-9a-fA-F]{0,17}\\]", any::<String>()]
}

proptest! {
    #[test]
    fn messages_are_read_as_they_were_written(message in message()) {
        prop_assert_eq!(Message::from_bytes(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn no_bytes_break_a_message(bytes in bytes()) {
        if let Ok(message) = Message::from_bytes(&bytes) {
            prop_assert_eq!(Message::from_bytes(&message.to_bytes()), Ok(message));
        }
    }

    #[test]
    fn no_bytes_break_an_answer(bytes in bytes()) {
        let _ = GetNodeInfo::reply(&bytes);
        let _ = ListHooks::reply(&bytes);
        let _ = ListNodes::reply(&bytes);
        let _ = ListTypes::reply(&bytes);
        let _ = TextStatus::reply(&bytes);
        let _ = ToAscii::reply(&bytes);
        let _ = GetEvents::reply(&bytes);
        let _ = GetStatistics::reply(&bytes);
        if let Ok(policy) = GetHookPolicy::reply(&bytes) {
            prop_assert_eq!(GetHookPolicy::reply(&SetHookPolicy(policy.clone()).arguments()), Ok(policy));
        }
    }

    #[test]
    fn no_bytes_break_an_event(command in 30u32..42, flags in 0u32..2, data in bytes()) {
        let message = Message { command, flags, token: 1, cookie: SOCKET_COOKIE, name: String::new(), data };
        if let Ok(event) = Event::read(&message) {
            prop_assert!(Event::is_event(&message));
            prop_assert!(!event.to_string().is_empty());
        }
    }

    #[test]
    fn a_reader_never_gives_more_than_there_is(bytes in bytes(), steps in vec(0usize..300, 0..20)) {
        let mut reader = Reader::new("any bytes", &bytes);
        let mut left = bytes.len();
        for step in steps {
            match reader.take(step) {
                Ok(part) => {
                    prop_assert_eq!(part.len(), step);
                    left -= step;
                }
                Err(_) => prop_assert!(step > left),
            }
        }
        prop_assert!(reader.take(usize::MAX).is_err() || left == usize::MAX);
    }

    #[test]
    fn policies_are_read_as_they_were_written(names in vec("[a-z]{1,31}", 0..=16), limit in any::<u32>(), kind in 0..4) {
        let names: Vec<HookName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let accept = match kind {
            0 => Accept::All,
            1 => Accept::Nothing,
            2 => Accept::Listed(names),
            _ => Accept::Prefixed(names),
        };
        let policy = HookPolicy::new(accept).unwrap().with_limit(limit);
        let arguments = SetHookPolicy(policy.clone()).arguments();
        prop_assert_eq!(arguments.len(), 520);
        prop_assert_eq!(GetHookPolicy::reply(&arguments), Ok(policy));
    }

    #[test]
    fn what_is_a_name_fits_its_field_and_addresses_its_node(text in text()) {
        if let Ok(name) = text.parse::<NodeName>() {
            prop_assert_eq!(until_zero(&padded::<32>(name.as_str())), name.as_str());
            let address = Address::from(&name);
            prop_assert_eq!(address.as_str().parse::<Address>(), Ok(address.clone()));
            prop_assert_eq!(address.start(), netgraph::Start::Name(text.clone()));
        }
        if let Ok(hook) = text.parse::<HookName>() {
            let address = Address::here().beyond(&hook).unwrap();
            prop_assert_eq!(address.hops().collect::<Vec<_>>(), [hook.as_str()]);
        }
        if let Ok(name) = text.parse::<TypeName>() {
            prop_assert!(name.as_str().parse::<HookName>().is_ok());
        }
    }

    #[test]
    fn an_id_is_never_a_name(id in 1u32.., text in text()) {
        prop_assert_eq!(NodeId(id).to_string().parse(), Ok(NodeId(id)));
        prop_assert!(NodeId(id).to_string().parse::<NodeName>().is_err());
        prop_assert!(text.parse::<NodeId>().is_err() || text.parse::<NodeName>().is_err());
    }

    #[test]
    fn addresses_are_read_as_they_were_written(text in text()) {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse(), Ok(address.clone()));
            prop_assert!(address.hops().all(|hop| hop.len() <= netgraph::MAX_NAME));
        }
    }
}
