//! The messages of `ether`: `netgraph/ng_ether.h`.

use kpi::raw::netgraph::ng_cmdlist;

use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{ng_parse_enaddr_type, ng_parse_int32_type, ng_parse_string_type};

/// `NGM_ETHER_COOKIE`
pub(super) const COOKIE: u32 = 917_786_906;

pub(super) const GET_IFNAME: u32 = 1;
pub(super) const GET_IFINDEX: u32 = 2;
pub(super) const GET_ENADDR: u32 = 3;
pub(super) const SET_ENADDR: u32 = 4;
pub(super) const GET_PROMISC: u32 = 5;
pub(super) const SET_PROMISC: u32 = 6;
pub(super) const GET_AUTOSRC: u32 = 7;
pub(super) const SET_AUTOSRC: u32 = 8;
pub(super) const ADD_MULTI: u32 = 9;
pub(super) const DEL_MULTI: u32 = 10;
pub(super) const DETACH: u32 = 11;

pub(super) const COMMANDS: &[ng_cmdlist] = &[
    command(COOKIE, GET_IFNAME, c"getifname", NONE, &ng_parse_string_type),
    command(COOKIE, GET_IFINDEX, c"getifindex", NONE, &ng_parse_int32_type),
    command(COOKIE, GET_ENADDR, c"getenaddr", NONE, &ng_parse_enaddr_type),
    command(COOKIE, SET_ENADDR, c"setenaddr", &ng_parse_enaddr_type, NONE),
    command(COOKIE, GET_PROMISC, c"getpromisc", NONE, &ng_parse_int32_type),
    command(COOKIE, SET_PROMISC, c"setpromisc", &ng_parse_int32_type, NONE),
    command(COOKIE, GET_AUTOSRC, c"getautosrc", NONE, &ng_parse_int32_type),
    command(COOKIE, SET_AUTOSRC, c"setautosrc", &ng_parse_int32_type, NONE),
    command(COOKIE, ADD_MULTI, c"addmulti", &ng_parse_enaddr_type, NONE),
    command(COOKIE, DEL_MULTI, c"delmulti", &ng_parse_enaddr_type, NONE),
    command(COOKIE, DETACH, c"detach", NONE, NONE),
    END,
];
