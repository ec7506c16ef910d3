//! Paths, hop by hop.

use netgraph::Address;

use super::{Candidate, Facts};

/// The paths that begin as the word does: nodes, and behind a colon or a dot the hooks of the node that it leads to.
pub fn paths(current: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
    let behind = current.rfind([':', '.']).map(|place| place + 1);
    match behind {
        Some(end) if end > 1 || current.starts_with(':') => hops(&current[..end], facts),
        _ => starts(current, facts),
    }
}

/// Nodes by name, or by ID where one is begun or nothing else names them, and the hooks of ng's own node.
fn starts(current: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
    let mut all = Vec::new();
    for node in facts.nodes() {
        let about = node.type_name.clone();
        match &node.name {
            Some(name) if node.type_name != "socket" || !current.is_empty() => {
                all.push(Candidate::open(format!("{name}:"), about.clone()));
            }
            _ => {}
        }
        if current.starts_with('[') || node.name.is_none() {
            all.push(Candidate::open(node.address().as_str(), about));
        }
    }
    let own = facts.links(&Address::here());
    let links = own.into_iter().flat_map(|list| list.links);
    all.extend(links.map(|link| Candidate::open(link.hook, format!("hook to {}", link.peer.label()))));
    all
}

/// The hooks of the node that the path so far leads to.
fn hops(start: &str, facts: &mut dyn Facts) -> Vec<Candidate> {
    let list = start.trim_end_matches('.').parse().ok().and_then(|at| facts.links(&at));
    let links = list.into_iter().flat_map(|list| list.links);
    let hop = |link: netgraph::LinkInfo| {
        let about = format!("{} {}", link.peer.type_name, link.peer.label());
        Candidate::open(format!("{start}{}", link.hook), about)
    };
    links.map(hop).collect()
}
