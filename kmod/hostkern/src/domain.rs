//! domain(9): protocol families and their switches.

use core::ffi::{c_int, c_short};
use core::mem::transmute;

use kpi::Errno;
use kpi::raw::domain::domain;
use kpi::raw::mbuf::mbuf;
use kpi::raw::protosw::{
    pr_attach_t, pr_bind_t, pr_close_t, pr_connect_t, pr_detach_t, pr_disconnect_t, pr_send_t, pr_soreceive_t,
    pr_sosend_t, protosw,
};
use kpi::raw::socketvar::sockaddr;
use kpi::raw::uio::uio;

use crate::abi::{self, ProtoswLayout, ShutdownMethod, SockaddrMethod};
use crate::slot::Slot;
use crate::socket::{Address, So, soreceive_generic, sosend_generic};
use crate::sync::{Mutex, lock};
use crate::thread;

/// `dom_flags`: the domain may be removed.
const DOMF_UNLOADABLE: c_int = 4;

/// The domains, as addresses of `struct domain` in the modules' memory, the latest first.
static STATE: Slot<Mutex<Vec<usize>>> = Slot::new();

/// What [`halt`] says of domains that are there still.
pub(crate) const REGISTERED: &str = "domains of modules:";

pub(crate) fn boot() {
    STATE.fill(Mutex::new(Vec::new()));
}

pub(crate) fn halt() -> Vec<String> {
    let left = STATE.empty().map_or(0, |domains| lock(&domains).len());
    if left == 0 {
        return Vec::new();
    }
    vec![format!("{REGISTERED} {left}")]
}

/// What a method does that a protocol does not have.
unsafe extern "C" fn unsupported() -> c_int {
    Errno::EOPNOTSUPP.get()
}

/// A protocol switch, by the booted release's layout.
///
/// # Invariants
/// The pointer is a protocol of a domain that was added, in memory that is still there; its methods have the signatures of
/// the release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switch {
    pointer: *mut protosw,
    layout: ProtoswLayout,
}

/// Calls a method, if the protocol has it: `method!(switch.pr_x as type, arguments...)` is `Option` of its result.
macro_rules! method {
    ($switch:ident.$method:ident as $type:ty, $($argument:expr),*) => {{
        let method = $switch.method($switch.layout.$method);
        // SAFETY: a method of this name has this type (invariant); null is None.
        let method = unsafe { transmute::<usize, Option<$type>>(method) };
        // SAFETY: the socket is live, and the other arguments are what the method is promised.
        method.map(|method| unsafe { method($($argument),*) })
    }};
}

/// What a method answers that has no result, or that is not there.
const ABSENT: c_int = 45;

impl Switch {
    /// # Safety
    /// The invariants hold as long as the value is used.
    pub(crate) unsafe fn new(pointer: *mut protosw) -> Self {
        // INVARIANT: the caller says so.
        Self {
            pointer,
            layout: abi::booted().protosw,
        }
    }

    pub(crate) fn as_ptr(self) -> *mut protosw {
        self.pointer
    }

    fn method(self, offset: usize) -> usize {
        // SAFETY: a method's place in the switch (invariant); a module may replace a method at any time.
        unsafe { self.pointer.wrapping_byte_add(offset).cast::<usize>().read_volatile() }
    }

    fn set_default(self, offset: usize, method: usize) {
        if self.method(offset) == 0 {
            // SAFETY: a method's place in the switch, which the kernel may write to (invariant).
            unsafe {
                self.pointer
                    .wrapping_byte_add(offset)
                    .cast::<usize>()
                    .write_volatile(method);
            };
        }
    }

    fn kind(self) -> (c_short, c_short) {
        // SAFETY: the members that begin every switch (invariant).
        let switch = unsafe { &*self.pointer };
        (switch.pr_type, switch.pr_protocol)
    }

    /// `pr_protocol`
    pub(crate) fn protocol(self) -> c_int {
        self.kind().1.into()
    }

