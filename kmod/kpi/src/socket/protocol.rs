//! A protocol in safe Rust: the trait, and the functions the socket layer calls.
//!
//! `so_pcb` is a [`Pcb`] from attach to detach. The socket layer calls detach when the last reference to the socket is
//! gone, so that no other method can be running or follow.

use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::address::{Address, OwnAddress};
use super::{Socket, transfer};
use crate::errno::{Errno, Result, to_c};
use crate::mbuf::Mbuf;
use crate::memory::{KBox, Wait};
use crate::mutex::{StaticMutex, TryMutex};
use crate::raw::domain as raw_domain;
use crate::raw::mbuf::mbuf;
use crate::raw::ng_socket::{NG_CONTROL, NG_DATA, ngpcb};
use crate::raw::protosw as raw;
use crate::raw::socketvar::{SOCK_DGRAM, sockaddr, socket};
use crate::raw::systm::thread;
use crate::shared::SyncCell;
use crate::thread::Thread;

/// Which of netgraph's protocols: the third argument of socket(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `NG_CONTROL`
    Control,
    /// `NG_DATA`
    Data,
}

/// What getsockname(2) is to say.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The node's name, empty if it has none.
    pub name: crate::netgraph::NodeName,
    /// The node's ID.
    pub id: u32,
}

/// Whether a send may wait for the message to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It may.
    Wait,
    /// It may not: the socket is non-blocking, or the caller said `MSG_DONTWAIT`.
    Return,
}

/// One datagram that a process sends.
pub struct Outgoing<'a> {
    /// What it sends.
    pub datagram: Mbuf,
    /// Where to, if it says so.
    pub address: Option<Address<'a>>,
    /// Whether it waits.
    pub patience: Patience,
    /// The thread that sends.
    pub thread: Thread,
}

/// A protocol of the netgraph domain.
///
/// Whoever makes a protocol switch of an implementation ([`protosw`], which is unsafe) vouches that it lets go of its
/// socket: when [`Protocol::detach`] returns, it keeps no copy of the [`Socket`] that [`Protocol::attach`] got, and no
/// thread uses one; the same holds when attach fails.
pub trait Protocol: Sized + Send + Sync + 'static {
    /// The protocol's number.
    const KIND: Kind;

    /// What a sender leaves to the next one. Of senders that come at the same time, one has it; to the others it is new.
    type Sender: Default + Send;

    /// The list netstat(1) reads.
    fn sockets() -> &'static SocketList;

    /// A socket is made.
    ///
    /// # Errors
    /// Refuses it.
    fn attach(socket: Socket, thread: &Thread) -> Result<Self>;

    /// The socket is gone.
    fn detach(self);

    /// The ID of the socket's node, 0 for none, as a hint for netstat(1).
    fn node_id(&self) -> u32;

    /// bind(2)
    ///
    /// # Errors
    /// What the caller is to see.
    fn bind(&self, address: &Address<'_>) -> Result;

    /// connect(2)
    ///
    /// # Errors
    /// What the caller is to see.
    fn connect(&self, address: &Address<'_>) -> Result;

    /// send(2) and its family: one datagram.
    ///
    /// # Errors
    /// What the caller is to see.
    fn send(&self, socket: Socket, sender: &mut Self::Sender, outgoing: Outgoing<'_>) -> Result;

    /// recv(2) and its family have taken something out of the receive buffer, or tried to.
    fn received(&self);

    /// getsockname(2)
    ///
    /// # Errors
    /// What the caller is to see.
    fn name(&self) -> Result<Name>;

    /// Whether the socket has a node to talk to.
    fn has_node(&self) -> bool;
}

/// What lies behind `so_pcb`: first what netstat(1) reads, then the protocol's own.
#[repr(C)]
pub(super) struct Pcb<P: Protocol> {
    listed: SyncCell<ngpcb>,
    pub(super) socket: Socket,
    pub(super) protocol: P,
    sender: TryMutex<P::Sender>,
}

/// `ngsocklist`: every netgraph socket, for netstat(1).
///
/// # Invariants
/// The list is changed under its lock only; each member is the head of a live [`Pcb`].
#[repr(C)]
pub struct SocketList {
    /// Must be the first member: the symbol is the list's head.
    first: SyncCell<*mut ngpcb>,
    lock: StaticMutex<()>,
}

impl SocketList {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: SyncCell::new(core::ptr::null_mut()),
            lock: StaticMutex::new(()),
        }
    }

    /// Makes the list usable, from the module's load event.
    pub fn init(&'static self) {
        self.lock.init(c"netgraph_socket_list");
    }

    /// Takes [`SocketList::init`] back, when the load fails.
    ///
    /// # Safety
    /// No socket of the protocols can have been made.
    pub unsafe fn destroy(&'static self) {
        // SAFETY: only methods of sockets use the lock, and there are none (caller).
        unsafe { self.lock.destroy() }
    }

    fn insert(&'static self, entry: *mut ngpcb) {
        let _guard = self.lock.lock();
        // SAFETY: the lock is held, and the head lies in a static.
        let old = unsafe { self.first.get().replace(entry) };
        // SAFETY: the caller's entry is not in a list yet and stays until it is removed.
        let new = unsafe { &mut *entry };
        new.le_next = old;
        new.le_prev = self.first.get();
        if let Some(old) = NonNull::new(old) {
            // SAFETY: a member of the list is live (invariant).
            unsafe { (*old.as_ptr()).le_prev = &raw mut new.le_next };
        }
    }

    fn remove(&'static self, entry: *mut ngpcb) {
        let _guard = self.lock.lock();
        // SAFETY: the entry was inserted and is live.
        let gone = unsafe { &*entry };
        // SAFETY: le_prev leads to the head or to the member before, which is live (invariant).
        unsafe { gone.le_prev.write(gone.le_next) };
        if let Some(next) = NonNull::new(gone.le_next) {
            // SAFETY: a member of the list is live (invariant).
            unsafe { (*next.as_ptr()).le_prev = gone.le_prev };
        }
    }

    fn set_node(&'static self, entry: *mut ngpcb, id: u32) {
        let _guard = self.lock.lock();
        // SAFETY: the entry is live, and changed under the lock only.
        unsafe { (*entry).node_id = id };
    }
}

