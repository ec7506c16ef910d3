//! The live graph, looked at again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use netgraph::{Address, Errno, ListHooks, ListNodes, NodeId, NodeInfo, Transport};
use serde::Serialize;

use crate::failure::Result;
use crate::session::Session;

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    NodeAppeared {
        node: String,
        r#type: String,
        id: String,
    },
    NodeGone {
        node: String,
        r#type: String,
        id: String,
    },
    NodeNamed {
        id: String,
        from: Option<String>,
        to: Option<String>,
    },
    LinkAppeared {
        ends: [String; 2],
    },
    LinkGone {
        ends: [String; 2],
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "no name".to_owned());
        match self {
            Self::NodeAppeared { node, r#type, id } => write!(f, "+ node {node} ({type}, {id})"),
            Self::NodeGone { node, r#type, id } => write!(f, "- node {node} ({type}, {id})"),
            Self::NodeNamed { id, from, to } => write!(f, "~ node {id}: {} became {}", name(from), name(to)),
            Self::LinkAppeared { ends: [a, b] } => write!(f, "+ link {a} -- {b}"),
            Self::LinkGone { ends: [a, b] } => write!(f, "- link {a} -- {b}"),
        }
    }
}

/// A hook of a node.
type End = (NodeId, String);

/// A link, its lesser end first.
type Link = (End, End);

/// The graph as it was when it was looked at last.
#[derive(Debug)]
pub struct Graph {
    /// Only these nodes matter; None for all but the own one.
    chosen: Option<Vec<NodeId>>,
    nodes: BTreeMap<NodeId, Node>,
    is_first: bool,
}

#[derive(Debug)]
struct Node {
    info: NodeInfo,
    /// The hooks, and where they lead.
    links: BTreeMap<String, End>,
}

impl Graph {
    /// Nothing has been looked at yet.
    pub fn new(chosen: Option<Vec<NodeId>>) -> Self {
        Self {
            chosen,
            nodes: BTreeMap::new(),
            is_first: true,
        }
    }

    /// The nodes that matter, each with its hooks.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeInfo, Vec<&str>)> {
        let matter = self.nodes.values().filter(|node| self.matters(node.info.id));
        matter.map(|node| (&node.info, node.links.keys().map(String::as_str).collect()))
    }

    fn matters(&self, id: NodeId) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&id))
    }

    /// Looks at the graph, and returns what has changed since the last time; the first time, nothing has.
    pub fn look<T: Transport>(&mut self, session: &mut Session<T>) -> Result<Vec<Event>> {
        let here = Address::here();
        let own = session.request(&here, &netgraph::GetNodeInfo)?.id;
        let mut found = session.request(&here, &ListNodes)?;
        found.retain(|info| info.id != own);
        let mut now = self.carried_over(found);
        self.refresh(session, &mut now)?;
        let events = self.compare(&now);
        self.nodes = now;
        Ok(if std::mem::take(&mut self.is_first) {
            Vec::new()
        } else {
            events
        })
    }

    /// The nodes that there are, with the links that they had.
    fn carried_over(&mut self, found: Vec<NodeInfo>) -> BTreeMap<NodeId, Node> {
        let with_links = |info: NodeInfo| {
            let before = self.nodes.get(&info.id);
            let links = before.map(|node| node.links.clone()).unwrap_or_default();
            (info.id, Node { info, links })
        };
        found.into_iter().map(with_links).collect()
    }

    /// Asks for the links of those nodes whose number of hooks has changed, of their neighbours, and of the chosen ones.
    fn refresh<T: Transport>(&self, session: &mut Session<T>, now: &mut BTreeMap<NodeId, Node>) -> Result<()> {
        let is_chosen = |id| self.chosen.is_some() && self.matters(id);
        let has_changed = |node: &Node| usize::try_from(node.info.hooks).ok() != Some(node.links.len());
        let changed = now.values().filter(|node| has_changed(node) || is_chosen(node.info.id));
        let mut to_ask: Vec<NodeId> = changed.map(|node| node.info.id).collect();
        let first = to_ask.len();
        let mut asked = BTreeSet::new();
        let mut place = 0;
        while let Some(&id) = to_ask.get(place) {
            if asked.insert(id)
                && let Some(node) = now.get_mut(&id)
            {
                let before = node.links.values().map(|end| end.0).collect::<Vec<_>>();
                node.links = links(session, id)?;
                if place < first {
                    to_ask.extend(before);
                    to_ask.extend(node.links.values().map(|end| end.0));
                }
            }
            place += 1;
        }
        Ok(())
    }

    fn compare(&self, now: &BTreeMap<NodeId, Node>) -> Vec<Event> {
        let mut events = Vec::new();
        let (links, links_now) = (self.links(&self.nodes), self.links(now));
        for (a, b) in links.difference(&links_now) {
            let ends = [label(&self.nodes, a), label(&self.nodes, b)];
            events.push(Event::LinkGone { ends });
        }
        for node in self.nodes.values().filter(|node| self.matters(node.info.id)) {
            match now.get(&node.info.id) {
                None => events.push(gone(&node.info)),
                Some(after) if after.info.name != node.info.name => events.push(Event::NodeNamed {
                    id: node.info.id.to_string(),
                    from: node.info.name.clone(),
                    to: after.info.name.clone(),
                }),
                Some(_) => {}
            }
        }
        let is_new = |node: &&Node| self.matters(node.info.id) && !self.nodes.contains_key(&node.info.id);
        events.extend(now.values().filter(is_new).map(|node| appeared(&node.info)));
        for (a, b) in links_now.difference(&links) {
            let ends = [label(now, a), label(now, b)];
            events.push(Event::LinkAppeared { ends });
        }
        events
    }

    /// The links of the nodes that matter.
    fn links(&self, nodes: &BTreeMap<NodeId, Node>) -> BTreeSet<Link> {
        let mut links = BTreeSet::new();
        for (id, node) in nodes.iter().filter(|(id, _)| self.matters(**id)) {
            for (hook, peer) in &node.links {
                let end = (*id, hook.clone());
                // Links with the own node are nobody's business.
                if nodes.contains_key(&peer.0) {
                    links.insert(if end < *peer {
                        (end, peer.clone())
                    } else {
                        (peer.clone(), end)
                    });
                }
            }
        }
        links
    }
}

