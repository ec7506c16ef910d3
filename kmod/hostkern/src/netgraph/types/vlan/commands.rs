//! The messages of `vlan`: `netgraph/ng_vlan.h`.

use kpi::raw::netgraph::ng_cmdlist;

use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{
    ArrayInfo, StructField, count_before, ng_parse_array_type, ng_parse_hint16_type, ng_parse_hint32_type,
    ng_parse_hookbuf_type, ng_parse_type, ng_parse_uint8_type, ng_parse_uint16_type, ng_parse_uint32_type,
};

/// `NGM_VLAN_COOKIE`
pub(super) const COOKIE: u32 = 1_068_486_472;

pub(super) const ADD_FILTER: u32 = 1;
pub(super) const DEL_FILTER: u32 = 2;
pub(super) const GET_TABLE: u32 = 3;
pub(super) const DEL_VID_FLT: u32 = 4;
pub(super) const GET_DECAP: u32 = 5;
pub(super) const SET_DECAP: u32 = 6;
pub(super) const GET_ENCAP: u32 = 7;
pub(super) const SET_ENCAP: u32 = 8;
pub(super) const GET_ENCAP_PROTO: u32 = 9;
pub(super) const SET_ENCAP_PROTO: u32 = 10;

/// `struct ng_vlan_filter`
static FILTER: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"hook", &ng_parse_hookbuf_type),
            StructField::new(c"vlan", &ng_parse_uint16_type),
            StructField::new(c"vid", &ng_parse_uint16_type),
            StructField::new(c"pcp", &ng_parse_uint8_type),
            StructField::new(c"cfi", &ng_parse_uint8_type),
            StructField::END,
        ]
    },
);

static FILTERS: ng_parse_type =
    ng_parse_type::of(&ng_parse_array_type, const { &ArrayInfo::new(&FILTER, count_before) });

/// `struct ng_vlan_table`
static TABLE: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"n", &ng_parse_uint32_type),
            StructField::new(c"filter", &FILTERS),
            StructField::END,
        ]
    },
);

pub(super) const COMMANDS: &[ng_cmdlist] = &[
    command(COOKIE, ADD_FILTER, c"addfilter", &FILTER, NONE),
    command(COOKIE, DEL_FILTER, c"delfilter", &ng_parse_hookbuf_type, NONE),
    command(COOKIE, GET_TABLE, c"gettable", NONE, &TABLE),
    command(COOKIE, DEL_VID_FLT, c"delvidflt", &ng_parse_uint16_type, NONE),
    command(COOKIE, GET_DECAP, c"getdecap", NONE, &ng_parse_hint32_type),
    command(COOKIE, SET_DECAP, c"setdecap", &ng_parse_hint32_type, NONE),
    command(COOKIE, GET_ENCAP, c"getencap", NONE, &ng_parse_hint32_type),
    command(COOKIE, SET_ENCAP, c"setencap", &ng_parse_hint32_type, NONE),
    command(COOKIE, GET_ENCAP_PROTO, c"getencapproto", NONE, &ng_parse_hint16_type),
    command(COOKIE, SET_ENCAP_PROTO, c"setencapproto", &ng_parse_hint16_type, NONE),
    END,
];
