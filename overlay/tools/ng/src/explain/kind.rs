//! What is wrong with a type: there is none, it cannot be loaded, or it does not take such a hook.

use graph::{catalog, suggest};
use netgraph::{Address, GetNodeInfo, ListTypes, Socket, Transport};

use crate::stock;

/// Types by that name, or near it; the kernel loads ng_<type> when it can.
pub fn missing_type<T: Transport>(socket: &mut Socket<T>, name: &str) -> Option<String> {
    let types = socket.request(&Address::here(), &ListTypes).ok()?;
    let names: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
    if names.contains(&name) {
        return None;
    }
    if stock::types().any(|stock| stock == name) {
        return Some(format!(
            "type `{name}` is not loaded, and its module ng_{name} was not found in `sysctl kern.module_path`; was it \
             left out of this system?"
        ));
    }
    let unloaded: Vec<&str> = stock::types()
        .filter(|stock| !types.iter().any(|kind| kind.name == *stock))
        .collect();
    let all = [names, unloaded].concat();
    let near = suggest::nearest(name, all).map(|near| format!(" did you mean `{near}`?"));
    Some(format!(
        "no type `{name}` is loaded, nor is there a module ng_{name} that could be;{}",
        near.unwrap_or_else(|| " `ng types` lists those that are loaded".to_owned())
    ))
}

/// A module that may not be loaded.
pub fn secured(module: &str) -> String {
    format!(
        "`sysctl kern.securelevel` shows whether modules can still be loaded; {module}_load=\"YES\" in \
         /boot/loader.conf loads this one at boot"
    )
}

/// Why a new node of that type, or the node at the address, takes no hook of that name.
pub fn hook_of_type<T: Transport>(socket: &mut Socket<T>, at: (&Address, &str), new: (&str, &str)) -> Option<String> {
    let (kind, hook) = new;
    if kind == "socket" {
        return Some("nodes of type socket come from socket(2) only".to_owned());
    }
    if kind == "ether" {
        return Some("nodes of type ether come with network interfaces only; `ng list` shows them".to_owned());
    }
    let instead = || Some(format!("ng_{kind}(4) lists the hooks of that type"));
    hook_of_node(socket, at.0, at.1)
        .or_else(|| objection(kind, hook))
        .or_else(instead)
}

/// Why the node at the address takes no hook of that name, as far as its type is known.
pub fn hook_of_node<T: Transport>(socket: &mut Socket<T>, at: &Address, hook: &str) -> Option<String> {
    let node = socket.request(at, &GetNodeInfo).ok()?;
    let objection = objection(&node.type_name, hook)?;
    Some(format!("`{}`: {objection}", node.label()))
}

fn objection(kind: &str, hook: &str) -> Option<String> {
    let objection = catalog::objection(kind, hook)?;
    Some(format!("type {kind} has no hook `{hook}`; {objection}"))
}
