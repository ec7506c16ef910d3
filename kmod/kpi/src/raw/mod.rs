//! FreeBSD's kernel interface as its headers declare it: layouts, constants and functions, no logic.
//!
//! One file per header. Only what the module uses is declared. Each layout is asserted when it is compiled and listed in
//! [`LAYOUTS`], so that a test can hold it against FreeBSD's own headers (`tests/abi.rs`).
//!
//! The names are C's, so that `grep` finds them in FreeBSD's tree.
#![allow(non_camel_case_types, non_snake_case, missing_docs)]

pub mod counter;
pub mod domain;
pub mod epoch;
pub mod kernel;
pub mod malloc;
pub mod mbuf;
pub mod mutex;
pub mod netgraph;
pub mod ng_message;
pub mod ng_parse;
pub mod ng_socket;
pub mod protosw;
pub mod socketvar;
pub mod sysctl;
pub mod systm;
pub mod uio;

/// What this crate believes of one C structure.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The C type, such as `struct ng_item`.
    pub c_type: &'static str,
    /// `sizeof`, in bytes; `None` where only the beginning is declared here.
    pub size: Option<usize>,
    /// C member designators and their `offsetof`, in bytes.
    pub fields: &'static [(&'static str, usize)],
}

/// A C constant and the value this crate uses for it.
pub type Constant = (&'static str, i128);

/// Asserts a layout while compiling, and records it.
macro_rules! layout {
    ($record:ident: $type:ident = $c:literal, size $size:literal; $($field:ident = $c_field:literal @ $offset:literal),* $(,)?) => {
        const _: () = assert!(size_of::<$type>() == $size);
        layout!($record: $type = $c, sized Some($size); $($field = $c_field @ $offset),*);
    };
    ($record:ident: $type:ident = $c:literal, prefix; $($field:ident = $c_field:literal @ $offset:literal),* $(,)?) => {
        layout!($record: $type = $c, sized None; $($field = $c_field @ $offset),*);
    };
    ($record:ident: $type:ident = $c:literal, sized $size:expr; $($field:ident = $c_field:literal @ $offset:literal),*) => {
        const _: () = { $(assert!(core::mem::offset_of!($type, $field) == $offset);)* };
        pub const $record: $crate::raw::Layout =
            $crate::raw::Layout { c_type: $c, size: $size, fields: &[$(($c_field, $offset)),*] };
    };
}
pub(crate) use layout;

/// Every layout of the ABI this build is for.
pub const LAYOUTS: &[Layout] = &[
    domain::DOMAIN,
    epoch::EPOCH_TRACKER,
    kernel::SYSINIT,
    kernel::MODULEDATA,
    kernel::MOD_METADATA,
    kernel::MOD_DEPEND,
    kernel::MOD_VERSION,
    malloc::MALLOC_TYPE,
    mbuf::MBUF,
    mutex::LOCK_OBJECT,
    mutex::MTX,
    netgraph::NG_NODE,
    netgraph::NG_HOOK,
    netgraph::NG_ITEM,
    netgraph::NG_APPLY_INFO,
    netgraph::NG_TYPE,
    netgraph::NG_CMDLIST,
    ng_message::NG_MESG,
    ng_message::NGM_MKPEER_ARGS,
    ng_parse::NG_PARSE_TYPE,
    ng_parse::NG_PARSE_STRUCT_FIELD,
    ng_parse::NG_PARSE_FIXEDARRAY_INFO,
    ng_socket::NGPCB,
    protosw::PROTOSW,
    socketvar::SOCKET,
    socketvar::SOCKBUF,
    sysctl::SYSCTL_OID,
    uio::UIO,
];

/// Every constant of the ABI this build is for.
pub const CONSTANTS: &[&[Constant]] = &[
    domain::CONSTANTS,
    kernel::CONSTANTS,
    malloc::CONSTANTS,
    mbuf::CONSTANTS,
    mutex::CONSTANTS,
    netgraph::CONSTANTS,
    ng_message::CONSTANTS,
    ng_socket::CONSTANTS,
    protosw::CONSTANTS,
    socketvar::CONSTANTS,
    sysctl::CONSTANTS,
    systm::CONSTANTS,
];

/// Declares integer constants under their C names and lists them for the ABI test.
macro_rules! constants {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(pub const $name: $type = $value;)*
        pub const CONSTANTS: &[$crate::raw::Constant] = &[$((stringify!($name), $name as i128)),*];
    };
}
pub(crate) use constants;
