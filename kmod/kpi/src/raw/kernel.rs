//! `sys/kernel.h`, `sys/module.h`, `sys/param.h`: how a module tells the kernel what it is.

use core::ffi::{c_char, c_int, c_uint, c_void};

use super::{constants, layout};

#[repr(C)]
pub struct sysinit {
    pub subsystem: c_uint,
    pub order: c_uint,
    pub next: *mut c_void,
    pub func: Option<unsafe extern "C" fn(*const c_void)>,
    pub udata: *const c_void,
}
layout!(SYSINIT: sysinit = "struct sysinit", size 32;
    subsystem = "subsystem" @ 0, order = "order" @ 4, func = "func" @ 16, udata = "udata" @ 24);

/// `modeventhand_t`
pub type modeventhand_t = unsafe extern "C" fn(*mut c_void, c_int, *mut c_void) -> c_int;

#[repr(C)]
pub struct moduledata {
    pub name: *const c_char,
    pub evhand: Option<modeventhand_t>,
    pub private: *mut c_void,
}
layout!(MODULEDATA: moduledata = "struct moduledata", size 24; name = "name" @ 0, evhand = "evhand" @ 8, private = "priv" @ 16);

#[repr(C)]
pub struct mod_metadata {
    pub md_version: c_int,
    pub md_type: c_int,
    pub md_data: *const c_void,
    pub md_cval: *const c_char,
}
layout!(MOD_METADATA: mod_metadata = "struct mod_metadata", size 24;
    md_version = "md_version" @ 0, md_type = "md_type" @ 4, md_data = "md_data" @ 8, md_cval = "md_cval" @ 16);

#[repr(C)]
pub struct mod_depend {
    pub md_ver_minimum: c_int,
    pub md_ver_preferred: c_int,
    pub md_ver_maximum: c_int,
}
layout!(MOD_DEPEND: mod_depend = "struct mod_depend", size 12;
    md_ver_minimum = "md_ver_minimum" @ 0, md_ver_preferred = "md_ver_preferred" @ 4, md_ver_maximum = "md_ver_maximum" @ 8);

#[repr(C)]
pub struct mod_version {
    pub mv_version: c_int,
}
layout!(MOD_VERSION: mod_version = "struct mod_version", size 4; mv_version = "mv_version" @ 0);

constants! {
    SI_SUB_KMEM: c_uint = 0x1800000;
    SI_SUB_PROTO_DOMAIN: c_uint = 0x8800000;
    SI_ORDER_THIRD: c_uint = 2;
    SI_ORDER_ANY: c_uint = 0xfffffff;
    MOD_LOAD: c_int = 0;
    MOD_UNLOAD: c_int = 1;
    MOD_QUIESCE: c_int = 3;
    MDT_DEPEND: c_int = 1;
    MDT_MODULE: c_int = 2;
    MDT_VERSION: c_int = 3;
    MDT_STRUCT_VERSION: c_int = 1;
}

unsafe extern "C" {
    /// A `sysinit` function: registers the module that a [`moduledata`] describes and sends it `MOD_LOAD`.
    pub fn module_register_init(data: *const c_void);
}
