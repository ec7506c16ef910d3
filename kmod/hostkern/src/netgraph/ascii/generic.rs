//! The arguments of the generic messages.

use core::ffi::{CStr, c_int};

use kpi::raw::netgraph::ng_cmdlist;
use kpi::raw::ng_message::{NGM_GENERIC_COOKIE, NGM_MKPEER};

use super::list::{self, END, NONE};
use super::types::*;
use crate::netgraph::commands;

/// A structure of these fields.
macro_rules! structure {
    ($name:ident, $fields:ident[$count:literal]: $($field:literal = $kind:ident),* $(,)?) => {
        static $fields: [StructField; $count] = [$(StructField::new($field, &$kind)),*, StructField::END];
        static $name: ng_parse_type = ng_parse_type::of(&ng_parse_struct_type, &$fields);
    };
}

structure!(MKPEER, MKPEER_FIELDS[4]:
    c"type" = ng_parse_typebuf_type, c"ourhook" = ng_parse_hookbuf_type, c"peerhook" = ng_parse_hookbuf_type);
structure!(CONNECT, CONNECT_FIELDS[4]:
    c"path" = ng_parse_pathbuf_type, c"ourhook" = ng_parse_hookbuf_type, c"peerhook" = ng_parse_hookbuf_type);
structure!(NAME, NAME_FIELDS[2]: c"name" = ng_parse_nodebuf_type);
structure!(RMHOOK, RMHOOK_FIELDS[2]: c"hook" = ng_parse_hookbuf_type);
structure!(NODEINFO, NODEINFO_FIELDS[5]:
    c"name" = ng_parse_nodebuf_type, c"type" = ng_parse_typebuf_type,
    c"id" = ng_parse_hint32_type, c"hooks" = ng_parse_uint32_type);
structure!(LINKINFO, LINKINFO_FIELDS[4]:
    c"ourhook" = ng_parse_hookbuf_type, c"peerhook" = ng_parse_hookbuf_type, c"nodeinfo" = NODEINFO);
structure!(HOOKLIST, HOOKLIST_FIELDS[3]: c"nodeinfo" = NODEINFO, c"linkinfo" = LINKS);
structure!(NAMELIST, NAMELIST_FIELDS[3]: c"numnames" = ng_parse_uint32_type, c"nodeinfo" = NODES);
structure!(TYPEINFO, TYPEINFO_FIELDS[3]:
    c"typename" = ng_parse_typebuf_type, c"numnodes" = ng_parse_uint32_type);
structure!(TYPELIST, TYPELIST_FIELDS[3]: c"numtypes" = ng_parse_uint32_type, c"typeinfo" = TYPES);
structure!(MESSAGE, MESSAGE_FIELDS[11]:
    c"version" = ng_parse_uint8_type, c"spare" = ng_parse_uint8_type, c"spare2" = ng_parse_uint16_type,
    c"arglen" = ng_parse_uint32_type, c"cmd" = ng_parse_uint32_type, c"flags" = ng_parse_hint32_type,
    c"token" = ng_parse_uint32_type, c"typecookie" = ng_parse_uint32_type, c"cmdstr" = ng_parse_cmdbuf_type,
    c"data" = DATA);

static LINKS_INFO: ArrayInfo = ArrayInfo::new(&LINKINFO, count_before);
static LINKS: ng_parse_type = ng_parse_type::of(&ng_parse_array_type, &LINKS_INFO);
static NODES_INFO: ArrayInfo = ArrayInfo::new(&NODEINFO, count_before);
static NODES: ng_parse_type = ng_parse_type::of(&ng_parse_array_type, &NODES_INFO);
static TYPES_INFO: ArrayInfo = ArrayInfo::new(&TYPEINFO, count_before);
static TYPES: ng_parse_type = ng_parse_type::of(&ng_parse_array_type, &TYPES_INFO);
static DATA: ng_parse_type = ng_parse_type::of_function(&ng_parse_bytearray_type, length_of_data);

/// `arglen` of the `struct ng_mesg` that the data belong to.
unsafe extern "C" fn length_of_data(_kind: *const ng_parse_type, _start: *const u8, data: *const u8) -> c_int {
    let length = data.wrapping_sub(56 - 4).cast::<u32>();
    // SAFETY: the header precedes the data.
    let length = unsafe { length.read_unaligned() };
    c_int::try_from(length).unwrap_or(-1)
}

/// A list of commands that any thread may read.
pub(super) struct Commands([ng_cmdlist; 15]);

// SAFETY: constants.
unsafe impl Sync for Commands {}

impl Commands {
    pub(super) fn as_ptr(&self) -> *const ng_cmdlist {
        self.0.as_ptr()
    }
}

const fn command(
    number: u32,
    name: &'static CStr,
    arguments: *const ng_parse_type,
    answer: *const ng_parse_type,
) -> ng_cmdlist {
    list::command(NGM_GENERIC_COOKIE, number, name, arguments, answer)
}

/// The generic messages.
pub(super) static COMMANDS: Commands = Commands([
    command(commands::SHUTDOWN, c"shutdown", NONE, NONE),
    command(NGM_MKPEER, c"mkpeer", &MKPEER, NONE),
    command(commands::CONNECT, c"connect", &CONNECT, NONE),
    command(commands::NAME, c"name", &NAME, NONE),
    command(commands::RMHOOK, c"rmhook", &RMHOOK, NONE),
    command(commands::NODEINFO, c"nodeinfo", NONE, &NODEINFO),
    command(commands::LISTHOOKS, c"listhooks", NONE, &HOOKLIST),
    command(commands::LISTNAMES, c"listnames", NONE, &NAMELIST),
    command(commands::LISTNODES, c"listnodes", NONE, &NAMELIST),
    command(commands::LISTTYPES, c"listtypes", NONE, &TYPELIST),
    command(commands::TEXT_CONFIG, c"textconfig", NONE, &ng_parse_string_type),
    command(commands::TEXT_STATUS, c"textstatus", NONE, &ng_parse_string_type),
    command(commands::ASCII2BINARY, c"ascii2binary", &MESSAGE, &MESSAGE),
    command(commands::BINARY2ASCII, c"binary2ascii", &MESSAGE, &MESSAGE),
    END,
]);
