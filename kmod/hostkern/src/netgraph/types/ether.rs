//! `ether`: an Ethernet interface, as ng_ether(4) has it, except that no protocols of a host lie above it.
//!
//! What comes from the wire goes to `lower`, else to `orphans` (no protocol recognizes it), else nowhere. What comes in by
//! either of them goes out by the wire. What comes in by `upper` is for the protocols: as none recognizes it, it goes to
//! `orphans` or nowhere.
//!
//! Nodes come and go with [`attach`] and the end of its [`Interface`].

mod commands;

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::sync::Arc;

use kpi::Errno;
use kpi::epoch::NetEpoch;
use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{ETHERNET_HEADER, Mac, command_of, flag, is_group, mac};
use super::load_type;
use crate::netgraph::errors::{EADDRINUSE, EEXIST, EINVAL, ENOENT, Result, check};
use crate::netgraph::gate::Mode;
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, NodeType, forward, hook, knowledge, make, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::netgraph::{connect, generic, worker};
use crate::process::Process;
use crate::sync::{Mutex, lock};
use crate::thread;

/// The hardware of an interface. Its methods are called by any thread, several at a time, and do not wait for long.
///
/// An error is answered to whoever sent the frame or the message.
pub trait Wire: Send + Sync {
    /// Sends a frame, of 14 bytes at least.
    ///
    /// # Errors
    /// The frame cannot be sent.
    fn transmit(&self, frame: &[u8]) -> core::result::Result<(), Errno>;

    /// The interface's number among those of the host.
    fn index(&self) -> u32;

    /// The interface's own address.
    ///
    /// # Errors
    /// It is not known any more.
    fn address(&self) -> core::result::Result<[u8; 6], Errno>;

    /// Changes the interface's own address.
    ///
    /// # Errors
    /// It cannot be changed.
    fn set_address(&self, address: [u8; 6]) -> core::result::Result<(), Errno>;

    /// Has the interface take in all frames, or only those that are for it.
    ///
    /// # Errors
    /// It cannot be changed.
    fn set_promiscuous(&self, on: bool) -> core::result::Result<(), Errno>;

    /// Has the interface take in the frames for a group, which it does not yet.
    ///
    /// # Errors
    /// It cannot.
    fn join(&self, group: [u8; 6]) -> core::result::Result<(), Errno>;

    /// Undoes [`Wire::join`].
    ///
    /// # Errors
    /// It cannot be undone.
    fn leave(&self, group: [u8; 6]) -> core::result::Result<(), Errno>;
}

pub(super) struct Ether {
    wire: Arc<dyn Wire>,
    /// The interface's name, which the node's may differ from.
    name: CString,
    /// Whether the node outlives a shutdown.
    attached: AtomicBool,
    promiscuous: AtomicBool,
    /// Frames that go out get the interface's own address as their source. Off at first, as ng_ether(4) says.
    auto_source: AtomicBool,
    groups: Mutex<BTreeSet<Mac>>,
}

/// A result of the hardware's as the core knows it.
fn internal<T>(result: core::result::Result<T, Errno>) -> Result<T> {
    result.map_err(Errno::get)
}

/// An answer of one 32-bit integer: 1 or 0.
fn answer(flag: &AtomicBool) -> Option<Vec<u8>> {
    Some(u32::from(flag.load(Ordering::Relaxed)).to_ne_bytes().to_vec())
}

/// Sends a frame to the protocols, of which there are none: it is an orphan.
fn give_up(node: &NodeRef, frame: Item) -> Result {
    hook(node, c"orphans").map_or(Ok(()), |orphans| forward(frame, &orphans))
}

impl Ether {
    fn transmit(&self, mut frame: Vec<u8>) -> Result {
        if frame.len() < ETHERNET_HEADER {
            return Err(EINVAL);
        }
        if self.auto_source.load(Ordering::Relaxed) {
            frame[6..12].copy_from_slice(&internal(self.wire.address())?);
        }
        internal(self.wire.transmit(&frame))
    }

    fn set_promiscuous(&self, on: bool) -> Result {
        if self.promiscuous.load(Ordering::Relaxed) != on {
            internal(self.wire.set_promiscuous(on))?;
            self.promiscuous.store(on, Ordering::Relaxed);
        }
        Ok(())
    }

    fn join(&self, group: Mac) -> Result {
        let mut groups = lock(&self.groups);
        if !is_group(group) {
            return Err(EINVAL);
        }
        if groups.contains(&group) {
            return Err(EADDRINUSE);
        }
        internal(self.wire.join(group))?;
        groups.insert(group);
        Ok(())
    }

    fn leave(&self, group: Mac) -> Result {
        let mut groups = lock(&self.groups);
        if !is_group(group) {
            return Err(EINVAL);
        }
        if !groups.contains(&group) {
            return Err(ENOENT);
        }
        internal(self.wire.leave(group))?;
        groups.remove(&group);
        Ok(())
    }
}

impl NodeType for Ether {
    const NAME: &'static CStr = c"ether";

    const COMMANDS: &'static [ng_cmdlist] = commands::COMMANDS;

