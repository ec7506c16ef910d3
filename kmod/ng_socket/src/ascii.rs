//! The commands' and events' ASCII forms, by which `ngctl msg` turns text into arguments and shows what comes back.

use core::ffi::{CStr, c_int, c_void};
use core::ptr::{from_ref, null, null_mut};

use kpi::raw::netgraph::ng_cmdlist;
use kpi::raw::ng_parse::{
    ng_parse_fixedarray_info, ng_parse_fixedarray_type, ng_parse_hint32_type, ng_parse_hookbuf_type,
    ng_parse_struct_field, ng_parse_struct_type, ng_parse_type, ng_parse_uint32_type, ng_parse_uint64_type,
};
use kpi::raw::ng_socket::{NGM_SOCK_CMD_LINGER, NGM_SOCK_CMD_NOLINGER, NGM_SOCKET_COOKIE};
use kpi::shared::SyncConst;

use crate::messages::{Event, Policy, command};

type Type = *const ng_parse_type;

const U32: Type = &raw const ng_parse_uint32_type;
const MASK: Type = &raw const ng_parse_hint32_type;
const U64: Type = &raw const ng_parse_uint64_type;
const NAME: Type = &raw const ng_parse_hookbuf_type;
const NONE: Type = null();

/// A type made of `supertype` and what that has to know.
const fn derived(supertype: Type, info: *const c_void) -> SyncConst<ng_parse_type> {
    SyncConst(ng_parse_type {
        supertype,
        info,
        private: null_mut(),
        parse: null(),
        unparse: null(),
        getDefault: null(),
        getAlign: null(),
    })
}

const fn field(name: *const core::ffi::c_char, kind: Type) -> ng_parse_struct_field {
    ng_parse_struct_field {
        name,
        r#type: kind,
        alignment: 0,
    }
}

/// Declares structures: the name of the static, and the names and types of the members in their order.
macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident { $($member:literal: $kind:expr),* $(,)? })*) => {
        $(
            $(#[$doc])*
            static $name: SyncConst<ng_parse_type> = {
                static FIELDS: SyncConst<&[ng_parse_struct_field]> =
                    SyncConst(&[$(field($member.as_ptr(), $kind),)* field(null(), null())]);
                derived(&raw const ng_parse_struct_type, FIELDS.0.as_ptr().cast())
            };
        )*
    };
}

static NAMES_INFO: SyncConst<ng_parse_fixedarray_info> = SyncConst(ng_parse_fixedarray_info {
    elementType: NAME,
    length: Policy::NAMES as c_int,
    getDefault: null(),
});
static NAMES: SyncConst<ng_parse_type> = derived(&raw const ng_parse_fixedarray_type, from_ref(&NAMES_INFO.0).cast());

structures! {
    POLICY { c"policy": U32, c"limit": U32, c"names": from_ref(&NAMES.0) }
    STATISTICS {
        c"controlin": U64, c"controlout": U64, c"datain": U64, c"dataout": U64, c"nolistener": U64, c"full": U64,
        c"noheader": U64, c"controllost": U64, c"eventslost": U64, c"refused": U64,
    }
    CONNECTED { c"hook": NAME, c"peerhook": NAME, c"peertype": NAME, c"peerid": MASK }
    REMOVED { c"hook": NAME, c"why": U32 }
    REFUSED { c"hook": NAME, c"reason": U32 }
    RENAMED { c"name": NAME, c"old": NAME }
    DATA_SOCKET { c"attached": U32 }
    DROPPED { c"nolistener": U64, c"full": U64, c"noheader": U64, c"controllost": U64 }
    OVERFLOW { c"missed": U64 }
}

const fn entry(cmd: u32, name: &'static CStr, arguments: Type, answer: Type) -> ng_cmdlist {
    ng_cmdlist {
        cookie: NGM_SOCKET_COOKIE,
        cmd: cmd as c_int,
        name: name.as_ptr(),
        mesgType: arguments,
        respType: answer,
    }
}

const fn event(event: Event, name: &'static CStr, arguments: Type) -> ng_cmdlist {
    entry(event as u32, name, arguments, NONE)
}

/// Every command and event; an entry without a name ends the list.
static COMMANDS: SyncConst<[ng_cmdlist; 18]> = SyncConst([
    entry(NGM_SOCK_CMD_NOLINGER, c"nolinger", NONE, NONE),
    entry(NGM_SOCK_CMD_LINGER, c"linger", NONE, NONE),
    entry(command::SET_EVENTS, c"events", MASK, NONE),
    entry(command::GET_EVENTS, c"getevents", NONE, MASK),
    entry(command::SET_HOOK_POLICY, c"hookpolicy", from_ref(&POLICY.0), NONE),
    entry(command::GET_HOOK_POLICY, c"gethookpolicy", NONE, from_ref(&POLICY.0)),
    entry(command::GET_STATS, c"getstats", NONE, from_ref(&STATISTICS.0)),
    entry(command::CLR_STATS, c"clrstats", NONE, NONE),
    entry(command::GETCLR_STATS, c"getclrstats", NONE, from_ref(&STATISTICS.0)),
    event(Event::HookConnected, c"hookconnected", from_ref(&CONNECTED.0)),
    event(Event::HookRemoved, c"hookremoved", from_ref(&REMOVED.0)),
    event(Event::HookRefused, c"hookrefused", from_ref(&REFUSED.0)),
    event(Event::Renamed, c"renamed", from_ref(&RENAMED.0)),
    event(Event::DataSocket, c"datasocket", from_ref(&DATA_SOCKET.0)),
    event(Event::Dropped, c"dropped", from_ref(&DROPPED.0)),
    event(Event::ShuttingDown, c"shuttingdown", NONE),
    event(Event::Overflow, c"overflow", from_ref(&OVERFLOW.0)),
    ng_cmdlist {
        cookie: 0,
        cmd: 0,
        name: null(),
        mesgType: NONE,
        respType: NONE,
    },
]);

/// The list for the type's descriptor.
pub(crate) const fn commands() -> *const ng_cmdlist {
    COMMANDS.0.as_ptr()
}
