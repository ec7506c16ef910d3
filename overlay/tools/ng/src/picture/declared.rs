//! The graph that a file declares, to be drawn. No kernel is asked.

use graph::{Graph, Kind, Selector};
use netgraph::{Address, Start};

use super::{Class, Drawing, Edge, End, Node};
use crate::failure::{Failure, Result};

/// The whole graph, in the file's order.
pub fn drawing(graph: &Graph) -> Drawing {
    let end = |end: &graph::End| End {
        node: end.node,
        hook: end.hook.to_string(),
    };
    Drawing {
        nodes: graph.nodes().iter().map(node).collect(),
        edges: graph
            .edges()
            .iter()
            .map(|edge| Edge {
                left: end(&edge.left),
                right: end(&edge.right),
            })
            .collect(),
    }
}

fn node(node: &graph::Node) -> Node {
    let interface = match &node.kind {
        Kind::Interface(Selector::Name(name)) => Some(name.clone()),
        Kind::Interface(Selector::Mac(mac)) => Some(mac.to_string()),
        Kind::Interface(Selector::Pci(pci)) => Some(pci.to_string()),
        Kind::Interface(Selector::Order(order)) => Some(format!("#{order}")),
        Kind::Type(_) => node.rename.clone(),
    };
    let name = node.name.to_string();
    Node {
        interface: interface.filter(|interface| *interface != name),
        r#type: node.type_name().to_owned(),
        id: None,
        class: Class::of(node.type_name()),
        name: Some(name),
    }
}

/// The node that a path means in a drawing of a file: it starts with the declared name.
pub fn find(drawing: &Drawing, path: &Address) -> Result<usize> {
    let Start::Name(name) = path.start() else {
        let what = format!(
            "`{}` does not start with the name of a node; the file has no others",
            path.as_str()
        );
        return Err(Failure::Usage(what));
    };
    let is_meant = |node: &Node| node.name.as_deref() == Some(&name);
    let start = drawing
        .nodes
        .iter()
        .position(is_meant)
        .ok_or_else(|| unknown(drawing, &name))?;
    path.hops().try_fold(start, |node, hook| {
        beyond(drawing, node, hook).ok_or_else(|| {
            let what = format!("no edge of the file begins at `{}.{hook}`", drawing.nodes[node].label());
            Failure::Usage(what)
        })
    })
}

fn unknown(drawing: &Drawing, name: &str) -> Failure {
    let names: Vec<&str> = drawing.nodes.iter().filter_map(|node| node.name.as_deref()).collect();
    let hint = graph::suggest::hint(name, &names).unwrap_or_else(|| "it has no nodes at all".to_owned());
    Failure::Usage(format!("the file has no node `{name}`; {hint}"))
}

/// The node at the other end of a hook.
fn beyond(drawing: &Drawing, node: usize, hook: &str) -> Option<usize> {
    let is_meant = |end: &End| end.node == node && end.hook == hook;
    drawing.edges.iter().find_map(|edge| match edge {
        Edge { left, right } if is_meant(left) => Some(right.node),
        Edge { left, right } if is_meant(right) => Some(left.node),
        _ => None,
    })
}