    fn hook_name(asked: &CStr) -> &CStr {
        if asked == c"divert" { c"lower" } else { asked }
    }

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        let known = [&b"lower"[..], b"upper", b"orphans"];
        known.contains(&name).then_some(()).ok_or(EINVAL)
    }

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        if from.name() != b"upper" {
            return self.transmit(take_bytes(item));
        }
        if item.data_length() < ETHERNET_HEADER {
            return Err(EINVAL);
        }
        give_up(node, item)
    }

    fn message(&self, node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let (command, arguments) = (command_of(message, commands::COOKIE)?, message.arguments());
        match command {
            commands::GET_IFNAME => return Ok(Some(self.name.to_bytes_with_nul().to_vec())),
            commands::GET_IFINDEX => return Ok(Some(self.wire.index().to_ne_bytes().to_vec())),
            commands::GET_ENADDR => return internal(self.wire.address()).map(|address| Some(address.to_vec())),
            commands::SET_ENADDR => internal(self.wire.set_address(mac(arguments)?))?,
            commands::GET_PROMISC => return Ok(answer(&self.promiscuous)),
            commands::SET_PROMISC => self.set_promiscuous(flag(arguments)?)?,
            commands::GET_AUTOSRC => return Ok(answer(&self.auto_source)),
            commands::SET_AUTOSRC => self.auto_source.store(flag(arguments)?, Ordering::Relaxed),
            commands::ADD_MULTI => self.join(mac(arguments)?)?,
            commands::DEL_MULTI => self.leave(mac(arguments)?)?,
            commands::DETACH => {
                self.attached.store(false, Ordering::Relaxed);
                check(connect::remove_later(node))?;
            }
            _ => return Err(EINVAL),
        }
        Ok(None)
    }

    fn disconnected(&self, _node: &NodeRef, _hook: &HookRef) -> Afterwards {
        Afterwards::Stay
    }

    fn shut_down(&self) -> Afterwards {
        // Hardware that is gone is not promiscuous any more.
        let _ = self.set_promiscuous(false);
        if self.attached.load(Ordering::Relaxed) {
            return Afterwards::Stay;
        }
        for group in core::mem::take(&mut *lock(&self.groups)) {
            // As above.
            let _ = self.wire.leave(group);
        }
        Afterwards::Remove
    }
}

/// An interface that is attached: with the end of this value its node goes, and nobody uses its [`Wire`] any more.
///
/// It ends before the kernel is taken down.
pub struct Interface(NodeRef);

/// Makes the node of an interface, in the host's vnet and with its name (with `_` for `.` and `:`), and registers the type
/// if need be.
///
/// # Errors
/// `EINVAL`: no node can be called so. `EADDRINUSE`: another node is. `ENOMEM`.
pub fn attach(name: &str, wire: Arc<dyn Wire>) -> core::result::Result<Interface, Errno> {
    match load_type("ether") {
        Err(error) if error.get() != EEXIST => return Err(error),
        _ => {}
    }
    let interface_name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    let node_name = CString::new(name.replace(['.', ':'], "_")).map_err(|_| Errno::EINVAL)?;
    let ether = Ether {
        wire,
        name: interface_name,
        attached: AtomicBool::new(true),
        promiscuous: AtomicBool::new(false),
        auto_source: AtomicBool::new(false),
        groups: Mutex::default(),
    };
    in_host(|| {
        let interface = Interface(make(ether).map_err(errno)?);
        // Without a name, the node goes again.
        match generic::name(&interface.0, &node_name) {
            Ok(()) if !node_name.is_empty() => Ok(interface),
            named => Err(errno(named.err().unwrap_or(EINVAL))),
        }
    })
}

fn errno(code: core::ffi::c_int) -> Errno {
    Errno::check(code).err().unwrap_or(Errno::EINVAL)
}

/// Runs kernel code in a thread that may be none of the kernel's.
fn in_host<R>(work: impl FnOnce() -> R) -> R {
    thread::with(Process::ROOT.credentials, Process::ROOT.vnet, work)
}

impl Interface {
    /// Takes a frame from the wire. What nobody wants, or there is no memory for, is lost; so is one that is too short.
    pub fn deliver(&self, frame: &[u8]) {
        if frame.len() >= ETHERNET_HEADER {
            in_host(|| NetEpoch::run(|_| self.pass_on(frame)));
        }
    }

    fn pass_on(&self, frame: &[u8]) {
        let receiver = hook(&self.0, c"lower").or_else(|| hook(&self.0, c"orphans"));
        if let Some(receiver) = receiver {
            // Nobody is there to be told.
            let _ = send_bytes(frame, &receiver);
        }
    }
}

impl Drop for Interface {
    fn drop(&mut self) {
        let node = &self.0;
        in_host(|| {
            // As the node's writer: nobody else works on it, nor does anybody after its removal.
            node.gate().occupy();
            if let Some(ether) = knowledge::<Ether>(node) {
                ether.attached.store(false, Ordering::Relaxed);
            }
            NetEpoch::run(|_| connect::remove_node(node));
            worker::schedule(node, node.gate().leave(Mode::Writer));
        });
    }
}
