//! Types that pass Ethernet frames on as they are.

use super::{Hooks, Life, Passes, Setting, Type};

pub(super) const TYPES: &[Type] = &[
    // ng_ether(4). `divert` is `lower` by another name.
    Type {
        hooks: &[Hooks::Named(&["lower", "upper", "orphans", "divert"])],
        alternatives: &[&["lower", "divert"]],
        life: Life::Given,
        settings: &[
            Setting::with_default("setpromisc", "getpromisc", "0"),
            Setting::with_default("setautosrc", "getautosrc", "1"),
            Setting::pair("setenaddr", "getenaddr"),
        ],
        ..Type::named("ether")
    },
    // ng_eiface(4). The interface, and with it the node, stays until it is shut down.
    Type {
        hooks: &[Hooks::Named(&["ether"])],
        needs: &["ether"],
        life: Life::Lasting("ether"),
        ..Type::named("eiface")
    },
    // ng_bridge(4). `link0` is the first link, but `uplink1` the first uplink.
    Type {
        hooks: &[
            Hooks::numbered("link", u32::MAX),
            Hooks::Numbered {
                word: "uplink",
                first: 1,
                last: u32::MAX,
            },
        ],
        persistent: true,
        spare: &[Hooks::numbered("link", u32::MAX)],
        settings: &[Setting::with_default(
            "setconfig",
            "getconfig",
            "{ debugLevel=1 loopTimeout=60 maxStaleness=900 minStableAge=1 }",
        )],
        texts: &["hook"],
        passes: Passes::All,
        ..Type::named("bridge")
    },
    // ng_hub(4).
    Type {
        persistent: true,
        spare: &[Hooks::Any],
        passes: Passes::All,
        ..Type::named("hub")
    },
    // ng_one2many(4). A further `many` would get its share of the frames, so none is spare.
    Type {
        hooks: &[Hooks::Named(&["one"]), Hooks::numbered("many", 63)],
        needs: &["one"],
        spare: &[Hooks::Named(&["one"])],
        settings: &[Setting::pair("setconfig", "getconfig")],
        passes: Passes::Star("one"),
        ..Type::named("one2many")
    },
    // ng_vlan(4). What leaves by a VLAN's hook has lost its tag, so that only untagged frames can go round.
    Type {
        needs: &["downstream"],
        spare: &[Hooks::Any],
        settings: &[
            Setting::with_default("setdecap", "getdecap", "0x0"),
            Setting::with_default("setencap", "getencap", "0x1"),
            Setting::pair("setencapproto", "getencapproto"),
        ],
        texts: &["hook", "delfilter"],
        passes: Passes::Pairs(&[("downstream", "nomatch")]),
        ..Type::named("vlan")
    },
    // ng_vlan_rotate(4).
    Type {
        hooks: &[VLAN_ROTATE],
        needs: &["original", "ordered"],
        spare: &[VLAN_ROTATE],
        settings: &[Setting::pair("setconf", "getconf")],
        passes: Passes::Star("original"),
        ..Type::named("vlan_rotate")
    },
    // ng_etf(4). Every other hook is for a type of frame that a message names.
    Type {
        needs: &["downstream"],
        spare: &[Hooks::Any],
        texts: &["matchhook"],
        passes: Passes::Star("downstream"),
        ..Type::named("etf")
    },
    // ng_macfilter(4). Every other hook is for addresses that a message names.
    Type {
        needs: &["ether"],
        spare: &[Hooks::Any],
        texts: &["hookname"],
        passes: Passes::Star("ether"),
        ..Type::named("macfilter")
    },
    // ng_ether_echo(4).
    Type {
        spare: &[Hooks::Any],
        passes: Passes::Back,
        ..Type::named("ether_echo")
    },
];

const VLAN_ROTATE: Hooks = Hooks::Named(&["excessive", "incomplete", "original", "ordered"]);
