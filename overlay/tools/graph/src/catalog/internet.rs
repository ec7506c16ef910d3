//! Types that know IP packets.

use super::{Hooks, Life, Passes, Setting, Type};

pub(super) const TYPES: &[Type] = &[
    // ng_iface(4). The interface, and with it the node, stays until it is shut down.
    Type {
        hooks: &[Hooks::Named(&["inet", "inet6"])],
        life: Life::Lasting("inet"),
        ..Type::named("iface")
    },
    // ng_ip_input(4).
    Type {
        spare: &[Hooks::Any],
        ..Type::named("ip_input")
    },
    // ng_ipfw(4). The module makes the only node, `ipfw`; its hooks are the numbers of rules' `netgraph` actions.
    Type {
        hooks: &[Hooks::numbered("", u32::MAX)],
        life: Life::Given,
        ..Type::named("ipfw")
    },
    // ng_ksocket(4). The one hook makes the socket, so that none is spare. What getname answers is not what bind was
    // told once the socket is connected, so that is no pair.
    Type {
        hooks: &[Hooks::Socket],
        most: Some(1),
        settings: &[Setting::pair("connect", "getpeername")],
        ..Type::named("ksocket")
    },
    // ng_nat(4).
    Type {
        hooks: &[Hooks::Named(&["in", "out"])],
        needs: &["in", "out"],
        spare: &[Hooks::Named(&["in", "out"])],
        settings: &[Setting::with_default("setdlt", "getdlt", "12")],
        texts: &["description", "proxyrule"],
        passes: Passes::Pairs(&[("in", "out")]),
        ..Type::named("nat")
    },
    // ng_netflow(4). A spare export hook would take records away.
    Type {
        hooks: &[
            Hooks::numbered("iface", 65_534),
            Hooks::numbered("out", 65_534),
            Hooks::Named(&["export", "export9"]),
        ],
        spare: &[Hooks::numbered("iface", 65_534)],
        passes: Passes::Numbered("iface", "out"),
        ..Type::named("netflow")
    },
    // ng_tcpmss(4). Between which hooks it passes packets is set by messages.
    Type {
        spare: &[Hooks::Any],
        texts: &["inHook", "outHook", "clrstats"],
        ..Type::named("tcpmss")
    },
    // ng_gif(4). Nodes come with their interfaces.
    Type {
        hooks: &[Hooks::Named(&["lower", "orphans", "divert"])],
        alternatives: &[&["lower", "orphans", "divert"]],
        life: Life::Given,
        ..Type::named("gif")
    },
    // ng_gif_demux(4). It stays when its hooks go: its disconnect method never ends it.
    Type {
        hooks: &[Hooks::Named(&["gif", "inet", "inet6", "atalk", "ipx", "atm", "natm"])],
        needs: &["gif"],
        life: Life::Lasting("gif"),
        ..Type::named("gif_demux")
    },
];
