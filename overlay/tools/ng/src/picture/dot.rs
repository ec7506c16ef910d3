//! A drawing in the language of graphviz.

use std::fmt::Write as _;

use super::{Class, Drawing, Node};

/// The whole drawing.
pub fn text(drawing: &Drawing) -> String {
    let mut text = String::from("graph netgraph {\n    node [shape=box, fontsize=12];\n    edge [fontsize=10];\n");
    for (index, node) in drawing.nodes.iter().enumerate() {
        text += &node_line(index, node);
    }
    let key = |index: usize| key(index, &drawing.nodes[index]);
    for edge in &drawing.edges {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    \"{}\" -- \"{}\" [taillabel=\"{}\", headlabel=\"{}\"];",
            key(edge.left.node),
            key(edge.right.node),
            escaped(&edge.left.hook),
            escaped(&edge.right.hook)
        );
    }
    text + "}\n"
}

/// What a node is called in the text: its ID, or else its place.
fn key(index: usize, node: &Node) -> String {
    node.id.map_or_else(|| format!("n{index}"), |id| format!("{:x}", id.0))
}

fn node_line(index: usize, node: &Node) -> String {
    let (key, detail) = (key(index, node), escaped(&node.detail()));
    let label = match (&node.name, node.id) {
        (Some(name), Some(id)) => format!("{}:\\n{detail} [{:x}]", escaped(name), id.0),
        (Some(name), None) => format!("{}\\n{detail}", escaped(name)),
        (None, _) => format!("{detail} [{key}]"),
    };
    let look = match node.class {
        Class::Interface => ", shape=ellipse",
        Class::Switch => ", shape=box3d",
        Class::Socket => ", style=dashed",
        Class::Other => "",
    };
    format!("    \"{key}\" [label=\"{label}\"{look}];\n")
}

/// Text inside a quoted label: graphviz gives a meaning to quotes, backslashes and ampersands there. What cannot be seen
/// is shown as Rust writes it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            '&' => safe.push_str("&amp;"),
            hidden if hidden.is_control() => safe += &format!("\\{}", hidden.escape_default()),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_show_every_name_as_it_is() {
        let rows = [
            ("link0", "link0"),
            ("say \"hi\"", "say \\\"hi\\\""),
            ("C:\\N", "C:\\\\N"),
            ("R&amp;D", "R&amp;amp;D"),
            ("a\nb\u{7f}", "a\\\\nb\\\\u{7f}"),
            ("größe", "größe"),
        ];
        for (name, label) in rows {
            assert_eq!(escaped(name), label, "{name:?}");
        }
    }
}
