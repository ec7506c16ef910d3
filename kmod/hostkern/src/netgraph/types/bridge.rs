//! `bridge`: an Ethernet switch with the ports `link0`, `link1`, …, and `uplink1`, `uplink2`, … that it learns nothing from.
//!
//! All of its configuration is honoured, with times measured as frames and questions come, rather than once a second.

mod commands;
mod table;

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use std::ffi::CString;

use kpi::raw::netgraph::ng_cmdlist;

use super::arguments::{command_of, number};
use crate::clock::uptime;
use crate::netgraph::errors::{EINVAL, ENOMEM, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::message::Message;
use crate::netgraph::native::{Afterwards, NodeType, hook, leave_with_last_hook, send_bytes, take_bytes};
use crate::netgraph::node::NodeRef;
use crate::sync::{Mutex, lock};
use table::Table;

#[derive(Default)]
pub(crate) struct Bridge {
    table: Mutex<Table>,
    /// Outlives its last hook.
    persistent: AtomicBool,
}

impl Bridge {
    fn send(&self, node: &NodeRef, port: &[u8], frame: &[u8]) -> Result {
        let name = CString::new(port).map_err(|_| EINVAL)?;
        // A port may go meanwhile.
        let Some(hook) = hook(node, &name) else { return Ok(()) };
        lock(&self.table).count_out(port, frame);
        let sent = send_bytes(frame, &hook);
        if sent == Err(ENOMEM) {
            lock(&self.table).count_failure(port);
        }
        sent
    }
}

impl NodeType for Bridge {
    const NAME: &'static CStr = c"bridge";

    const COMMANDS: &'static [ng_cmdlist] = commands::COMMANDS;

    fn new_hook(&self, node: &NodeRef, name: &[u8]) -> Result {
        let is_first = node.hook_count.load(Ordering::Acquire) == 0;
        lock(&self.table).add_port(name, is_first)
    }

    fn receive(&self, node: &NodeRef, port: &HookRef, item: Item) -> Result {
        let frame = take_bytes(item);
        let ports = lock(&self.table).route(&port.name(), &frame, uptime())?;
        let sent = ports.iter().map(|port| self.send(node, port, &frame));
        // The first failure counts.
        sent.fold(Ok(()), Result::and)
    }

    fn message(&self, _node: &NodeRef, hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let (command, arguments) = (command_of(message, commands::COOKIE)?, message.arguments());
        let link = || number(arguments).map(u32::cast_signed);
        let mut table = lock(&self.table);
        match command {
            commands::SET_CONFIG => table.configure(arguments)?,
            commands::GET_CONFIG => return Ok(Some(table.config())),
            commands::RESET => table.reset(),
            commands::GET_STATS => return table.counts(link()?).map(Some),
            commands::CLEAR_STATS => table.clear_counts(link()?)?,
            commands::GET_CLEAR_STATS => {
                let counts = table.counts(link()?)?;
                table.clear_counts(link()?)?;
                return Ok(Some(counts));
            }
            commands::GET_TABLE => return Ok(Some(table.stations(uptime()))),
            commands::SET_PERSISTENT => self.persistent.store(true, Ordering::Relaxed),
            commands::MOVE_HOST => table.move_host(arguments, hook.map(|hook| hook.name()), uptime())?,
            _ => return Err(EINVAL),
        }
        Ok(None)
    }

    fn disconnected(&self, node: &NodeRef, port: &HookRef) -> Afterwards {
        lock(&self.table).remove_port(&port.name());
        if self.persistent.load(Ordering::Relaxed) {
            Afterwards::Stay
        } else {
            leave_with_last_hook(node)
        }
    }
}
