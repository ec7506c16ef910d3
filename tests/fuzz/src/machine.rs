//! The kernel of this process.

use std::sync::OnceLock;

use hostkern::netgraph::NodeView;
use hostkern::{Config, Kernel, Process, Subject, memory, netgraph, report, thread};
use oracle::message::{GENERIC, Message, generic};

use crate::pair::{NG_CONTROL, PF_NETGRAPH, SOCK_DGRAM};

/// The node types there are, so that none is loaded in the middle of an execution and stays.
const TYPES: [&str; 7] = ["bridge", "capture", "echo", "hole", "hub", "one2many", "tee"];

/// What there is while nothing happens.
#[derive(Debug, PartialEq, Eq)]
pub struct Rest {
    /// Each kind of memory, and how many allocations.
    memory: Vec<(String, u64)>,
    /// The message buffer.
    said: Vec<String>,
}

static AT_REST: OnceLock<Rest> = OnceLock::new();

impl Rest {
    /// What there is now.
    #[must_use]
    pub fn now() -> Self {
        netgraph::settle();
        let usage = memory::usage().into_iter().filter(|usage| usage.live > 0);
        Self {
            memory: usage.map(|usage| (usage.name, usage.live)).collect(),
            said: report::message_buffer(),
        }
    }

    /// Makes sure that it is the same now. The next node gets the lowest ID that is free.
    ///
    /// # Panics
    /// It is not.
    pub fn check(&self) {
        assert_eq!(&Self::now(), self, "what is there now, and was before");
        thread::assert_clean();
        netgraph::start_over();
    }
}

fn boot() -> Rest {
    let config = Config {
        subject: Subject::Native,
        guard_pages: false,
        check_leaks: true,
    };
    let kernel = Kernel::boot(config).expect("the native module loads");
    netgraph::work_alone();
    for name in TYPES {
        netgraph::load_type(name).expect("a type of the hosted kernel's");
    }
    // It runs until the process ends.
    core::mem::forget(kernel);
    Rest::now()
}

/// Boots the kernel, if it does not run yet.
pub fn start() {
    AT_REST.get_or_init(boot);
}

/// Shuts down the nodes that are connected to each other only, so that no end of a socket ended them.
fn shut_down(islands: &[NodeView]) {
    let socket = Process::ROOT.socket(PF_NETGRAPH, SOCK_DGRAM, NG_CONTROL);
    let socket = socket.expect("root may have a socket");
    let message = Message::new(GENERIC, generic::SHUTDOWN, 0, &[]).write();
    for node in islands {
        let to = format!("\0\x20[{:x}]:\0", node.id);
        // One may have gone with another.
        let _ = socket.send(&message, 0, Some(to.as_bytes()), None);
    }
    drop(socket);
    netgraph::settle();
}

/// Makes sure that the kernel is as it was before, when all sockets are closed.
///
/// # Panics
/// It is not.
pub fn finish() {
    netgraph::settle();
    let islands = netgraph::snapshot();
    let sockets = islands.iter().filter(|node| node.kind == "socket").count();
    assert_eq!(sockets, 0, "socket nodes are left without sockets: {islands:#?}");
    if !islands.is_empty() {
        shut_down(&islands);
    }
    let left = netgraph::snapshot();
    assert!(left.is_empty(), "nodes are left: {left:#?}");
    AT_REST.get_or_init(boot).check();
}