    /// `pr_init`: methods that are left out get the kernel's.
    fn init(self, domain: *mut domain) {
        // SAFETY: a member of the switch, which the kernel may write to (invariant).
        unsafe { (*self.pointer).pr_domain = domain };
        self.set_default(self.layout.pr_sosend, sosend_generic as *const () as usize);
        self.set_default(self.layout.pr_soreceive, soreceive_generic as *const () as usize);
        for offset in self.layout.unsupported {
            self.set_default(*offset, unsupported as *const () as usize);
        }
    }

    pub(crate) fn attach(self, so: So, protocol: c_int) -> c_int {
        method!(self.pr_attach as pr_attach_t, so.as_ptr(), protocol, thread::current()).unwrap_or(ABSENT)
    }

    pub(crate) fn detach(self, so: So) {
        method!(self.pr_detach as pr_detach_t, so.as_ptr());
    }

    pub(crate) fn close(self, so: So) {
        method!(self.pr_close as pr_close_t, so.as_ptr());
    }

    pub(crate) fn disconnect(self, so: So) -> c_int {
        method!(self.pr_disconnect as pr_disconnect_t, so.as_ptr()).unwrap_or(ABSENT)
    }

    pub(crate) fn bind(self, so: So, address: *mut sockaddr) -> c_int {
        method!(self.pr_bind as pr_bind_t, so.as_ptr(), address, thread::current()).unwrap_or(ABSENT)
    }

    pub(crate) fn connect(self, so: So, address: *mut sockaddr) -> c_int {
        method!(self.pr_connect as pr_connect_t, so.as_ptr(), address, thread::current()).unwrap_or(ABSENT)
    }

    /// The method consumes the datagram and the ancillary data.
    pub(crate) fn send(
        self,
        so: So,
        flags: c_int,
        datagram: *mut mbuf,
        address: *mut sockaddr,
        control: *mut mbuf,
    ) -> c_int {
        let td = thread::current();
        method!(
            self.pr_send as pr_send_t,
            so.as_ptr(),
            flags,
            datagram,
            address,
            control,
            td
        )
        .unwrap_or(ABSENT)
    }

    /// The method consumes the ancillary data.
    pub(crate) fn sosend(
        self,
        so: So,
        address: *mut sockaddr,
        uio: *mut uio,
        control: *mut mbuf,
        flags: c_int,
    ) -> c_int {
        let td = thread::current();
        let top = core::ptr::null_mut();
        method!(
            self.pr_sosend as pr_sosend_t,
            so.as_ptr(),
            address,
            uio,
            top,
            control,
            flags,
            td
        )
        .unwrap_or(ABSENT)
    }

    pub(crate) fn soreceive(self, so: So, from: &mut *mut sockaddr, uio: *mut uio, flags: &mut c_int) -> c_int {
        let none = core::ptr::null_mut();
        method!(
            self.pr_soreceive as pr_soreceive_t,
            so.as_ptr(),
            from,
            uio,
            none,
            none.cast(),
            flags
        )
        .unwrap_or(ABSENT)
    }

    /// `sosockaddr`: the socket's own address; empty if the method gives none.
    pub(crate) fn sockaddr(self, so: So) -> Result<Vec<u8>, c_int> {
        type Allocates = unsafe extern "C" fn(*mut kpi::raw::socketvar::socket, *mut *mut sockaddr) -> c_int;
        type Fills = unsafe extern "C" fn(*mut kpi::raw::socketvar::socket, *mut sockaddr) -> c_int;
        match abi::booted().sockaddr {
            SockaddrMethod::Allocates => {
                let mut address = core::ptr::null_mut();
                let error = method!(self.pr_sockaddr as Allocates, so.as_ptr(), &raw mut address).unwrap_or(ABSENT);
                // SAFETY: null, or what the method allocated for its caller.
                let address = unsafe { Address::from_raw(address) };
                match error {
                    0 => Ok(address.map(|address| address.to_vec()).unwrap_or_default()),
                    error => Err(error),
                }
            }
            SockaddrMethod::Fills => {
                // struct sockaddr_storage
                let mut storage = [0_u8; 128];
                storage[0] = 128;
                let place = storage.as_mut_ptr().cast();
                match method!(self.pr_sockaddr as Fills, so.as_ptr(), place).unwrap_or(ABSENT) {
                    0 => Ok(storage[..usize::from(storage[0]).min(storage.len())].to_vec()),
                    error => Err(error),
                }
            }
        }
    }

