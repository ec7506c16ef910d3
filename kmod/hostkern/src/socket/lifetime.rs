//! From socket(2) to the last reference.

use core::ffi::c_int;

use kpi::Errno;
use kpi::raw::socketvar::{SS_ISCONNECTED, socket};

use super::{Direction, SS_ISCONNECTING, SS_ISDISCONNECTED, SS_ISDISCONNECTING, STATE, So, errno};
use crate::domain::{self, Switch};
use crate::memory::{self, Zone};
use crate::sync::lock;
use crate::thread::{self, Vnet};
use crate::{abi, mutex, report, sleep};

impl So {
    /// `soalloc`
    fn allocate(vnet: Vnet) -> Result<Self, c_int> {
        let layout = abi::booted().socket;
        let pointer = memory::allocate(Zone::Socket, layout.size, false).cast::<socket>();
        if pointer.is_null() {
            return Err(Errno::ENOBUFS.get());
        }
        // INVARIANT: new, and as large as the layout says.
        let so = Self { pointer, layout };
        for (mutex, name) in so.mutexes() {
            // SAFETY: in the new socket, which stays where it is until free destroys the mutexes.
            unsafe { mutex::init(mutex, name) };
        }
        so.set_vnet_word(vnet.0 as usize as *mut _);
        lock(&STATE.get().live).insert(pointer as usize);
        Ok(so)
    }

    /// `sodealloc`: nobody has the socket any more.
    fn free(self) {
        for direction in [Direction::Send, Direction::Receive] {
            if self.buffer(direction).io_owner() != 0 {
                report::panic("a socket is freed while a thread reads from it or writes to it");
            }
        }
        for (mutex, _) in self.mutexes() {
            // SAFETY: initialised by allocate, and nobody has the socket any more.
            unsafe { mutex::destroy(mutex) };
        }
        lock(&STATE.get().live).remove(&(self.pointer as usize));
        // SAFETY: from allocate, and nobody has the socket any more.
        unsafe { memory::release(Zone::Socket, self.pointer.cast()) };
    }

    /// `socreate`: the calling thread makes a socket in its virtual network.
    pub(crate) fn create(family: c_int, kind: c_int, protocol: c_int) -> Result<Self, c_int> {
        let Some(switch) = domain::find(family, kind, protocol) else {
            return Err(match (domain::is_known(family), protocol) {
                (false, _) => errno::EAFNOSUPPORT,
                (true, 0) if kind != 0 => errno::EPROTOTYPE,
                (true, _) => errno::EPROTONOSUPPORT,
            });
        };
        let so = Self::allocate(thread::vnet())?;
        so.set_kind(kind as i16);
        so.set_protocol(switch.as_ptr());
        so.buffer(Direction::Send).set_mutex(so.mutexes()[1].0);
        so.buffer(Direction::Receive).set_mutex(so.mutexes()[2].0);
        let attached = so.in_vnet(|| switch.attach(so, protocol));
        if attached != 0 {
            so.free();
            return Err(attached);
        }
        so.set_count(1);
        Ok(so)
    }

    pub(super) fn switch(self) -> Switch {
        // SAFETY: a live socket's protocol is one of a domain that was added.
        unsafe { Switch::new(self.protocol()) }
    }

    /// Whether the running kernel has the socket.
    pub(crate) fn is_live(self) -> bool {
        let live = |state: &super::State| lock(&state.live).contains(&(self.pointer as usize));
        STATE.try_get().is_some_and(live)
    }

    /// `soclose`: the last descriptor is gone.
    pub(crate) fn close(self) -> c_int {
        self.in_vnet(|| {
            let mut error = 0;
            if self.is(SS_ISCONNECTED) && !self.is(SS_ISDISCONNECTING) {
                error = self.switch().disconnect(self);
                if error == Errno::ENOTCONN.get() {
                    error = 0;
                }
            }
            self.switch().close(self);
            self.release();
            error
        })
    }

    /// `sorele`: gives up one reference; the last one frees.
    fn release(self) {
        let count = {
            let _guard = self.lock();
            self.set_count(self.count() - 1);
            self.count()
        };
        if count == 0 {
            self.switch().detach(self);
            self.buffer(Direction::Send).flush();
            self.buffer(Direction::Receive).flush();
            self.free();
        }
    }
}

/// `soisdisconnected`: nothing more comes, nothing more goes; whoever waits is woken.
///
/// # Safety
/// `so` is a socket, none of whose locks this thread has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soisdisconnected(so: *mut socket) {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    {
        let _guard = so.lock();
        let connected = SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING;
        so.set_state(so.state() & !connected | SS_ISDISCONNECTED);
    }
    so.no_more(Direction::Receive);
    so.no_more(Direction::Send);
    sleep::wakeup_channel(so.event_channel());
}

/// `soisconnected`
///
/// # Safety
/// As [`soisdisconnected`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn soisconnected(so: *mut socket) {
    // SAFETY: the caller says so.
    let so = unsafe { So::new(so) };
    {
        let _guard = so.lock();
        so.set_state(so.state() & !(SS_ISCONNECTING | SS_ISDISCONNECTING) | SS_ISCONNECTED);
    }
    sleep::wakeup_channel(so.event_channel());
    for direction in [Direction::Receive, Direction::Send] {
        core::mem::forget(so.buffer(direction).lock());
        so.wake(direction);
    }
}