impl Default for SocketList {
    fn default() -> Self {
        Self::new()
    }
}

/// The protocol's data behind a socket.
///
/// # Safety
/// The socket layer calls a method of a socket of `P` that has been attached and not been detached; the reference ends
/// with that call.
pub(super) unsafe fn pcb<'a, P: Protocol>(so: *mut socket) -> Option<&'a Pcb<P>> {
    // SAFETY: the socket is live while its methods run.
    let pcb = unsafe { (*so).so_pcb };
    // SAFETY: attach put a Pcb<P> there, which detach takes away after every other method.
    NonNull::new(pcb.cast::<Pcb<P>>()).map(|pcb| unsafe { pcb.as_ref() })
}

/// How many sockets there are, those included that are being attached.
static SOCKETS: AtomicUsize = AtomicUsize::new(0);
/// Set while the module goes: no new sockets.
static DRAINING: AtomicBool = AtomicBool::new(false);

/// How many sockets the protocols have.
#[must_use]
pub fn socket_count() -> usize {
    SOCKETS.load(Ordering::SeqCst)
}

/// Nobody has a socket, and nobody gets one as long as this lives.
pub struct Drained(());

impl Drained {
    /// Closes the door; socket(2) is `ENXIO` from now on.
    ///
    /// # Errors
    /// `EBUSY`: there are sockets. The door is open again.
    pub fn new() -> Result<Self> {
        // A socket counts itself before it looks at the door, and we close the door before we look at the count: so one
        // of the two sees the other.
        DRAINING.store(true, Ordering::SeqCst);
        let drained = Self(());
        if socket_count() == 0 {
            Ok(drained)
        } else {
            Err(Errno::EBUSY)
        }
    }

