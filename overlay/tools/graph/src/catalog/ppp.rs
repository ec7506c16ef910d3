//! Types for PPP and its tunnels. Daemons such as mpd make most of them.

use super::{Hooks, Life, Setting, Type};

pub(super) const TYPES: &[Type] = &[
    // ng_ppp(4).
    Type {
        hooks: &[
            Hooks::numbered("link", 15),
            Hooks::Named(&[
                "bypass",
                "inet",
                "ipv6",
                "ipx",
                "atalk",
                "compress",
                "decompress",
                "encrypt",
                "decrypt",
                "vjc_ip",
                "vjc_vjcomp",
                "vjc_vjuncomp",
                "vjc_vjip",
            ]),
        ],
        spare: &[Hooks::Named(&["ipx", "atalk", "bypass", "ipv6", "inet"])],
        settings: &[Setting::pair("setconfig", "getconfig")],
        ..Type::named("ppp")
    },
    // ng_pppoe(4). Every other hook is a session, for a service or peer that a message names. The node goes with
    // `ethernet`, whatever sessions there are.
    Type {
        needs: &["ethernet"],
        dies_with: &["ethernet"],
        spare: &[Hooks::Any],
        settings: &[Setting::with_default("pppoe_setmode", "pppoe_getmode", "\"standard\"")],
        texts: &["hook", "data", "pppoe_setmode"],
        ..Type::named("pppoe")
    },
    // ng_l2tp(4).
    Type {
        hooks: &[Hooks::Named(&["lower", "ctrl"]), Hooks::Hexadecimal("session_")],
        needs: &["lower", "ctrl"],
        spare: &[Hooks::Hexadecimal("session_")],
        settings: &[
            Setting::pair("setconfig", "getconfig"),
            Setting::keyed("setsessconfig", "getsessconfig", "session_id"),
        ],
        ..Type::named("l2tp")
    },
    // ng_pptpgre(4). `upper` is the session of nodes that have only one.
    Type {
        hooks: &[Hooks::Named(&["lower", "upper"]), Hooks::Hexadecimal("session_")],
        needs: &["lower"],
        spare: &[Hooks::Hexadecimal("session_")],
        settings: &[Setting::keyed("setconfig", "getconfig", "cid")],
        ..Type::named("pptpgre")
    },
    // ng_mppc(4).
    Type {
        hooks: &[Hooks::Named(&["comp", "decomp"])],
        spare: &[Hooks::Named(&["comp", "decomp"])],
        ..Type::named("mppc")
    },
    // ng_deflate(4). A node works in one direction.
    Type {
        hooks: &[Hooks::Named(&["comp", "decomp"])],
        most: Some(1),
        alternatives: &[&["comp", "decomp"]],
        ..Type::named("deflate")
    },
    // ng_pred1(4). A node works in one direction.
    Type {
        hooks: &[Hooks::Named(&["comp", "decomp"])],
        most: Some(1),
        alternatives: &[&["comp", "decomp"]],
        ..Type::named("pred1")
    },
    // ng_vjc(4).
    Type {
        hooks: &[Hooks::Named(&["ip", "vjcomp", "vjuncomp", "vjip"])],
        spare: &[Hooks::Named(&["ip", "vjcomp", "vjuncomp", "vjip"])],
        settings: &[Setting::pair("setconfig", "getconfig")],
        ..Type::named("vjc")
    },
    // ng_async(4).
    Type {
        hooks: &[Hooks::Named(&["async", "sync"])],
        needs: &["async", "sync"],
        spare: &[Hooks::Named(&["sync", "async"])],
        settings: &[Setting::pair("setconfig", "getconfig")],
        ..Type::named("async")
    },
    // ng_tty(4). It stays until its terminal closes.
    Type {
        hooks: &[Hooks::Named(&["hook"])],
        needs: &["hook"],
        life: Life::Lasting("hook"),
        ..Type::named("tty")
    },
];
