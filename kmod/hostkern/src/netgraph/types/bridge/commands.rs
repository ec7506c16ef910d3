//! The messages of `bridge`: `netgraph/ng_bridge.h`.

use kpi::raw::netgraph::ng_cmdlist;

use crate::netgraph::ascii::list::{END, NONE, command};
use crate::netgraph::ascii::types::{
    ArrayInfo, StructField, count_before, ng_parse_array_type, ng_parse_enaddr_type, ng_parse_hookbuf_type,
    ng_parse_int32_type, ng_parse_type, ng_parse_uint8_type, ng_parse_uint16_type, ng_parse_uint32_type,
    ng_parse_uint64_type,
};

/// `NGM_BRIDGE_COOKIE`
pub(super) const COOKIE: u32 = 1_569_321_993;

pub(super) const SET_CONFIG: u32 = 1;
pub(super) const GET_CONFIG: u32 = 2;
pub(super) const RESET: u32 = 3;
pub(super) const GET_STATS: u32 = 4;
pub(super) const CLEAR_STATS: u32 = 5;
pub(super) const GET_CLEAR_STATS: u32 = 6;
pub(super) const GET_TABLE: u32 = 7;
pub(super) const SET_PERSISTENT: u32 = 8;
pub(super) const MOVE_HOST: u32 = 9;

/// `struct ng_bridge_config`
static CONFIG: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"debugLevel", &ng_parse_uint8_type),
            StructField::new(c"loopTimeout", &ng_parse_uint32_type),
            StructField::new(c"maxStaleness", &ng_parse_uint32_type),
            StructField::new(c"minStableAge", &ng_parse_uint32_type),
            StructField::END,
        ]
    },
);

/// `struct ng_bridge_link_stats`; two fields are called otherwise there.
static STATS: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"recvOctets", &ng_parse_uint64_type),
            StructField::new(c"recvPackets", &ng_parse_uint64_type),
            StructField::new(c"recvMulticast", &ng_parse_uint64_type),
            StructField::new(c"recvBroadcast", &ng_parse_uint64_type),
            StructField::new(c"recvUnknown", &ng_parse_uint64_type),
            StructField::new(c"recvRunts", &ng_parse_uint64_type),
            StructField::new(c"recvInvalid", &ng_parse_uint64_type),
            StructField::new(c"xmitOctets", &ng_parse_uint64_type),
            StructField::new(c"xmitPackets", &ng_parse_uint64_type),
            StructField::new(c"xmitMulticasts", &ng_parse_uint64_type),
            StructField::new(c"xmitBroadcasts", &ng_parse_uint64_type),
            StructField::new(c"loopDrops", &ng_parse_uint64_type),
            StructField::new(c"loopDetects", &ng_parse_uint64_type),
            StructField::new(c"memoryFailures", &ng_parse_uint64_type),
            StructField::END,
        ]
    },
);

/// `struct ng_bridge_hostent`
static HOST: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"addr", &ng_parse_enaddr_type),
            StructField::new(c"hook", &ng_parse_hookbuf_type),
            StructField::new(c"age", &ng_parse_uint16_type),
            StructField::new(c"staleness", &ng_parse_uint16_type),
            StructField::END,
        ]
    },
);

static HOSTS: ng_parse_type = ng_parse_type::of(&ng_parse_array_type, const { &ArrayInfo::new(&HOST, count_before) });

/// `struct ng_bridge_host_ary`
static TABLE: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"numHosts", &ng_parse_uint32_type),
            StructField::new(c"hosts", &HOSTS),
            StructField::END,
        ]
    },
);

/// `struct ng_bridge_move_host`
static MOVE: ng_parse_type = ng_parse_type::structure(
    const {
        &[
            StructField::new(c"addr", &ng_parse_enaddr_type),
            StructField::new(c"hook", &ng_parse_hookbuf_type),
            StructField::END,
        ]
    },
);

pub(super) const COMMANDS: &[ng_cmdlist] = &[
    command(COOKIE, SET_CONFIG, c"setconfig", &CONFIG, NONE),
    command(COOKIE, GET_CONFIG, c"getconfig", NONE, &CONFIG),
    command(COOKIE, RESET, c"reset", NONE, NONE),
    command(COOKIE, GET_STATS, c"getstats", &ng_parse_int32_type, &STATS),
    command(COOKIE, CLEAR_STATS, c"clrstats", &ng_parse_int32_type, NONE),
    command(COOKIE, GET_CLEAR_STATS, c"getclrstats", &ng_parse_int32_type, &STATS),
    command(COOKIE, GET_TABLE, c"gettable", NONE, &TABLE),
    command(COOKIE, SET_PERSISTENT, c"setpersistent", NONE, NONE),
    command(COOKIE, MOVE_HOST, c"movehost", &MOVE, NONE),
    END,
];
