//! `netgraph/ng_parse.h`: how netgraph turns arguments into text and back.

use core::ffi::{c_char, c_int, c_void};

use super::layout;

/// A method that a type inherits from its supertype.
pub type inherited = *const c_void;

#[repr(C)]
pub struct ng_parse_type {
    pub supertype: *const ng_parse_type,
    pub info: *const c_void,
    pub private: *mut c_void,
    pub parse: inherited,
    pub unparse: inherited,
    pub getDefault: inherited,
    pub getAlign: inherited,
}
layout!(NG_PARSE_TYPE: ng_parse_type = "struct ng_parse_type", size 56;
    supertype = "supertype" @ 0, info = "info" @ 8, private = "private" @ 16, parse = "parse" @ 24,
    unparse = "unparse" @ 32, getDefault = "getDefault" @ 40, getAlign = "getAlign" @ 48);

/// A member of a structure; one without a name ends the list.
#[repr(C)]
pub struct ng_parse_struct_field {
    pub name: *const c_char,
    pub r#type: *const ng_parse_type,
    pub alignment: c_int,
}
layout!(NG_PARSE_STRUCT_FIELD: ng_parse_struct_field = "struct ng_parse_struct_field", size 24;
    name = "name" @ 0, r#type = "type" @ 8, alignment = "alignment" @ 16);

#[repr(C)]
pub struct ng_parse_fixedarray_info {
    pub elementType: *const ng_parse_type,
    pub length: c_int,
    pub getDefault: inherited,
}
layout!(NG_PARSE_FIXEDARRAY_INFO: ng_parse_fixedarray_info = "struct ng_parse_fixedarray_info", size 24;
    elementType = "elementType" @ 0, length = "length" @ 8, getDefault = "getDefault" @ 16);

unsafe extern "C" {
    pub static ng_parse_struct_type: ng_parse_type;
    pub static ng_parse_fixedarray_type: ng_parse_type;
    pub static ng_parse_uint32_type: ng_parse_type;
    pub static ng_parse_hint32_type: ng_parse_type;
    pub static ng_parse_uint64_type: ng_parse_type;
    /// Also right for names of nodes and types: all are 32 bytes.
    pub static ng_parse_hookbuf_type: ng_parse_type;
}
