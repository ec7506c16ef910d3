//! The types of arguments, `netgraph/ng_parse.h`: what modules describe theirs with.
#![allow(non_upper_case_globals, reason = "FreeBSD's names")]

use core::ffi::{c_char, c_int, c_void};
use core::ptr::null;

/// `struct ng_parse_type`
#[repr(C)]
pub struct ng_parse_type {
    /// What it is a case of; null for the basic types.
    pub supertype: *const ng_parse_type,
    /// What the basic type needs to know.
    pub info: *const c_void,
    private: *const c_void,
    /// A method of the module's own; null in all types that this kernel converts.
    pub parse: *const c_void,
    /// As `parse`.
    pub unparse: *const c_void,
    get_default: *const c_void,
    get_align: *const c_void,
}

// SAFETY: types are constants.
unsafe impl Sync for ng_parse_type {}

impl ng_parse_type {
    const fn new(supertype: *const Self, info: *const c_void) -> Self {
        Self {
            supertype,
            info,
            private: null(),
            parse: null(),
            unparse: null(),
            get_default: null(),
            get_align: null(),
        }
    }

    /// A structure of these fields, of which the last is [`StructField::END`].
    pub(in crate::netgraph) const fn structure(fields: &'static [StructField]) -> Self {
        Self::new(&raw const ng_parse_struct_type, fields.as_ptr().cast())
    }

    /// Bytes, as many as the function says.
    pub(super) const fn of_function(supertype: &'static Self, length: GetLength) -> Self {
        Self::new(supertype, length as *const c_void)
    }

    /// A case of another type.
    pub(in crate::netgraph) const fn of<T>(supertype: &'static Self, info: &'static T) -> Self {
        Self::new(supertype, (&raw const *info).cast())
    }
}

/// `struct ng_parse_struct_field`
#[repr(C)]
pub(in crate::netgraph) struct StructField {
    pub(super) name: *const c_char,
    pub(super) kind: *const ng_parse_type,
    pub(super) alignment: c_int,
}

// SAFETY: constants.
unsafe impl Sync for StructField {}

impl StructField {
    pub(in crate::netgraph) const fn new(name: &'static core::ffi::CStr, kind: &'static ng_parse_type) -> Self {
        Self {
            name: name.as_ptr(),
            kind,
            alignment: 0,
        }
    }

    /// What ends a list of fields.
    pub(in crate::netgraph) const END: Self = Self {
        name: null(),
        kind: null(),
        alignment: 0,
    };
}

/// `ng_parse_array_getLength_t`
pub(in crate::netgraph) type GetLength = unsafe extern "C" fn(*const ng_parse_type, *const u8, *const u8) -> c_int;

/// `struct ng_parse_fixedarray_info`; a `getDefault` is not honoured.
#[repr(C)]
pub(in crate::netgraph) struct FixedArrayInfo {
    pub(super) element: *const ng_parse_type,
    pub(super) length: c_int,
    get_default: *const c_void,
}

/// `struct ng_parse_array_info`; a `getDefault` is not honoured.
#[repr(C)]
pub(in crate::netgraph) struct ArrayInfo {
    pub(super) element: *const ng_parse_type,
    pub(super) length: GetLength,
    get_default: *const c_void,
}

// SAFETY: constants.
unsafe impl Sync for FixedArrayInfo {}

impl FixedArrayInfo {
    pub(in crate::netgraph) const fn new(element: &'static ng_parse_type, length: c_int) -> Self {
        Self {
            element,
            length,
            get_default: null(),
        }
    }
}

// SAFETY: constants.
unsafe impl Sync for ArrayInfo {}

impl ArrayInfo {
    pub(in crate::netgraph) const fn new(element: &'static ng_parse_type, length: GetLength) -> Self {
        Self {
            element,
            length,
            get_default: null(),
        }
    }
}

/// The length of an array that its number precedes, as a 32-bit integer: that of `numnames`, `numtypes`, `numHosts`, or of
/// the `hooks` that end a `struct nodeinfo`.
pub(in crate::netgraph) unsafe extern "C" fn count_before(
    _kind: *const ng_parse_type,
    _start: *const u8,
    array: *const u8,
) -> c_int {
    let count = array.wrapping_sub(4).cast::<u32>();
    // SAFETY: a structure in which the number precedes the array.
    let count = unsafe { count.read_unaligned() };
    c_int::try_from(count).unwrap_or(-1)
}

/// Exports basic types.
macro_rules! basic_types {
    ($($name:ident),* $(,)?) => {$(
        /// A basic type.
        #[unsafe(no_mangle)]
        pub static $name: ng_parse_type = ng_parse_type::new(null(), null());
    )*};
}

basic_types!(
    ng_parse_struct_type,
    ng_parse_fixedarray_type,
    ng_parse_array_type,
    ng_parse_string_type,
    ng_parse_fixedstring_type,
    ng_parse_sizedstring_type,
    ng_parse_int8_type,
    ng_parse_int16_type,
    ng_parse_int32_type,
    ng_parse_int64_type,
    ng_parse_uint8_type,
    ng_parse_uint16_type,
    ng_parse_uint32_type,
    ng_parse_uint64_type,
    ng_parse_hint8_type,
    ng_parse_hint16_type,
    ng_parse_hint32_type,
    ng_parse_hint64_type,
    ng_parse_ipaddr_type,
    ng_parse_enaddr_type,
    ng_parse_bytearray_type,
);

/// Exports strings in fields of fixed size.
macro_rules! buffers {
    ($($name:ident = $size:literal),* $(,)?) => {$(
        /// A string in a field of fixed size.
        #[unsafe(no_mangle)]
        pub static $name: ng_parse_type = ng_parse_type::of(&ng_parse_fixedstring_type, &{ $size as c_int });
    )*};
}

buffers!(
    ng_parse_nodebuf_type = 32,
    ng_parse_hookbuf_type = 32,
    ng_parse_pathbuf_type = 512,
    ng_parse_typebuf_type = 32,
    ng_parse_cmdbuf_type = 32,
);
