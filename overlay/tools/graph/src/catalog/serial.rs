//! Types for serial lines and frame relay.

use super::{Hooks, Life, Setting, Type};

pub(super) const TYPES: &[Type] = &[
    // ng_cisco(4).
    Type {
        hooks: &[Hooks::Named(&["downstream", "inet", "inet6", "atalk", "ipx", "debug"])],
        needs: &["downstream"],
        spare: &[Hooks::Named(&["debug"])],
        settings: &[Setting::pair("setipaddr", "getipaddr")],
        ..Type::named("cisco")
    },
    // ng_frame_relay(4).
    Type {
        hooks: &[Hooks::Named(&["downstream", "debug"]), Hooks::numbered("dlci", 1023)],
        needs: &["downstream"],
        spare: &[Hooks::Named(&["debug"])],
        ..Type::named("frame_relay")
    },
    // ng_lmi(4). The first hook but `debug` that goes takes it along. Only detection has two.
    Type {
        hooks: &[Hooks::Named(&[
            "annexA", "annexD", "group4", "auto0", "auto1023", "debug",
        ])],
        alternatives: &[
            &["annexA", "annexD", "group4", "auto0"],
            &["annexA", "annexD", "group4", "auto1023"],
        ],
        dies_with: &["annexA", "annexD", "group4", "auto0", "auto1023"],
        ..Type::named("lmi")
    },
    // ng_rfc1490(4).
    Type {
        hooks: &[Hooks::Named(&["downstream", "inet", "ppp", "ethernet"])],
        needs: &["downstream"],
        spare: &[Hooks::Named(&["inet", "ppp", "ethernet", "downstream"])],
        settings: &[Setting::pair("setencap", "getencap")],
        texts: &["setencap"],
        ..Type::named("rfc1490")
    },
    // ng_UI(4).
    Type {
        hooks: &[Hooks::Named(&["downstream", "upstream"])],
        needs: &["downstream", "upstream"],
        spare: &[Hooks::Named(&["upstream", "downstream"])],
        ..Type::named("UI")
    },
    // udbp(4). Nodes come with their USB cables.
    Type {
        module: Some("udbp"),
        hooks: &[Hooks::Named(&["data"])],
        life: Life::Given,
        ..Type::named("udbp")
    },
];
