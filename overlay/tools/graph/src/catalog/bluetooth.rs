//! Types for Bluetooth. hccontrol(8) and the rc scripts make most of them.

use super::{Hooks, Life, Setting, Type};

pub(super) const TYPES: &[Type] = &[
    // ng_ubt(4). Nodes come with their USB devices.
    Type {
        hooks: &[Hooks::Named(&["hook"])],
        life: Life::Given,
        ..Type::named("ubt")
    },
    // ng_hci(4).
    Type {
        hooks: &[Hooks::Named(&["drv", "acl", "sco", "raw"])],
        needs: &["drv"],
        spare: &[Hooks::Named(&["raw"])],
        settings: &[
            Setting::pair("set_debug", "get_debug"),
            Setting::pair("set_lm_mask", "get_lm_mask"),
            Setting::pair("set_pkt_mask", "get_pkt_mask"),
            Setting::pair("set_role_sw", "get_role_sw"),
        ],
        ..Type::named("hci")
    },
    // ng_l2cap(4). A new hook is told about, so none is spare.
    Type {
        hooks: &[Hooks::Named(&["hci", "l2c", "ctl"])],
        needs: &["hci"],
        settings: &[
            Setting::pair("set_debug", "get_debug"),
            Setting::pair("set_disc_timo", "get_disc_timo"),
        ],
        ..Type::named("l2cap")
    },
    // ng_btsocket(4). The module makes one node of each of these types.
    Type {
        module: Some("ng_btsocket"),
        life: Life::Given,
        ..Type::named("btsock_hci_raw")
    },
    Type {
        module: Some("ng_btsocket"),
        life: Life::Given,
        ..Type::named("btsock_l2c_raw")
    },
    Type {
        module: Some("ng_btsocket"),
        life: Life::Given,
        ..Type::named("btsock_l2c")
    },
    Type {
        module: Some("ng_btsocket"),
        life: Life::Given,
        ..Type::named("btsock_sco")
    },
];