    /// Takes the domain away from socket(2) for good, and waits until nobody can be in the protocols' methods any more.
    ///
    /// The kernel counts no references to a domain: a thread that found the protocol before it was taken away may not
    /// have come to attach yet, and one whose socket was detached may still read the switch's flags on its way out. In
    /// neither stretch does the kernel sleep, so that both are over within a second, unless such a thread is kept off
    /// its CPU for longer; nothing a module can do would notice that one.
    ///
    /// # Safety
    /// The domain was installed by [`install`], and nothing but its sockets calls the protocols' methods.
    pub unsafe fn uninstall(self, domain: *mut raw_domain::domain) {
        // SAFETY: the domain is in the kernel's list since install put it there (caller).
        unsafe { raw_domain::domain_remove(domain) };
        loop {
            crate::thread::pause(1);
            if socket_count() == 0 {
                break;
            }
        }
        // The door stays closed.
        core::mem::forget(self);
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        DRAINING.store(false, Ordering::SeqCst);
    }
}

unsafe extern "C" fn attach<P: Protocol>(so: *mut socket, _protocol: c_int, td: *mut thread) -> c_int {
    SOCKETS.fetch_add(1, Ordering::SeqCst);
    let attached = if DRAINING.load(Ordering::SeqCst) {
        Err(Errno::ENXIO)
    } else {
        // SAFETY: the socket layer passes a new socket.
        unsafe { Socket::recognise(so) }.and_then(|socket| {
            // SAFETY: the socket layer passes the current thread.
            let thread = unsafe { Thread::new(td) };
            attach_to::<P>(socket, &thread)
        })
    };
    if attached.is_err() {
        SOCKETS.fetch_sub(1, Ordering::SeqCst);
    }
    to_c(attached)
}

fn attach_to<P: Protocol>(socket: Socket, thread: &Thread) -> Result {
    // First, so that nothing of the protocol's attach has to be taken back.
    let place = KBox::new(MaybeUninit::uninit(), Wait::Sleep)?;
    let protocol = P::attach(socket, thread)?;
    let listed = SyncCell::new(ngpcb {
        ng_socket: socket.as_ptr(),
        sockdata: core::ptr::null_mut(),
        le_next: core::ptr::null_mut(),
        le_prev: core::ptr::null_mut(),
        r#type: match P::KIND {
            Kind::Control => NG_CONTROL,
            Kind::Data => NG_DATA,
        },
        node_id: protocol.node_id(),
    });
    let pcb: KBox<Pcb<P>> = place.fill(Pcb {
        listed,
        socket,
        protocol,
        sender: TryMutex::default(),
    });
    P::sockets().insert(pcb.listed.get());
    // SAFETY: the socket is being attached, so that nobody else looks at its pcb.
    unsafe { (*socket.as_ptr()).so_pcb = pcb.into_raw().as_ptr().cast() };
    Ok(())
}

unsafe extern "C" fn detach<P: Protocol>(so: *mut socket) {
    // SAFETY: the socket is live until detach returns, and no other method runs.
    let pcb = unsafe { core::mem::replace(&mut (*so).so_pcb, core::ptr::null_mut()) };
    let Some(pcb) = NonNull::new(pcb.cast::<Pcb<P>>()) else {
        return;
    };
    // SAFETY: attach left this box to the socket.
    let pcb = unsafe { KBox::from_raw(pcb) };
    P::sockets().remove(pcb.listed.get());
    pcb.into_inner().protocol.detach();
    SOCKETS.fetch_sub(1, Ordering::SeqCst);
}

/// close(2) and abort: whoever still waits on the socket is woken; detach does the rest.
unsafe extern "C" fn close<P: Protocol>(so: *mut socket) {
    // SAFETY: the socket layer calls a method of an attached socket.
    if let Some(pcb) = unsafe { pcb::<P>(so) } {
        pcb.socket.disconnected();
    }
}

