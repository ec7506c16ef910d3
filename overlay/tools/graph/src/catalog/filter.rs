//! Types that watch, count, delay, change or make packets, whatever these are.

use super::{Hooks, Life, Passes, Setting, Type};

pub(super) const TYPES: &[Type] = &[
    // ng_tee(4). What comes in by a copy's hook goes on as if it had come from the other side.
    Type {
        hooks: &[Hooks::Named(&["left", "right", "left2right", "right2left"])],
        spare: &[Hooks::Named(&["left2right", "right2left", "left", "right"])],
        passes: Passes::Ways(&[
            ("left", "right"),
            ("right", "left"),
            ("left", "left2right"),
            ("right", "right2left"),
            ("left2right", "left"),
            ("right2left", "right"),
        ]),
        ..Type::named("tee")
    },
    // ng_hole(4).
    Type {
        spare: &[Hooks::Any],
        texts: &["clrstats"],
        ..Type::named("hole")
    },
    // ng_echo(4).
    Type {
        spare: &[Hooks::Any],
        passes: Passes::Back,
        ..Type::named("echo")
    },
    // ng_split(4).
    Type {
        hooks: &[Hooks::Named(&["mixed", "in", "out"])],
        needs: &["mixed"],
        spare: &[Hooks::Named(&["mixed", "in", "out"])],
        passes: Passes::Ways(&[("in", "mixed"), ("mixed", "out")]),
        ..Type::named("split")
    },
    // ng_source(4). It goes with `output`, whatever feeds it.
    Type {
        hooks: &[Hooks::Named(&["input", "output"])],
        needs: &["output"],
        dies_with: &["output"],
        spare: &[Hooks::Named(&["input"])],
        settings: &[
            Setting::pair("settimestamp", "gettimestamp"),
            Setting::keyed("setcounter", "getcounter", "index"),
        ],
        texts: &["setiface"],
        ..Type::named("source")
    },
    // ng_pipe(4). It stays when its hooks go: its disconnect method never ends it.
    Type {
        hooks: &[Hooks::Named(&["upper", "lower"])],
        needs: &["upper", "lower"],
        life: Life::Lasting("upper"),
        settings: &[Setting::pair("setcfg", "getcfg")],
        passes: Passes::Pairs(&[("upper", "lower")]),
        ..Type::named("pipe")
    },
    // ng_car(4).
    Type {
        hooks: &[Hooks::Named(&["upper", "lower"])],
        needs: &["upper", "lower"],
        spare: &[Hooks::Named(&["upper", "lower"])],
        settings: &[Setting::pair("setconf", "getconf")],
        passes: Passes::Pairs(&[("upper", "lower")]),
        ..Type::named("car")
    },
    // ng_bpf(4). What a hook passes on is a program's business; until one is set, nothing.
    Type {
        spare: &[Hooks::Any],
        settings: &[Setting::keyed("setprogram", "getprogram", "thisHook")],
        texts: &["thisHook", "ifMatch", "ifNotMatch", "clrstats"],
        ..Type::named("bpf")
    },
    // ng_tag(4). The same with tags.
    Type {
        spare: &[Hooks::Any],
        settings: &[
            Setting::keyed("sethookin", "gethookin", "thisHook"),
            Setting::keyed("sethookout", "gethookout", "thisHook"),
        ],
        texts: &["thisHook", "ifMatch", "ifNotMatch", "clrstats"],
        ..Type::named("tag")
    },
    // ng_patch(4). A second hook that starts with `in` or `out` would take the place of the first.
    Type {
        hooks: &[Hooks::Starting("in"), Hooks::Starting("out")],
        needs: &["in"],
        spare: &[Hooks::Named(&["out", "in"])],
        settings: &[
            Setting::with_default("setdlt", "getdlt", "12"),
            Setting::pair("setconfig", "getconfig"),
        ],
        passes: Passes::Pairs(&[("in", "out")]),
        ..Type::named("patch")
    },
    // ng_checksum(4). Its hooks are like those of ng_patch(4).
    Type {
        hooks: &[Hooks::Starting("in"), Hooks::Starting("out")],
        needs: &["in"],
        spare: &[Hooks::Named(&["out", "in"])],
        settings: &[
            Setting::with_default("setdlt", "getdlt", "12"),
            Setting::pair("setconfig", "getconfig"),
        ],
        passes: Passes::Pairs(&[("in", "out")]),
        ..Type::named("checksum")
    },
    // ng_device(4). One hook of any name; the node gives itself the name of its device, until it is given another.
    Type {
        most: Some(1),
        ..Type::named("device")
    },
    // ng_socket(4). Each is the node of a process.
    Type {
        life: Life::Given,
        ..Type::named("socket")
    },
];
