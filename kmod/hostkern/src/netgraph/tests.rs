//! The core, used as modules use it.

mod ascii;
mod data;
mod ether;
mod faults;
mod graph;
mod ifnet;
mod messages;
mod queue;
mod storm;
mod vlan;

use core::ffi::{CStr, c_int, c_void};
use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use std::ffi::CString;
use std::sync::Arc;

use kpi::raw::netgraph::{NG_PROGRESS, ng_apply_info};
use kpi::raw::ng_message::{NG_VERSION, NGM_GENERIC_COOKIE, NGM_MKPEER, ng_mesg};

use super::errors::{EINPROGRESS, EINVAL, Result};
use super::hook::HookRef;
use super::item::Item;
use super::message::Message;
use super::native::{NodeType, Registration, knowledge};
use super::node::NodeRef;
use super::{commands, connect, exports, path};
use crate::kernel::{Config, Subject};
use crate::report::testing;
use crate::sync::{Condvar, Mutex, lock};
use crate::thread::{self, Credentials, Vnet};

/// The types that tests use.
const TYPES: [&str; 11] = [
    "hole", "echo", "hub", "tee", "bridge", "one2many", "capture", "eiface", "iface", "vlan", "split",
];

/// A kernel with netgraph; what is left over fails the test.
struct Kernel {
    _primitives: testing::Kernel,
    mailbox: Option<Registration>,
}

impl Kernel {
    fn boot() -> Self {
        let primitives = testing::Kernel::guarded();
        let config = Config {
            subject: Subject::None,
            guard_pages: true,
            check_leaks: true,
        };
        super::boot(&config);
        let mailbox = Registration::new::<Mailbox>().expect("the type is new");
        for name in TYPES {
            super::load_type(name).expect("the type is new");
        }
        Self {
            _primitives: primitives,
            mailbox: Some(mailbox),
        }
    }

    /// Takes netgraph down; says what is left over.
    fn halt(mut self) -> Vec<String> {
        super::settle();
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.end().expect("the mailboxes are gone");
            mailbox.free();
        }
        super::halt()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // A test that failed has not taken it down.
        super::halt();
    }
}

/// A node that keeps the messages it gets, and refuses the hook `bad`.
#[derive(Default)]
struct Mailbox {
    messages: Mutex<Vec<(ng_mesg, Vec<u8>)>>,
}

impl NodeType for Mailbox {
    const NAME: &'static CStr = c"mailbox";

    fn new_hook(&self, _node: &NodeRef, name: &[u8]) -> Result {
        if name == b"bad" { Err(EINVAL) } else { Ok(()) }
    }

    fn receive(&self, _node: &NodeRef, _hook: &HookRef, item: Item) -> Result {
        drop(item);
        Ok(())
    }

    fn message(&self, _node: &NodeRef, _hook: Option<&HookRef>, message: &Message) -> Result<Option<Vec<u8>>> {
        let message = (*message.header(), message.arguments().to_vec());
        lock(&self.messages).push(message);
        Ok(None)
    }