    pub(crate) fn shutdown(self, so: So, how: c_int) -> c_int {
        type Half = unsafe extern "C" fn(*mut kpi::raw::socketvar::socket) -> c_int;
        type Both = unsafe extern "C" fn(*mut kpi::raw::socketvar::socket, c_int) -> c_int;
        match abi::booted().shutdown {
            ShutdownMethod::EndsWriting => method!(self.pr_shutdown as Half, so.as_ptr()),
            ShutdownMethod::EndsBoth => method!(self.pr_shutdown as Both, so.as_ptr(), how),
        }
        .unwrap_or(ABSENT)
    }
}

/// The switches of a domain.
///
/// # Safety
/// `domain` was added, and its memory is still there.
unsafe fn switches(domain: *mut domain) -> Vec<Switch> {
    // SAFETY: the caller says so.
    let count = unsafe { (*domain).dom_nprotosw };
    let first = domain
        .wrapping_byte_add(abi::booted().dom_protosw)
        .cast::<*mut protosw>();
    let switches = (0..count as usize).map(|index| {
        // SAFETY: one of the domain's protocols.
        unsafe { first.wrapping_add(index).read() }
    });
    let present = switches.filter(|switch| !switch.is_null());
    // SAFETY: a protocol of an added domain.
    present.map(|switch| unsafe { Switch::new(switch) }).collect()
}

fn domain_of(family: c_int) -> Option<*mut domain> {
    let domains = lock(STATE.get()).clone();
    domains
        .into_iter()
        .map(|address| address as *mut domain)
        .find(|domain| {
            // SAFETY: a module that is unloaded removes its domain, or this faults, as it does in FreeBSD.
            unsafe { (**domain).dom_family == family }
        })
}

/// Whether there is such a family.
pub(crate) fn is_known(family: c_int) -> bool {
    domain_of(family).is_some()
}

/// `pffindproto`: the first protocol that fits; protocol 0 fits any.
pub(crate) fn find(family: c_int, kind: c_int, protocol: c_int) -> Option<Switch> {
    let domain = domain_of(family)?;
    // SAFETY: found among the domains.
    let switches = unsafe { switches(domain) };
    switches.into_iter().find(|switch| {
        let (its_kind, its_protocol) = switch.kind();
        c_int::from(its_kind) == kind && (its_protocol == 0 || protocol == 0 || c_int::from(its_protocol) == protocol)
    })
}

/// `domain_add`
///
/// # Safety
/// `dp` is a domain of the booted release's layout, with its protocols, in memory that the kernel may write to and that
/// stays until `domain_remove`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn domain_add(dp: *mut domain) {
    // SAFETY: the caller says so.
    for switch in unsafe { switches(dp) } {
        switch.init(dp);
    }
    // SAFETY: the caller vouches for the domain.
    let family = unsafe { (*dp).dom_family };
    if is_known(family) {
        crate::report::panic(&format!("domain_add: family {family} is there already"));
    }
    lock(STATE.get()).insert(0, dp as usize);
}

/// `domain_remove`: does nothing unless the domain says that it may be removed.
///
/// # Safety
/// `dp` is a domain.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn domain_remove(dp: *mut domain) {
    // SAFETY: the caller says so.
    let flags = unsafe { (*dp).dom_flags };
    if flags & DOMF_UNLOADABLE != 0 {
        lock(STATE.get()).retain(|domain| *domain != dp as usize);
    }
}
