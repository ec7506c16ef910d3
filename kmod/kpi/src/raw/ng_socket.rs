//! `netgraph/ng_socket.h`, `netgraph/ng_socketvar.h`.

use core::ffi::{c_int, c_void};

use super::socketvar::socket;
use super::{constants, layout};

/// What netstat(1) reads, through kvm(3), of each socket in `ngsocklist`.
#[repr(C)]
pub struct ngpcb {
    pub ng_socket: *mut socket,
    pub sockdata: *mut c_void,
    pub le_next: *mut ngpcb,
    pub le_prev: *mut *mut ngpcb,
    pub r#type: c_int,
    pub node_id: u32,
}
layout!(NGPCB: ngpcb = "struct ngpcb", size 40;
    ng_socket = "ng_socket" @ 0, sockdata = "sockdata" @ 8, le_next = "socks.le_next" @ 16, le_prev = "socks.le_prev" @ 24,
    r#type = "type" @ 32, node_id = "node_id" @ 36);

constants! {
    NG_DATA: c_int = 1;
    NG_CONTROL: c_int = 2;
    NGM_SOCKET_COOKIE: u32 = 851601233;
    NGM_SOCK_CMD_NOLINGER: u32 = 1;
    NGM_SOCK_CMD_LINGER: u32 = 2;
}
