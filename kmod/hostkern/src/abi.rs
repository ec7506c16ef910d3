//! Where structures differ from release to release: chosen when the kernel boots.
//!
//! The numbers were read from the releases' own headers. What does not differ is declared in `kpi::raw`.

use crate::slot::Slot;

/// Places in `struct socket`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members' own names")]
pub struct SocketLayout {
    pub size: usize,
    pub so_snd_sx: usize,
    pub so_snd_mtx: usize,
    pub so_rcv_sx: usize,
    pub so_rcv_mtx: usize,
    pub so_rcv: usize,
    pub so_snd: usize,
}

impl SocketLayout {
    /// Everything from `so_snd_sx` on lies `moved` bytes higher than in 14.0.
    const fn moved(moved: usize) -> Self {
        Self {
            size: 960 + moved,
            so_snd_sx: 320 + moved,
            so_snd_mtx: 352 + moved,
            so_rcv_sx: 384 + moved,
            so_rcv_mtx: 416 + moved,
            so_rcv: 448 + moved,
            so_snd: 656 + moved,
        }
    }
}

/// Places in `struct protosw`, in bytes. `pr_type`, `pr_protocol`, `pr_flags` and `pr_domain` never move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members' own names")]
pub struct ProtoswLayout {
    pub size: usize,
    pub pr_soreceive: usize,
    pub pr_sosend: usize,
    pub pr_send: usize,
    pub pr_attach: usize,
    pub pr_detach: usize,
    pub pr_connect: usize,
    pub pr_disconnect: usize,
    pub pr_close: usize,
    pub pr_shutdown: usize,
    pub pr_bind: usize,
    pub pr_sockaddr: usize,
    /// Methods that `domain_add` fills with one that answers `EOPNOTSUPP`.
    pub unsupported: &'static [usize],
}

const PROTOSW_14: ProtoswLayout = ProtoswLayout {
    size: 248,
    pr_soreceive: 16,
    pr_sosend: 32,
    pr_send: 40,
    pr_attach: 64,
    pr_detach: 72,
    pr_connect: 80,
    pr_disconnect: 88,
    pr_close: 96,
    pr_shutdown: 104,
    pr_bind: 128,
    pr_sockaddr: 208,
    // rcvd, send, ready, connect, disconnect, shutdown, aio_queue, bind .. rcvoob, peeraddr, sockaddr.
    unsupported: &[
        24, 40, 48, 80, 88, 104, 120, 128, 136, 144, 152, 160, 168, 176, 184, 200, 208,
    ],
};

const PROTOSW_15: ProtoswLayout = ProtoswLayout {
    size: 264,
    pr_soreceive: 16,
    pr_sosend: 24,
    pr_send: 32,
    pr_attach: 64,
    pr_detach: 72,
    pr_connect: 80,
    pr_disconnect: 88,
    pr_close: 96,
    pr_shutdown: 104,
    pr_bind: 128,
    pr_sockaddr: 216,
    // send, sendfile_wait, ready, connect, disconnect, shutdown, rcvd, bind .. rcvoob, peeraddr, sockaddr.
    unsupported: &[
        32, 40, 48, 80, 88, 104, 112, 128, 136, 144, 152, 160, 168, 176, 184, 208, 216,
    ],
};

/// How `pr_sockaddr` hands out the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SockaddrMethod {
    /// It allocates the address from `M_SONAME`; the kernel frees it.
    Allocates,
    /// It fills the kernel's `sockaddr_storage`.
    Fills,
}

/// Who does what in shutdown(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownMethod {
    /// The socket layer ends reading, `pr_shutdown` writing.
    EndsWriting,
    /// `pr_shutdown` does all of it.
    EndsBoth,
}

/// One release's kernel ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abi {
    /// Such as `FreeBSD 14.0`.
    pub name: &'static str,
    /// `__FreeBSD_version`
    pub version: i32,
    /// `struct socket`
    pub socket: SocketLayout,
    /// `struct protosw`
    pub protosw: ProtoswLayout,
    /// `offsetof(struct domain, dom_protosw)`
    pub dom_protosw: usize,
    /// `M_VERSION` of malloc(9) types.
    pub malloc_version: u64,
    /// `offsetof(struct thread, td_vnet)`
    pub td_vnet: usize,
    /// `offsetof(struct thread, td_ucred)`
    pub td_ucred: usize,
    /// `sizeof(struct sockaddr_ng)`
    pub sockaddr_ng: usize,
    /// `kern.ipc.maxsockbuf`, bytes.
    pub sb_max: u64,
    /// How `pr_sockaddr` is called.
    pub sockaddr: SockaddrMethod,
    /// How `pr_shutdown` is called.
    pub shutdown: ShutdownMethod,
}

