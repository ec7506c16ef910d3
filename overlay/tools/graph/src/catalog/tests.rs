//! The tables against the manual and the sources.

use super::*;

#[test]
fn hooks_of_known_types() {
    let rows = [
        ("tee", "left", true),
        ("tee", "middle", false),
        ("bridge", "link0", true),
        ("bridge", "uplink12", true),
        ("bridge", "uplink0", false),
        ("bridge", "link", false),
        ("bridge", "link01", false),
        ("bridge", "link4294967296", false),
        ("one2many", "many63", true),
        ("one2many", "many64", false),
        ("netflow", "iface65534", true),
        ("netflow", "out65535", false),
        ("frame_relay", "dlci1023", true),
        ("frame_relay", "dlci1024", false),
        ("ppp", "link15", true),
        ("ppp", "link16", false),
        ("ipfw", "60", true),
        ("ipfw", "060", false),
        ("ipfw", "x", false),
        ("l2tp", "session_00ff", true),
        ("l2tp", "session_00FF", false),
        ("pptpgre", "session_0ff", false),
        ("patch", "in2", true),
        ("patch", "up", false),
        ("vlan", "office", true),
        ("ksocket", "inet/dgram/udp", true),
        ("ksocket", "inet/raw/89", true),
        ("ksocket", "inet6/dgram/17", true),
        ("ksocket", "inet6/dgram/udp", false),
        ("ksocket", "inet/dgram", false),
        ("unheard_of", "anything", true),
    ];
    for (kind, hook, accepted) in rows {
        assert_eq!(objection(kind, hook).is_none(), accepted, "{kind} {hook}");
    }
}

#[test]
fn an_objection_says_what_was_meant_or_where_the_limit_is() {
    let rows = [
        ("tee", "lefft", "did you mean `left`?"),
        ("bridge", "port0", "its hooks are `link0` onwards and `uplink1` onwards"),
        ("bridge", "uplink0", "the numbers of `uplink` start at 1"),
        ("bridge", "link", "it takes a number, as in `link0`"),
        ("bridge", "link007", "write `link7`, without zeros in front"),
        ("one2many", "many64", "the numbers of `many` go from 0 to 63"),
        ("one2many", "oen", "did you mean `one`?"),
        (
            "ksocket",
            "udp",
            "it is named for its socket: `family/type/protocol`, such as `inet/dgram/udp`",
        ),
        (
            "ksocket",
            "inet/dgram/udq",
            "there is no protocol `udq`; did you mean `udp`?",
        ),
        (
            "ksocket",
            "inet6/dgram/udp",
            "give the protocol of the family inet6 as a number, such as 0",
        ),
        (
            "ksocket",
            "ient/dgram/udp",
            "there is no protocol family `ient`; did you mean `inet`?",
        ),
    ];
    for (kind, hook, expected) in rows {
        assert_eq!(objection(kind, hook).unwrap(), expected, "{kind} {hook}");
    }
}

#[test]
fn a_spare_hook_is_not_in_use_and_changes_nothing() {
    let rows: [(&str, &[&str], Option<&str>); 14] = [
        ("tee", &["left", "right"], Some("left2right")),
        ("tee", &["left", "right", "left2right", "right2left"], None),
        ("bridge", &["link0"], Some("link1")),
        ("hub", &["spare0"], Some("spare1")),
        ("one2many", &["many0"], Some("one")),
        ("one2many", &["one", "many0"], None),
        ("netflow", &["iface0", "out0"], Some("iface1")),
        ("l2tp", &["lower", "session_ffff"], Some("session_fffe")),
        ("source", &["output"], Some("input")),
        ("eiface", &[], None),
        ("ksocket", &[], None),
        ("deflate", &["comp"], None),
        ("ether", &["lower"], None),
        ("unheard_of", &[], None),
    ];
    for (kind, used, expected) in rows {
        let spare = spare_hook(kind, &|name| used.contains(&name));
        assert_eq!(spare.as_deref(), expected, "{kind} {used:?}");
    }
}

#[test]
fn the_tables_agree_with_themselves() {
    let mut seen = std::collections::HashSet::new();
    for kind in all() {
        let name = kind.name;
        assert!(seen.insert(name), "{name} is there twice");
        let lasting = of_lasting_type(name);
        let sets = kind.alternatives.iter().copied().flatten();
        let words = kind.needs.iter().chain(kind.dies_with).chain(sets).copied();
        for hook in words.chain(lasting) {
            assert!(kind.accepts(hook), "{name} {hook}");
        }
        if let Some(spare) = spare_hook(name, &|_| false) {
            assert!(kind.accepts(&spare), "{name} {spare}");
            assert!(!kind.dies_with.contains(&spare.as_str()), "{name} {spare}");
        }
        assert!(
            kind.life != Life::Given || spare_hook(name, &|_| false).is_none(),
            "{name}"
        );
        assert!(kind.settings.iter().all(|setting| setting.set != setting.get), "{name}");
    }
}

#[test]
fn types_are_found_with_their_modules() {
    assert_eq!(find("netflow").unwrap().module(), "ng_netflow");
    assert_eq!(find("btsock_l2c").unwrap().module(), "ng_btsocket");
    assert_eq!(names().filter(|name| *name == "UI").count(), 1);
    assert_eq!(find("bridge").unwrap().setting("setconfig").unwrap().get, "getconfig");
    assert!(find("bridge").unwrap().setting("setpersistent").is_none());
    assert!(find("sample").is_none());
}
