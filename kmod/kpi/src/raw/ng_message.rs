//! `netgraph/ng_message.h`.

use core::ffi::c_char;

use super::{constants, layout};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ng_mesg {
    pub version: u8,
    pub spare: u8,
    pub spare2: u16,
    pub arglen: u32,
    pub cmd: u32,
    pub flags: u32,
    pub token: u32,
    pub typecookie: u32,
    pub cmdstr: [u8; 32],
}
layout!(NG_MESG: ng_mesg = "struct ng_mesg", size 56;
    version = "header.version" @ 0, spare = "header.spare" @ 1, spare2 = "header.spare2" @ 2, arglen = "header.arglen" @ 4,
    cmd = "header.cmd" @ 8, flags = "header.flags" @ 12, token = "header.token" @ 16, typecookie = "header.typecookie" @ 20,
    cmdstr = "header.cmdstr" @ 24);

#[repr(C)]
pub struct ngm_mkpeer {
    pub r#type: [c_char; 32],
    pub ourhook: [c_char; 32],
    pub peerhook: [c_char; 32],
}
layout!(NGM_MKPEER_ARGS: ngm_mkpeer = "struct ngm_mkpeer", size 96;
    r#type = "type" @ 0, ourhook = "ourhook" @ 32, peerhook = "peerhook" @ 64);

constants! {
    NG_VERSION: u8 = 8;
    NG_NODESIZ: usize = 32;
    NG_HOOKSIZ: usize = 32;
    NG_TYPESIZ: usize = 32;
    NGF_RESP: u32 = 1;
    NGM_GENERIC_COOKIE: u32 = 1137070366;
    NGM_MKPEER: u32 = 2;
    NGM_NAME: u32 = 4;
    NGM_RMHOOK: u32 = 5;
}