    fn disconnected(&self, _node: &NodeRef, _hook: &HookRef) -> super::native::Afterwards {
        super::native::Afterwards::Stay
    }
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

/// Makes a node, which removes itself by `NGM_SHUTDOWN` or with its last hook only.
fn make(kind: &str) -> NodeRef {
    let node = connect::make_node(&c_string(kind)).expect("the type makes nodes");
    let own = node.clone();
    own.into_raw();
    node
}

/// The messages a mailbox has got, which leave it.
fn mail(node: &NodeRef) -> Vec<(ng_mesg, Vec<u8>)> {
    super::settle();
    let mailbox = knowledge::<Mailbox>(node).expect("a mailbox");
    core::mem::take(&mut lock(&mailbox.messages))
}

/// What became of an item.
#[derive(Default)]
struct Outcome {
    codes: Mutex<Vec<c_int>>,
    arrived: Condvar,
}

impl Outcome {
    fn wait(&self) -> c_int {
        let mut codes = lock(&self.codes);
        while codes.is_empty() {
            codes = self.arrived.wait(codes).expect("the outcome is whole");
        }
        codes[0]
    }
}

unsafe extern "C" fn arrived(context: *mut c_void, code: c_int) {
    // SAFETY: the outcome of send_while, which leaves it to this one call.
    let outcome = unsafe { Arc::from_raw(context.cast::<Outcome>()) };
    lock(&outcome.codes).push(code);
    outcome.arrived.notify_all();
}

fn header(cookie: u32, command: u32) -> ng_mesg {
    ng_mesg {
        version: NG_VERSION,
        spare: 0,
        spare2: 0,
        arglen: 0,
        cmd: command,
        flags: 0,
        token: 7,
        typecookie: cookie,
        cmdstr: [0; 32],
    }
}

/// Sends a message, waits until it has been applied and all is quiet, and returns what the callback was told.
fn send(from: &NodeRef, path: &str, header: ng_mesg, arguments: &[u8]) -> c_int {
    let told = send_while(from, path, header, arguments, |_| {});
    super::settle();
    told
}

/// As [`send`], without the quiet; `meanwhile` is told what `ng_snd_item` returned.
fn send_while(from: &NodeRef, path: &str, header: ng_mesg, arguments: &[u8], meanwhile: impl FnOnce(c_int)) -> c_int {
    let message = Message::create(header, arguments).expect("there is memory");
    let item = Item::with_message(message, true).expect("there is memory").into_raw();
    let path = c_string(path);
    // SAFETY: the node and the item are ours.
    let code = unsafe { exports::ng_address_path(from.as_raw(), item, path.as_ptr(), 0) };
    if code != 0 {
        return code;
    }
    let outcome = Arc::new(Outcome::default());
    let mut info = ng_apply_info {
        apply: Some(arrived),
        context: Arc::into_raw(outcome.clone()).cast_mut().cast(),
        refs: 0,
        error: 0,
    };
    // SAFETY: the item is ours until it is sent.
    unsafe { (*item).apply = &raw mut info };
    // SAFETY: addressed; the callback's structure lives until the callback has come.
    let code = unsafe { exports::ng_snd_item(item, NG_PROGRESS) };
    meanwhile(code);
    let told = outcome.wait();
    // Of a connection, the first step may succeed before a later one fails.
    assert!(
        [EINPROGRESS, 0, told].contains(&code),
        "{code} was returned, {told} was told"
    );
    told
}

fn generic(from: &NodeRef, path: &str, command: u32, arguments: &[u8]) -> c_int {
    send(from, path, header(NGM_GENERIC_COOKIE, command), arguments)
}

/// A string in a field.
fn field(text: &str, size: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(size, 0);
    bytes
}

fn make_peer(from: &NodeRef, kind: &str, ours: &str, theirs: &str) -> c_int {
    let arguments = [field(kind, 32), field(ours, 32), field(theirs, 32)].concat();
    generic(from, ".:", NGM_MKPEER, &arguments)
}

fn join(from: &NodeRef, to: &str, ours: &str, theirs: &str) -> c_int {
    let arguments = [field(to, 512), field(ours, 32), field(theirs, 32)].concat();
    generic(from, ".:", commands::CONNECT, &arguments)
}

fn shut_down(from: &NodeRef, path: &str) {
    assert_eq!(generic(from, path, commands::SHUTDOWN, &[]), 0);
}

/// Sends a message in words; the answer in words, empty if there is none, or the error.
fn ask(from: &NodeRef, path: &str, name: &str, text: &str) -> core::result::Result<String, c_int> {
    let mut inner = header(0, 0);
    inner.cmdstr[..name.len()].copy_from_slice(name.as_bytes());
    let asked = convert(
        from,
        path,
        commands::ASCII2BINARY,
        inner,
        c_string(text).as_bytes_with_nul(),
    )?;
    let word = |at: usize| u32::from_ne_bytes(asked[at..at + 4].try_into().expect("four bytes"));
    // Where cmd and typecookie are in a struct ng_mesg.
    let question = header(word(20), word(8));
    match send(from, path, question, &asked[56..]) {
        0 => {}
        code => return Err(code),
    }
    let Some((header, arguments)) = mail(from).pop() else {
        return Ok(String::new());
    };
    let answer = convert(from, path, commands::BINARY2ASCII, header, &arguments)?;
    let text = CStr::from_bytes_until_nul(&answer[56..]).expect("text ends");
    Ok(text.to_string_lossy().into_owned())
}

/// Asks a node to convert a message; the message within the answer, or the error.
fn convert(
    from: &NodeRef,
    path: &str,
    command: u32,
    inner: ng_mesg,
    arguments: &[u8],
) -> core::result::Result<Vec<u8>, c_int> {
    let embedded = super::ascii::embed(inner, arguments);
    match generic(from, path, command, &embedded) {
        0 => Ok(mail(from).remove(0).1),
        code => Err(code),
    }
}

/// Removes a mailbox and waits until it is gone.
fn dispose(mailbox: NodeRef) {
    shut_down(&mailbox, ".:");
    super::settle();
    assert_eq!(mailbox.reference_count(), 1, "only the test's own reference is left");
}

fn in_vnet<R>(vnet: u32, work: impl FnOnce() -> R) -> R {
    thread::with(Credentials::Root, Vnet(vnet), work)
}
