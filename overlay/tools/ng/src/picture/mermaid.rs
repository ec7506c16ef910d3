//! A drawing in the language of Mermaid, which many wikis and forges draw: <https://mermaid.js.org/syntax/flowchart.html>.

use std::fmt::Write as _;

use super::{Class, Drawing, Node};

/// How each class is drawn.
const LOOKS: [(Class, &str, &str); 4] = [
    (
        Class::Interface,
        "interface",
        "fill:#dbeafe,stroke:#2563eb,color:#0f172a",
    ),
    (Class::Switch, "switch", "fill:#dcfce7,stroke:#15803d,color:#0f172a"),
    (
        Class::Socket,
        "socket",
        "fill:#f1f5f9,stroke:#64748b,color:#0f172a,stroke-dasharray:5 4",
    ),
    (Class::Other, "other", "fill:#ffffff,stroke:#475569,color:#0f172a"),
];

/// The whole drawing.
pub fn text(drawing: &Drawing) -> String {
    let mut text = String::from("flowchart LR\n");
    for (index, node) in drawing.nodes.iter().enumerate() {
        text += &node_line(index, node);
    }
    for edge in &drawing.edges {
        let (left, right) = (escaped(&edge.left.hook), escaped(&edge.right.hook));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    n{} ---|\"{left} — {right}\"| n{}",
            edge.left.node, edge.right.node
        );
    }
    for (class, name, look) in LOOKS {
        if drawing.nodes.iter().any(|node| node.class == class) {
            // As above.
            let _ = writeln!(text, "    classDef {name} {look}");
        }
    }
    text
}

fn node_line(index: usize, node: &Node) -> String {
    let class = LOOKS.iter().find(|(class, ..)| *class == node.class);
    let class = class.map_or("other", |(_, name, _)| name);
    let (open, close) = match node.class {
        Class::Interface => ("([", "])"),
        Class::Switch => ("[[", "]]"),
        Class::Socket | Class::Other => ("[", "]"),
    };
    let label = format!("<b>{}</b><br/>{}", escaped(&node.label()), escaped(&node.detail()));
    format!("    n{index}{open}\"{label}\"{close}:::{class}\n")
}

/// Text inside a quoted label. Whatever could mean something to Mermaid, to Markdown or to HTML is written by its number.
/// What cannot be seen is shown as Rust writes it.
fn escaped(text: &str) -> String {
    let visible: Vec<char> = text.chars().flat_map(visible).collect();
    let is_word = |index: Option<usize>| {
        let character = index.and_then(|index| visible.get(index));
        character.is_some_and(|character| character.is_alphanumeric())
    };
    let written = visible.iter().enumerate().map(|(index, &character)| {
        let within = is_word(index.checked_sub(1)) && is_word(Some(index + 1));
        let is_plain = character.is_alphanumeric() || within && " -_:/".contains(character);
        match character {
            _ if is_plain => character.to_string(),
            // Before an n it would break the line, also by its number: something that cannot be seen parts them.
            '\\' => "#92;#8203;".to_owned(),
            _ => format!("#{};", u32::from(character)),
        }
    });
    written.collect()
}

/// A character, or how Rust writes it.
fn visible(character: char) -> Vec<char> {
    if character.is_control() {
        character.escape_default().collect()
    } else {
        vec![character]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_show_every_name_as_it_is() {
        let rows = [
            ("link0", "link0"),
            ("eth-2", "eth-2"),
            ("a_b:c/d", "a_b:c/d"),
            ("- item", "#45;#32;item"),
            ("_x_", "#95;x#95;"),
            ("say \"hi\"", "say#32;#34;hi#34;"),
            ("<b>&amp;", "#60;b#62;#38;amp#59;"),
            ("#1", "#35;1"),
            ("`_x_`*", "#96;#95;x#95;#96;#42;"),
            ("a\\n\n", "a#92;#8203;n#92;#8203;n"),
            ("größe", "größe"),
            ("", ""),
        ];
        for (name, label) in rows {
            assert_eq!(escaped(name), label, "{name:?}");
        }
    }
}
