//! What is wrong with a path: its node, or a hook on the way, does not exist.

use graph::suggest;
use netgraph::{
    Address, HookList, HookName, ListHooks, ListNodes, ListTypes, NodeInfo, NodeName, Socket, Start, Transport,
};

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
        Start::Name(name) => match nodes.iter().find(|node| node.name.as_deref() == Some(&name)) {
            Some(node) => node.address(),
            None => return Some(no_node(socket, &nodes, &name)),
        },
    };
    let mut list = socket.request(&start, &ListHooks).ok()?;
    for (place, hop) in address.hops().enumerate() {
        let Some(link) = list.links.iter().find(|link| link.hook == hop) else {
            let is_first = place == 0 && !address.as_str().contains(':');
            return Some(match nodes.iter().find(|node| node.name.as_deref() == Some(hop)) {
                Some(node) if is_first => without_colon(node, hop),
                _ => no_hook(&list, hop),
            });
        };
        let next = link.peer.address();
        list = socket.request(&next, &ListHooks).ok()?;
    }
    None
}

fn without_colon(node: &NodeInfo, name: &str) -> String {
    format!(
        "without a colon, `{name}` is a hook of ng's own node, which has none of that name; the node ({}) is `{name}:`",
        node.type_name
    )
}

/// "There is no node `x:`", and the nearest one; interfaces are nodes once ng_ether is loaded.
fn no_node<T: Transport>(socket: &mut Socket<T>, nodes: &[NodeInfo], name: &str) -> String {
    // Sockets are other processes' own nodes, and ng's.
    let others = nodes.iter().filter(|node| node.type_name != "socket");
    let names: Vec<&str> = others.filter_map(|node| node.name.as_deref()).collect();
    let instead = suggest::hint(name, &names).unwrap_or_else(|| "no node has a name".to_owned());
    let types = socket.request(&Address::here(), &ListTypes).unwrap_or_default();
    if types.iter().any(|kind| kind.name == "ether") {
        return format!("there is no node `{name}:`; {instead}");
    }
    format!(
        "there is no node `{name}:`; {instead}; if `{name}` is a network interface: its node comes with \
         `kldload ng_ether`"
    )
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

/// Whether both ends are one and the same hook, and what to say then.
pub fn same_hook<T: Transport>(
    socket: &mut Socket<T>,
    left: (&Address, &HookName),
    right: (&Address, &HookName),
) -> Option<String> {
    let mut node = |address| socket.request(address, &netgraph::GetNodeInfo).ok();
    let (here, there) = (node(left.0)?, node(right.0)?);
    (here.id == there.id && left.1 == right.1).then(|| {
        format!(
            "both ends are hook `{}` of `{}`; a link has two hooks",
            left.1,
            here.label()
        )
    })
}

/// The node that has that name already.
pub fn named<T: Transport>(socket: &mut Socket<T>, name: &NodeName) -> Option<String> {
    let node = socket.request(&Address::from(name), &netgraph::GetNodeInfo).ok()?;
    Some(format!(
        "`{name}:` is node {}, of type {}; give another name, or rename that one first",
        node.id, node.type_name
    ))
}