impl Abi {
    /// 14.0, before `SO_SPLICE`.
    pub const FREEBSD_14_0: Self = Self {
        name: "FreeBSD 14.0",
        version: 1_400_507,
        socket: SocketLayout::moved(0),
        protosw: PROTOSW_14,
        dom_protosw: 96,
        malloc_version: 2_020_110_501,
        td_vnet: 1680,
        td_ucred: 384,
        sockaddr_ng: 16,
        sb_max: 2 << 20,
        sockaddr: SockaddrMethod::Allocates,
        shutdown: ShutdownMethod::EndsWriting,
    };
    /// 14.3, with `SO_SPLICE` in `struct socket`.
    pub const FREEBSD_14_3: Self = Self {
        name: "FreeBSD 14.3",
        version: 1_403_000,
        socket: SocketLayout::moved(64),
        ..Self::FREEBSD_14_0
    };
    /// 15.0
    pub const FREEBSD_15_0: Self = Self {
        name: "FreeBSD 15.0",
        version: 1_500_068,
        socket: SocketLayout::moved(64),
        protosw: PROTOSW_15,
        dom_protosw: 80,
        malloc_version: 2_024_073_001,
        td_vnet: 1728,
        td_ucred: 392,
        sockaddr_ng: 34,
        sb_max: 8 << 20,
        sockaddr: SockaddrMethod::Fills,
        shutdown: ShutdownMethod::EndsBoth,
    };
    /// Every release known, oldest first.
    pub const ALL: [Self; 3] = [Self::FREEBSD_14_0, Self::FREEBSD_14_3, Self::FREEBSD_15_0];
    /// What the module linked into this program is built for.
    #[cfg(not(feature = "freebsd15"))]
    pub const NATIVE: Self = Self::FREEBSD_14_0;
    /// What the module linked into this program is built for.
    #[cfg(feature = "freebsd15")]
    pub const NATIVE: Self = Self::FREEBSD_15_0;

    /// The newest release not newer than `preferred`, among those from `minimum` to `maximum` (`__FreeBSD_version`).
    #[must_use]
    pub fn for_range(minimum: i32, preferred: i32, maximum: i32) -> Option<Self> {
        let fits = |abi: &&Self| (minimum..=maximum).contains(&abi.version);
        let mut fitting = Self::ALL.iter().filter(fits);
        let newest = Self::ALL.iter().rev().filter(fits).find(|abi| abi.version <= preferred);
        newest.or_else(|| fitting.next()).copied()
    }
}

static BOOTED: Slot<Abi> = Slot::new();

/// The running kernel's; while none runs, that of the linked module.
#[must_use]
pub fn booted() -> Abi {
    BOOTED.try_get().copied().unwrap_or(Abi::NATIVE)
}

pub(crate) fn boot(abi: Abi) {
    BOOTED.fill(abi);
}

pub(crate) fn halt() {
    BOOTED.empty();
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;
    use kpi::raw::domain::domain;
    use kpi::raw::malloc::M_VERSION;
    use kpi::raw::protosw::protosw;
    use kpi::raw::socketvar::{BUFFER_OFFSETS, BufferOffsets};

    /// kpi's tables are held against the releases' headers; this one's must agree.
    #[test]
    fn the_native_release_is_the_one_kpi_knows() {
        let Abi {
            protosw: switch,
            dom_protosw,
            malloc_version,
            ..
        } = Abi::NATIVE;
        assert_eq!(switch.size, size_of::<protosw>());
        assert_eq!(switch.pr_soreceive, offset_of!(protosw, pr_soreceive));
        assert_eq!(switch.pr_sosend, offset_of!(protosw, pr_sosend));
        assert_eq!(switch.pr_send, offset_of!(protosw, pr_send));
        assert_eq!(switch.pr_detach, offset_of!(protosw, pr_detach));
        assert_eq!(switch.pr_sockaddr, offset_of!(protosw, pr_sockaddr));
        assert!(switch.unsupported.contains(&offset_of!(protosw, pr_rcvd)));
        assert!(!switch.unsupported.contains(&offset_of!(protosw, pr_abort)));
        assert_eq!(dom_protosw, offset_of!(domain, dom_protosw));
        assert_eq!(malloc_version, M_VERSION);
    }

    #[test]
    fn kpi_finds_the_buffers_of_every_release_it_is_for() {
        let series = Abi::NATIVE.version / 100_000;
        for abi in Abi::ALL.iter().filter(|abi| abi.version / 100_000 == series) {
            let SocketLayout {
                so_rcv,
                so_rcv_mtx,
                so_rcv_sx,
                so_snd,
                ..
            } = abi.socket;
            let offsets = BufferOffsets {
                so_rcv,
                so_rcv_mtx,
                so_rcv_sx,
                so_snd,
            };
            assert!(BUFFER_OFFSETS.contains(&offsets), "{}", abi.name);
        }
    }

    #[test]
    fn a_module_gets_the_release_it_prefers() {
        let of = |minimum, preferred, maximum| Abi::for_range(minimum, preferred, maximum).map(|abi| abi.name);
        assert_eq!(of(1_400_000, 1_400_507, 1_499_999), Some("FreeBSD 14.0"));
        assert_eq!(of(1_403_000, 1_403_000, 1_499_999), Some("FreeBSD 14.3"));
        assert_eq!(of(1_500_000, 1_500_068, 1_599_999), Some("FreeBSD 15.0"));
        assert_eq!(of(1_400_000, 1_400_000, 1_499_999), Some("FreeBSD 14.0"));
        assert_eq!(of(1_300_000, 1_300_000, 1_399_999), None);
    }
}