unsafe extern "C" fn bind<P: Protocol>(so: *mut socket, name: *mut sockaddr, _: *mut thread) -> c_int {
    // SAFETY: the socket layer calls a method of an attached socket.
    let pcb = unsafe { pcb::<P>(so) };
    // SAFETY: the system call copied the address in, sa_len bytes of it.
    let address = unsafe { Address::new(name) };
    to_c(match (pcb, address) {
        (Some(pcb), Some(address)) => pcb.protocol.bind(&address),
        _ => Err(Errno::EINVAL),
    })
}

unsafe extern "C" fn connect<P: Protocol>(so: *mut socket, name: *mut sockaddr, _: *mut thread) -> c_int {
    // SAFETY: the socket layer calls a method of an attached socket.
    let pcb = unsafe { pcb::<P>(so) };
    // SAFETY: the system call copied the address in, sa_len bytes of it.
    let address = unsafe { Address::new(name) };
    to_c(match (pcb, address) {
        (Some(pcb), Some(address)) => connect_to(pcb, &address),
        _ => Err(Errno::EINVAL),
    })
}

fn connect_to<P: Protocol>(pcb: &Pcb<P>, address: &Address<'_>) -> Result {
    let connected = pcb.protocol.connect(address);
    // Also after EISCONN: the socket layer took the mark away before it asked.
    let is_connected = matches!(connected, Ok(()) | Err(Errno::EISCONN));
    if is_connected && pcb.protocol.has_node() {
        pcb.socket.set_connected(true);
        P::sockets().set_node(pcb.listed.get(), pcb.protocol.node_id());
    }
    connected
}

/// The socket layer disconnects before it connects anew and before it closes; a data socket stays with its node.
unsafe extern "C" fn disconnect<P: Protocol>(so: *mut socket) -> c_int {
    // SAFETY: the socket layer calls a method of an attached socket.
    if let Some(pcb) = unsafe { pcb::<P>(so) } {
        pcb.socket.set_connected(false);
    }
    0
}

unsafe extern "C" fn send<P: Protocol>(
    so: *mut socket,
    flags: c_int,
    m: *mut mbuf,
    name: *mut sockaddr,
    control: *mut mbuf,
    td: *mut thread,
) -> c_int {
    // SAFETY: the socket layer gives both chains away, whatever send returns.
    let datagram = unsafe { Mbuf::from_raw(m) };
    // SAFETY: as above.
    let ancillary = unsafe { Mbuf::from_raw(control) };
    // SAFETY: the system call copied the address in, sa_len bytes of it; null is no address.
    let address = unsafe { Address::new(name) };
    // SAFETY: the socket layer passes the current thread.
    let thread = unsafe { Thread::new(td) };
    // SAFETY: the socket layer calls a method of an attached socket.
    let sent = match (unsafe { pcb::<P>(so) }, datagram, ancillary) {
        (Some(pcb), Some(datagram), None) => {
            let outgoing = Outgoing {
                datagram,
                address,
                patience: patience(pcb.socket, flags),
                thread,
            };
            match pcb.sender.try_lock() {
                Some(mut sender) => pcb.protocol.send(pcb.socket, &mut sender, outgoing),
                None => pcb.protocol.send(pcb.socket, &mut P::Sender::default(), outgoing),
            }
        }
        _ => Err(Errno::EINVAL),
    };
    // A node may answer anything, also what only the kernel may say to itself.
    to_c(sent.map_err(Errno::for_process))
}

/// Whether a send may wait; `flags` are those of pr_send, into which [`transfer::sosend`] smuggled the caller's wish.
fn patience(socket: Socket, flags: c_int) -> Patience {
    if flags & raw::PRUS_MORETOCOME != 0 || socket.is_nonblocking() {
        Patience::Return
    } else {
        Patience::Wait
    }
}

fn own_name<P: Protocol>(so: *mut socket) -> Result<OwnAddress> {
    // SAFETY: the socket layer calls a method of an attached socket.
    let pcb = unsafe { pcb::<P>(so) }.ok_or(Errno::EINVAL)?;
    let name = pcb.protocol.name()?;
    let unnamed = cfg!(feature = "freebsd15") && name.name.is_empty();
    Ok(if unnamed {
        OwnAddress::of_id(name.id)
    } else {
        OwnAddress::of_name(&name.name)
    })
}