/// The links of a node; of one that has just gone, none.
fn links<T: Transport>(session: &mut Session<T>, id: NodeId) -> Result<BTreeMap<String, End>> {
    let list = match session.socket.request(&id.into(), &ListHooks) {
        Err(error) if error.errno() == Some(Errno::ENOENT) => return Ok(BTreeMap::new()),
        other => other?,
    };
    let links = list.links.into_iter();
    Ok(links.map(|link| (link.hook, (link.peer.id, link.peer_hook))).collect())
}

/// `sw0.link0`
fn label(nodes: &BTreeMap<NodeId, Node>, (id, hook): &End) -> String {
    match nodes.get(id).and_then(|node| node.info.name.as_ref()) {
        Some(name) => format!("{name}.{hook}"),
        None => format!("{id}.{hook}"),
    }
}

fn appeared(info: &NodeInfo) -> Event {
    let (node, r#type, id) = words(info);
    Event::NodeAppeared { node, r#type, id }
}

fn gone(info: &NodeInfo) -> Event {
    let (node, r#type, id) = words(info);
    Event::NodeGone { node, r#type, id }
}

fn words(info: &NodeInfo) -> (String, String, String) {
    let name = info.name.clone().unwrap_or_else(|| info.id.to_string());
    (name, info.type_name.clone(), info.id.to_string())
}

#[cfg(test)]
mod tests {
    use std::io;

    use netgraph::fake::Fake;
    use netgraph::{Connect, HookName, MakePeer, Name, RemoveHook, Shutdown};

    use super::*;

    type Other = netgraph::Socket<Fake>;

    fn hook(name: &str) -> HookName {
        name.parse().unwrap()
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    /// What happens when `change` is done by another process.
    fn happens(chosen: Option<&str>, change: impl Fn(&mut Other)) -> Vec<String> {
        let fake = Fake::with_interfaces(&["em0", "em1"]);
        let mut session = crate::session::tests::session(fake.clone(), false, Box::new(io::sink()));
        let mut other = netgraph::Socket::open_on(fake, None).unwrap();
        let tee = MakePeer {
            type_name: "tee".parse().unwrap(),
            hook: hook("lower"),
            peer_hook: hook("left"),
        };
        other.request(&address("em0:"), &tee).unwrap();
        let chosen = chosen.map(|path| vec![session.request(&address(path), &ListHooks).unwrap().node.id]);
        let mut graph = Graph::new(chosen);
        assert_eq!(graph.look(&mut session).unwrap(), []);
        change(&mut other);
        let events = graph.look(&mut session).unwrap();
        assert_eq!(graph.look(&mut session).unwrap(), []);
        events.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nodes_links_and_names_come_and_go() {
        let connect = |session: &mut Other| {
            let request = Connect {
                peer: address("em1:"),
                hook: hook("right"),
                peer_hook: hook("lower"),
            };
            session.request(&address("em0:lower"), &request).unwrap();
            session
                .request(&address("em0:lower"), &Name("tap".parse().unwrap()))
                .unwrap();
        };
        let expected = ["~ node [5]: no name became tap", "+ link em1.lower -- tap.right"];
        assert_eq!(happens(None, connect), expected);
        let shutdown = |session: &mut Other| session.request(&address("em0:lower"), &Shutdown).unwrap();
        assert_eq!(
            happens(None, shutdown),
            ["- link em0.lower -- [5].left", "- node [5] (tee, [5])"]
        );
        assert_eq!(happens(Some("em1:"), shutdown), [""; 0]);
        assert_eq!(happens(Some("em0:"), shutdown), ["- link em0.lower -- [5].left"]);
    }

    #[test]
    fn a_link_that_is_replaced_is_seen_by_its_new_neighbour() {
        let replace = |session: &mut Other| {
            let request = Connect {
                peer: address("em1:"),
                hook: hook("right"),
                peer_hook: hook("lower"),
            };
            session.request(&address("em0:lower"), &request).unwrap();
            session.request(&address("em0:"), &RemoveHook(hook("lower"))).unwrap();
        };
        let expected = ["- link em0.lower -- [5].left", "+ link em1.lower -- [5].right"];
        assert_eq!(happens(None, replace), expected);
    }
}
