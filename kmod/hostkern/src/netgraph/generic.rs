//! The messages that every node understands.

use std::ffi::CString;

use kpi::raw::ng_message::NGM_MKPEER;

use super::connect;
use super::errors::{EINVAL, ENOMEM, Result, check};
use super::hook::HookRef;
use super::item::Item;
use super::message::Message;
use super::node::NodeRef;
use super::send::{self, NG_QUEUE};
use super::{ascii, commands, path, state};
use crate::thread;

/// The arguments of an answer, if there is one.
type Answer = Result<Option<Vec<u8>>>;

/// Handles a generic message, by the writer (or for questions a reader) of `node`.
pub(super) fn handle(node: &NodeRef, hook: Option<&HookRef>, mut item: Item, message: Message) -> Result {
    let command = message.header().cmd;
    let is_text = matches!(command, commands::TEXT_STATUS | commands::TEXT_CONFIG);
    if is_text && node.kind().rcvmsg.is_some() {
        item.put_message(message);
        return send::hand_over(node, hook, item, None);
    }
    let Some(arguments) = perform(node, &item, command, message.arguments())? else {
        return Ok(());
    };
    let reply = message.reply(&arguments).ok_or(ENOMEM)?;
    answer(node, item, reply)
}

fn perform(node: &NodeRef, item: &Item, command: u32, arguments: &[u8]) -> Answer {
    match command {
        commands::SHUTDOWN => connect::remove_node(node),
        NGM_MKPEER => make_peer(node, arguments)?,
        commands::CONNECT => join(node, item, arguments)?,
        commands::NAME => name(node, &string(arguments, 0, 32, 32)?)?,
        commands::RMHOOK => remove_hook(node, arguments)?,
        commands::NODEINFO => return Ok(Some(node_info(node))),
        commands::LISTHOOKS => return Ok(Some(list_hooks(node))),
        commands::LISTNAMES => return Ok(Some(list_nodes(|node| !node.name().is_empty()))),
        commands::LISTNODES => return Ok(Some(list_nodes(|_| true))),
        commands::LISTTYPES => return Ok(Some(list_types())),
        commands::BINARY2ASCII => return ascii::to_ascii(node.kind(), arguments).map(Some),
        commands::ASCII2BINARY => return ascii::to_binary(node.kind(), arguments).map(Some),
        _ => return Err(EINVAL),
    }
    Ok(None)
}

/// Sends an answer back with the item of the question.
pub(super) fn answer(here: &NodeRef, mut item: Item, reply: Message) -> Result {
    let asker = item.sender();
    item.clear_sender();
    item.put_message(reply);
    let node = state().topology().by_id(thread::vnet(), asker).ok_or(EINVAL)?;
    item.set_destination(node);
    item.set_hook(None);
    item.set_sender(0, Some(here));
    check(send::send(item, NG_QUEUE))
}

/// A string in a field of arguments that have this size altogether.
fn string(arguments: &[u8], offset: usize, size: usize, whole: usize) -> Result<CString> {
    if arguments.len() != whole {
        return Err(EINVAL);
    }
    let field = &arguments[offset..offset + size - 1];
    let text = field.split(|byte| *byte == 0).next().unwrap_or(&[]);
    CString::new(text).map_err(|_| EINVAL)
}

fn make_peer(node: &NodeRef, arguments: &[u8]) -> Result {
    let field = |offset| string(arguments, offset, 32, 96);
    connect::make_peer(node, &field(0)?, &field(32)?, &field(64)?)
}

fn join(node: &NodeRef, item: &Item, arguments: &[u8]) -> Result {
    let field = |offset, size| string(arguments, offset, size, 576);
    let (ours, theirs) = (field(512, 32)?, field(544, 32)?);
    let (other, _) = path::resolve(Some(node), field(0, 512)?.to_bytes())?;
    connect::connect(node, &other, &ours, &theirs, item)
}

/// `ng_name_node`
pub(super) fn name(node: &NodeRef, name: &core::ffi::CStr) -> Result {
    let name = name.to_bytes();
    if node.name() == name {
        return Ok(());
    }
    if !path::is_node_name(name) {
        return Err(EINVAL);
    }
    state().topology().name(node, name)
}

fn remove_hook(node: &NodeRef, arguments: &[u8]) -> Result {
    let name = string(arguments, 0, 32, 32)?;
    if let Some(hook) = connect::find_hook(node, &name) {
        connect::destroy_hook(&hook);
    }
    Ok(())
}

/// A C string in a field.
fn field(text: &[u8], size: usize) -> impl Iterator<Item = u8> {
    text.iter()
        .copied()
        .take(size - 1)
        .chain(core::iter::repeat(0))
        .take(size)
}

/// `struct nodeinfo`
fn node_info(node: &NodeRef) -> Vec<u8> {
    let hooks = node.hook_count.load(core::sync::atomic::Ordering::Relaxed);
    let mut info: Vec<u8> = field(&node.name(), 32).collect();
    info.extend(field(node.kind().name().to_bytes(), 32));
    info.extend(node.id().to_ne_bytes());
    info.extend(hooks.to_ne_bytes());
    info
}

/// `struct nodeinfo` of the node, counting valid hooks, and a `struct linkinfo` of each. (The memory is as long as if all
/// hooks were valid.)
fn list_hooks(node: &NodeRef) -> Vec<u8> {
    let hooks = state().topology().hooks_of(node);
    let whole = NODE_INFO + hooks.len() * LINK_INFO;
    let links: Vec<Vec<u8>> = hooks.iter().filter_map(link_info).collect();
    let mut list = node_info(node);
    let count = u32::try_from(links.len()).expect("a node has fewer hooks than 2^32");
    list.splice(NODE_INFO - 4.., count.to_ne_bytes());
    list.extend(links.into_iter().flatten());
    list.resize(whole, 0);
    list
}

/// `sizeof(struct nodeinfo)`
const NODE_INFO: usize = 72;
/// `sizeof(struct linkinfo)`
const LINK_INFO: usize = 64 + NODE_INFO;

fn link_info(hook: &HookRef) -> Option<Vec<u8>> {
    let peer = hook.peer().filter(|_| hook.is_valid())?;
    let mut info: Vec<u8> = field(&hook.name(), 32).collect();
    info.extend(field(&peer.name(), 32));
    info.extend(node_info(&peer.node()?));
    Some(info)
}

/// `struct namelist` of the valid nodes of this vnet that are wanted.
fn list_nodes(wanted: impl Fn(&NodeRef) -> bool) -> Vec<u8> {
    let nodes = state().topology().nodes();
    let here = thread::vnet();
    let nodes = nodes
        .iter()
        .filter(|node| node.vnet() == here && node.is_valid() && wanted(node));
    list(nodes.map(node_info).collect())
}

/// `struct typelist`
fn list_types() -> Vec<u8> {
    let kinds = state().topology().kind_list();
    let info = kinds
        .iter()
        .map(|(name, nodes)| field(name, 32).chain(nodes.to_ne_bytes()).collect());
    list(info.collect())
}

/// A count and so many records.
fn list(records: Vec<Vec<u8>>) -> Vec<u8> {
    let count = u32::try_from(records.len()).expect("there are fewer than 2^32 of anything");
    count
        .to_ne_bytes()
        .into_iter()
        .chain(records.into_iter().flatten())
        .collect()
}