#[cfg(not(feature = "freebsd15"))]
unsafe extern "C" fn sockaddr_of<P: Protocol>(so: *mut socket, name: *mut *mut sockaddr) -> c_int {
    use crate::raw::malloc;
    to_c(own_name::<P>(so).and_then(|address| {
        let kind = (&raw mut malloc::M_SONAME).cast();
        // SAFETY: the kernel's own type of memory; getsockname may sleep.
        let memory = unsafe { malloc::malloc(size_of::<OwnAddress>(), kind, malloc::M_WAITOK) };
        let memory = NonNull::new(memory.cast::<OwnAddress>()).ok_or(Errno::ENOMEM)?;
        // SAFETY: just allocated, as many bytes as are written.
        unsafe { memory.write(address) };
        // SAFETY: the kernel passes a variable for the address, which it frees.
        unsafe { name.write(memory.as_ptr().cast()) };
        Ok(())
    }))
}

#[cfg(feature = "freebsd15")]
unsafe extern "C" fn sockaddr_of<P: Protocol>(so: *mut socket, name: *mut sockaddr) -> c_int {
    to_c(own_name::<P>(so).map(|address| {
        // SAFETY: the kernel passes a sockaddr_storage, 128 bytes; an OwnAddress needs no alignment.
        unsafe { name.cast::<OwnAddress>().write(address) }
    }))
}

/// The protocol switch of `P`.
///
/// # Safety
/// `P` lets go of its socket, as [`Protocol`] says.
#[must_use]
pub const unsafe fn protosw<P: Protocol>() -> raw::protosw {
    // SAFETY: a protosw is made of integers, pointers and optional functions, for all of which zero is a value, and
    // which the kernel replaces by its defaults.
    let mut switch: raw::protosw = unsafe { core::mem::zeroed() };
    switch.pr_type = SOCK_DGRAM;
    switch.pr_protocol = match P::KIND {
        Kind::Control => NG_CONTROL as i16,
        Kind::Data => NG_DATA as i16,
    };
    switch.pr_flags = raw::PR_ATOMIC | raw::PR_ADDR;
    switch.pr_attach = Some(attach::<P>);
    switch.pr_detach = Some(detach::<P>);
    switch.pr_connect = Some(connect::<P>);
    switch.pr_disconnect = Some(disconnect::<P>);
    switch.pr_close = Some(close::<P>);
    switch.pr_abort = Some(close::<P>);
    switch.pr_send = Some(send::<P>);
    switch.pr_sockaddr = Some(sockaddr_of::<P>);
    switch.pr_bind = Some(bind::<P>);
    switch.pr_sosend = Some(transfer::sosend::<P>);
    switch.pr_soreceive = Some(transfer::soreceive::<P>);
    switch
}

/// The domain of two protocols.
#[must_use]
pub const fn domain(name: &'static CStr, protocols: [*mut raw::protosw; raw_domain::PROTOCOLS]) -> raw_domain::domain {
    // SAFETY: a domain is made of integers and pointers, for all of which zero is a value.
    let mut domain: raw_domain::domain = unsafe { core::mem::zeroed() };
    domain.dom_family = raw_domain::PF_NETGRAPH;
    domain.dom_nprotosw = raw_domain::PROTOCOLS as u32;
    domain.dom_name = name.as_ptr();
    domain.dom_flags = raw_domain::DOMF_UNLOADABLE;
    domain.dom_protosw = protocols;
    domain
}

/// Adds the domain to those that socket(2) knows.
///
/// The kernel fills the methods that a protocol leaves out.
///
/// # Safety
/// The domain and its protocols lie in statics of the module, and everything their methods need is set up. Called once,
/// with the current virtual network that of the host.
pub unsafe fn install(domain: *mut raw_domain::domain) {
    // Linked into a program, the module has been unloaded before and has the same statics.
    DRAINING.store(false, Ordering::SeqCst);
    // SAFETY: the caller vouches for the domain.
    unsafe { raw_domain::domain_add(domain) }
}
