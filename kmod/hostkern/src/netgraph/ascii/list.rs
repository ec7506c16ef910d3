//! Lists of commands, as types written in Rust give them: each ends with [`END`].

use core::ffi::CStr;
use core::ptr::null;

use kpi::raw::netgraph::ng_cmdlist;

use super::types::ng_parse_type;

/// No arguments, or no answer.
pub(in crate::netgraph) const NONE: *const ng_parse_type = null();

/// A command with its arguments and its answer.
pub(in crate::netgraph) const fn command(
    cookie: u32,
    number: u32,
    name: &'static CStr,
    arguments: *const ng_parse_type,
    answer: *const ng_parse_type,
) -> ng_cmdlist {
    ng_cmdlist {
        cookie,
        cmd: number.cast_signed(),
        name: name.as_ptr(),
        mesgType: arguments.cast(),
        respType: answer.cast(),
    }
}

/// What ends a list.
pub(in crate::netgraph) const END: ng_cmdlist = ng_cmdlist {
    cookie: 0,
    cmd: 0,
    name: null(),
    mesgType: null(),
    respType: null(),
};
