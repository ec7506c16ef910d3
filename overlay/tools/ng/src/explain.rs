//! Why something was refused, found by asking the live graph: which node or hook is missing, and what is there instead.

use graph::{catalog, suggest};
use netgraph::{
    Address, Errno, Error, GetNodeInfo, HookList, HookName, ListHooks, ListNodes, ListTypes, Operation, Socket, Start,
    Transport,
};

use crate::failure::Failure;

/// What to do when a node of our own cannot be made.
pub fn opening(error: Error) -> Failure {
    let hint = match error.errno() {
        Some(Errno::EPERM) => Some("run it as root"),
        Some(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => {
            Some("`kldload ng_socket` says more, and then `dmesg | tail`; netgraph(4) is part of FreeBSD only")
        }
        Some(Errno::EADDRINUSE) => Some("give ng's own node another name with -n NAME, before the command"),
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
    let Ok(address) = path.parse::<Address>() else {
        return Vec::new();
    };
    match (operation, *errno) {
        (Operation::SendData, Errno::EHOSTUNREACH | Errno::EDESTADDRREQ) => own_hooks(socket).into_iter().collect(),
        (Operation::ToBinary, Errno::ENOSYS) => {
            let info = socket.request(&address, &GetNodeInfo);
            let kind = info.map(|info| format!("it is of type {0}; ng_{0}(4) lists its commands", info.type_name));
            kind.ok().into_iter().collect()
        }
        (_, Errno::ENOENT | Errno::ENXIO) => missing(socket, &address).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The first part of the address that does not exist, and what exists instead.
pub fn missing<T: Transport>(socket: &mut Socket<T>, address: &Address) -> Option<String> {
    let nodes = socket.request(&Address::here(), &ListNodes).ok()?;
    let start = match address.start() {
        Start::Here => Address::here(),
        Start::Id(id) if nodes.iter().any(|node| node.id == id) => id.into(),
        Start::Id(id) => {
            return Some(format!(
                "there is no node with the ID {id}; `ng list` shows those that are"
            ));
        }
        Start::Name(name) => {
            let found = nodes.iter().find(|node| node.name.as_deref() == Some(&name));
            let Some(node) = found else {
                // Sockets are other processes' own nodes, and ng's.
                let others = nodes.iter().filter(|node| node.type_name != "socket");
                let names: Vec<&str> = others.filter_map(|node| node.name.as_deref()).collect();
                let instead = suggest::hint(&name, &names).unwrap_or_else(|| "no node has a name".to_owned());
                return Some(format!("there is no node `{name}:`; {instead}"));
            };
            node.address()
        }
    };
    let mut list = socket.request(&start, &ListHooks).ok()?;
    for hop in address.hops() {
        let Some(link) = list.links.iter().find(|link| link.hook == hop) else {
            return Some(no_hook(&list, hop));
        };
        let next = link.peer.address();
        list = socket.request(&next, &ListHooks).ok()?;
    }
    None
}

/// "Node `x:` has no hook `y`; it has ...".
fn no_hook(list: &HookList, hook: &str) -> String {
    let hooks: Vec<&str> = list.links.iter().map(|link| link.hook.as_str()).collect();
    let node = format!(
        "node `{}` ({}) has no hook `{hook}`",
        list.node.label(),
        list.node.type_name
    );
    match suggest::nearest(hook, hooks.iter().copied()) {
        Some(near) => format!("{node}; did you mean `{near}`?"),
        None if hooks.is_empty() => format!("{node}; it has none at all"),
        None => format!("{node}; it has {}", suggest::listed(hooks)),
    }
}

/// Whether the node at the address has that hook, and if not, what to say.
pub fn absent_hook<T: Transport>(socket: &mut Socket<T>, at: &Address, hook: &HookName) -> Option<String> {
    let list = socket.request(at, &ListHooks).ok()?;
    let there = list.links.iter().any(|link| link.hook == hook.as_str());
    (!there).then(|| no_hook(&list, hook.as_str()))
}

/// Where a hook that is in use leads.
pub fn taken_hook<T: Transport>(socket: &mut Socket<T>, at: &Address, hook: &HookName) -> Option<String> {
    let list = socket.request(at, &ListHooks).ok()?;
    let link = list.links.iter().find(|link| link.hook == hook.as_str())?;
    Some(format!(
        "hook `{hook}` of `{}` leads to `{}`, hook `{}`",
        list.node.label(),
        link.peer.label(),
        link.peer_hook
    ))
}

/// Types by that name, or near it; the kernel loads ng_<type> when it can.
pub fn missing_type<T: Transport>(socket: &mut Socket<T>, name: &str) -> Option<String> {
    let types = socket.request(&Address::here(), &ListTypes).ok()?;
    let mut names: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
    if names.contains(&name) {
        return None;
    }
    let unloaded: Vec<&str> = catalog::names().filter(|stock| !names.contains(stock)).collect();
    names.extend(unloaded);
    let near = suggest::nearest(name, names).map(|near| format!(" did you mean `{near}`?"));
    Some(format!(
        "no type `{name}` is loaded, nor is there a module ng_{name} that could be;{}",
        near.unwrap_or_else(|| " `ng types` lists those that are loaded".to_owned())
    ))
}

fn own_hooks<T: Transport>(socket: &mut Socket<T>) -> Option<String> {
    let list = socket.request(&Address::here(), &ListHooks).ok()?;
    let hooks: Vec<&str> = list.links.iter().map(|link| link.hook.as_str()).collect();
    Some(if hooks.is_empty() {
        "ng's own node has no hooks; connect it first, in the same file given to -f".to_owned()
    } else {
        format!("ng's own node has {}", suggest::listed(hooks))
    })
}
