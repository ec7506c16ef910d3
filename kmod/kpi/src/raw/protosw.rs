//! `sys/protosw.h`.

use core::ffi::{c_int, c_short, c_void};

use super::domain::domain;
use super::mbuf::mbuf;
use super::socketvar::{sockaddr, socket};
use super::systm::thread;
use super::uio::uio;
use super::{constants, layout};

pub type pr_attach_t = unsafe extern "C" fn(*mut socket, c_int, *mut thread) -> c_int;
pub type pr_detach_t = unsafe extern "C" fn(*mut socket);
pub type pr_close_t = unsafe extern "C" fn(*mut socket);
pub type pr_bind_t = unsafe extern "C" fn(*mut socket, *mut sockaddr, *mut thread) -> c_int;
pub type pr_connect_t = unsafe extern "C" fn(*mut socket, *mut sockaddr, *mut thread) -> c_int;
pub type pr_disconnect_t = unsafe extern "C" fn(*mut socket) -> c_int;
pub type pr_send_t =
    unsafe extern "C" fn(*mut socket, c_int, *mut mbuf, *mut sockaddr, *mut mbuf, *mut thread) -> c_int;
pub type pr_sosend_t =
    unsafe extern "C" fn(*mut socket, *mut sockaddr, *mut uio, *mut mbuf, *mut mbuf, c_int, *mut thread) -> c_int;
pub type pr_soreceive_t = unsafe extern "C" fn(
    *mut socket,
    *mut *mut sockaddr,
    *mut uio,
    *mut *mut mbuf,
    *mut *mut mbuf,
    *mut c_int,
) -> c_int;
/// FreeBSD 14: the callee allocates the address from `M_SONAME`, the kernel frees it.
#[cfg(not(feature = "freebsd15"))]
pub type pr_sockaddr_t = unsafe extern "C" fn(*mut socket, *mut *mut sockaddr) -> c_int;
/// FreeBSD 15: the callee fills the caller's `sockaddr_storage`.
#[cfg(feature = "freebsd15")]
pub type pr_sockaddr_t = unsafe extern "C" fn(*mut socket, *mut sockaddr) -> c_int;

/// A method this crate leaves to the kernel's defaults.
pub type unused = *mut c_void;

#[cfg(not(feature = "freebsd15"))]
#[repr(C)]
pub struct protosw {
    pub pr_type: c_short,
    pub pr_protocol: c_short,
    pub pr_flags: c_short,
    pub pr_unused: c_short,
    pub pr_domain: *mut domain,
    pub pr_soreceive: Option<pr_soreceive_t>,
    pub pr_rcvd: unused,
    pub pr_sosend: Option<pr_sosend_t>,
    pub pr_send: Option<pr_send_t>,
    pub pr_ready: unused,
    pub pr_sopoll: unused,
    pub pr_attach: Option<pr_attach_t>,
    pub pr_detach: Option<pr_detach_t>,
    pub pr_connect: Option<pr_connect_t>,
    pub pr_disconnect: Option<pr_disconnect_t>,
    pub pr_close: Option<pr_close_t>,
    pub pr_shutdown: unused,
    pub pr_abort: Option<pr_close_t>,
    pub pr_aio_queue: unused,
    pub pr_bind: Option<pr_bind_t>,
    pub pr_bindat_to_sense: [unused; 9],
    pub pr_sockaddr: Option<pr_sockaddr_t>,
    pub pr_rest: [unused; 4],
}
#[cfg(not(feature = "freebsd15"))]
layout!(PROTOSW: protosw = "struct protosw", size 248;
    pr_type = "pr_type" @ 0, pr_protocol = "pr_protocol" @ 2, pr_flags = "pr_flags" @ 4, pr_domain = "pr_domain" @ 8,
    pr_soreceive = "pr_soreceive" @ 16, pr_rcvd = "pr_rcvd" @ 24, pr_sosend = "pr_sosend" @ 32, pr_send = "pr_send" @ 40,
    pr_ready = "pr_ready" @ 48, pr_sopoll = "pr_sopoll" @ 56, pr_attach = "pr_attach" @ 64, pr_detach = "pr_detach" @ 72,
    pr_connect = "pr_connect" @ 80, pr_disconnect = "pr_disconnect" @ 88, pr_close = "pr_close" @ 96,
    pr_shutdown = "pr_shutdown" @ 104, pr_abort = "pr_abort" @ 112, pr_aio_queue = "pr_aio_queue" @ 120,
    pr_bind = "pr_bind" @ 128, pr_bindat_to_sense = "pr_bindat" @ 136, pr_sockaddr = "pr_sockaddr" @ 208,
    pr_rest = "pr_sense" @ 216);

#[cfg(feature = "freebsd15")]
#[repr(C)]
pub struct protosw {
    pub pr_type: c_short,
    pub pr_protocol: c_short,
    pub pr_flags: c_short,
    pub pr_unused: c_short,
    pub pr_domain: *mut domain,
    pub pr_soreceive: Option<pr_soreceive_t>,
    pub pr_sosend: Option<pr_sosend_t>,
    pub pr_send: Option<pr_send_t>,
    pub pr_sendfile_wait: unused,
    pub pr_ready: unused,
    pub pr_sopoll: unused,
    pub pr_attach: Option<pr_attach_t>,
    pub pr_detach: Option<pr_detach_t>,
    pub pr_connect: Option<pr_connect_t>,
    pub pr_disconnect: Option<pr_disconnect_t>,
    pub pr_close: Option<pr_close_t>,
    pub pr_shutdown: unused,
    pub pr_rcvd: unused,
    pub pr_aio_queue: unused,
    pub pr_bind: Option<pr_bind_t>,
    pub pr_bindat_to_rcvoob: [unused; 7],
    pub pr_abort: Option<pr_close_t>,
    pub pr_ctloutput: unused,
    pub pr_peeraddr: unused,
    pub pr_sockaddr: Option<pr_sockaddr_t>,
    pub pr_rest: [unused; 5],
}
#[cfg(feature = "freebsd15")]
layout!(PROTOSW: protosw = "struct protosw", size 264;
    pr_type = "pr_type" @ 0, pr_protocol = "pr_protocol" @ 2, pr_flags = "pr_flags" @ 4, pr_domain = "pr_domain" @ 8,
    pr_soreceive = "pr_soreceive" @ 16, pr_sosend = "pr_sosend" @ 24, pr_send = "pr_send" @ 32,
    pr_sendfile_wait = "pr_sendfile_wait" @ 40, pr_ready = "pr_ready" @ 48, pr_sopoll = "pr_sopoll" @ 56,
    pr_attach = "pr_attach" @ 64, pr_detach = "pr_detach" @ 72, pr_connect = "pr_connect" @ 80,
    pr_disconnect = "pr_disconnect" @ 88, pr_close = "pr_close" @ 96, pr_shutdown = "pr_shutdown" @ 104,
    pr_rcvd = "pr_rcvd" @ 112, pr_aio_queue = "pr_aio_queue" @ 120, pr_bind = "pr_bind" @ 128,
    pr_bindat_to_rcvoob = "pr_bindat" @ 136, pr_abort = "pr_abort" @ 192, pr_ctloutput = "pr_ctloutput" @ 200,
    pr_peeraddr = "pr_peeraddr" @ 208, pr_sockaddr = "pr_sockaddr" @ 216, pr_rest = "pr_sense" @ 224);

constants! {
    PR_ATOMIC: c_short = 1;
    PR_ADDR: c_short = 2;
    PRUS_MORETOCOME: c_int = 4;
}
