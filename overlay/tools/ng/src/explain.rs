//! Why something was refused, found by asking the live graph: which node or hook is missing, and what is there instead.

use netgraph::{Address, Errno, Error, ListHooks, Operation, Socket, Transport};

use crate::failure::Failure;

mod kind;
pub mod message;
mod path;

pub use kind::{hook_of_node, hook_of_type, missing_type, secured};
pub use path::{absent_hook, missing, named, same_hook, taken_hook};

/// What to do when a node of our own cannot be made.
pub fn opening(error: Error) -> Failure {
    let hint = match error.errno() {
        Some(Errno::EPERM) => {
            Some("run it as root; in a jail, root may when the jail has a network stack of its own (vnet)")
        }
        Some(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => {
            Some("`kldload ng_socket` says more, and then `dmesg | tail`; netgraph(4) is part of FreeBSD only")
        }
        Some(Errno::EADDRINUSE) => Some("give ng's own node another name with -n NAME, before the command"),
        Some(Errno::EMFILE | Errno::ENFILE) => {
            Some("close something; `sysctl kern.openfiles kern.maxfiles` shows how many there are")
        }
        _ => None,
    };
    let hints = hint.map(str::to_owned).into_iter().collect();
    Failure::Netgraph { error, hints }
}

/// Asks around why the kernel refused.
pub fn refusal<T: Transport>(socket: &mut Socket<T>, error: Error) -> Failure {
    let hints = hints(socket, &error);
    Failure::Netgraph { error, hints }
}

fn hints<T: Transport>(socket: &mut Socket<T>, error: &Error) -> Vec<String> {
    let Error::Refused { operation, path, errno } = error else {
        return Vec::new();
    };
    if matches!(*errno, Errno::ENOTCONN | Errno::EPIPE) {
        return vec!["nothing more can be done through it; start ng anew".to_owned()];
    }
    if *operation == Operation::Load && *errno == Errno::EPERM {
        return vec![secured(path)];
    }
    let Ok(address) = path.parse::<Address>() else {
        return Vec::new();
    };
    let hint = match (operation, *errno) {
        (Operation::SendData, Errno::EHOSTUNREACH | Errno::EDESTADDRREQ) => own_hooks(socket),
        (_, Errno::ENOENT | Errno::ENXIO) => missing(socket, &address),
        _ => None,
    };
    hint.into_iter().collect()
}

fn own_hooks<T: Transport>(socket: &mut Socket<T>) -> Option<String> {
    let list = socket.request(&Address::here(), &ListHooks).ok()?;
    let hooks: Vec<&str> = list.links.iter().map(|link| link.hook.as_str()).collect();
    Some(if hooks.is_empty() {
        "ng's own node has no hooks; connect it first, in the same file given to -f or at the prompt".to_owned()
    } else {
        format!("ng's own node has {}", graph::suggest::listed(hooks))
    })
}
