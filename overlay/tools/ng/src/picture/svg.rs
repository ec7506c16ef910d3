//! A drawing as SVG: one file without fonts, scripts or anything else from outside, for light and dark surroundings.

mod style;

use std::fmt::Write as _;

use super::layout::{Anchor, DETAIL_SIZE, Direction, HOOK_SIZE, Label, NAME_SIZE, Picture, Point, Rect, Stroke, Wire};
use super::{Class, Drawing, Edge, Node, layout};
use crate::failure::Result;

/// How round the corners of nodes are.
const ROUND: f64 = 5.0;

/// The whole picture; `title` is what it is called.
pub fn text(drawing: &Drawing, title: &str, direction: Option<Direction>) -> Result<String> {
    let picture = layout::picture(drawing, direction)?;
    let mut text = head(drawing, title, &picture);
    for (edge, wire) in drawing.edges.iter().zip(&picture.wires) {
        text += &line(drawing, edge, wire);
    }
    for (node, rect) in drawing.nodes.iter().zip(&picture.boxes) {
        text += &node_box(node, *rect);
    }
    if drawing.nodes.is_empty() {
        text += &note(&picture, "no nodes");
    }
    Ok(text + "</svg>\n")
}

/// The least size of a picture, for one without nodes.
const LEAST: (f64, f64) = (160.0, 60.0);

fn size(picture: &Picture) -> (f64, f64) {
    (picture.width.max(LEAST.0).ceil(), picture.height.max(LEAST.1).ceil())
}

fn head(drawing: &Drawing, title: &str, picture: &Picture) -> String {
    let (width, height) = size(picture);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">
<title id="title">{}</title>
<desc id="desc">{}</desc>
<style>
{}</style>
<rect class="ground" width="{width}" height="{height}"/>
"#,
        escaped(title),
        escaped(&description(drawing)),
        style::sheet()
    )
}

/// What is in the picture, in words.
fn description(drawing: &Drawing) -> String {
    let counts = [
        (Class::Interface, "interface", "interfaces"),
        (Class::Switch, "switch", "switches"),
        (Class::Socket, "socket", "sockets"),
        (Class::Other, "other node", "other nodes"),
    ];
    let counts = counts.map(|(class, one, many)| {
        let count = drawing.nodes.iter().filter(|node| node.class == class).count();
        counted(count, one, many)
    });
    let links = counted(drawing.edges.len(), "link", "links").unwrap_or_else(|| "no links".to_owned());
    let nodes: Vec<String> = counts.into_iter().flatten().collect();
    if nodes.is_empty() {
        return "A netgraph without nodes.".to_owned();
    }
    format!("A netgraph: {}; {links}.", nodes.join(", "))
}

fn counted(count: usize, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    }
}

fn class(node: &Node) -> &'static str {
    match node.class {
        Class::Interface => "interface",
        Class::Switch => "switch",
        Class::Socket => "socket",
        Class::Other => "other",
    }
}

fn node_box(node: &Node, rect: Rect) -> String {
    let round = match node.class {
        Class::Interface => (rect.height.min(rect.width) / 2.0).min(22.0),
        Class::Switch | Class::Socket | Class::Other => ROUND,
    };
    let middle = Point {
        x: rect.x + rect.width / 2.0,
        y: rect.y + rect.height / 2.0,
    };
    let id = node.id.map(|id| format!(" {id}")).unwrap_or_default();
    let tip = format!("{} ({}){id}", node.label(), node.detail());
    format!(
        concat!(
            "<g class=\"node {}\"><title>{}</title>",
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            "<text class=\"type\" x=\"{}\" y=\"{}\">{}</text></g>\n"
        ),
        class(node),
        escaped(&tip),
        number(rect.x),
        number(rect.y),
        number(rect.width),
        number(rect.height),
        number(round),
        number(middle.x),
        number(middle.y - NAME_SIZE * 0.25),
        escaped(&node.label()),
        number(middle.x),
        number(middle.y + DETAIL_SIZE * 1.15),
        escaped(&node.detail()),
    )
}

fn line(drawing: &Drawing, edge: &Edge, wire: &Wire) -> String {
    let end = |end: &super::End| format!("{}.{}", drawing.nodes[end.node].label(), end.hook);
    let tip = format!("{} -- {}", end(&edge.left), end(&edge.right));
    let [left, right] = &wire.labels;
    format!(
        "<g class=\"link\"><title>{}</title><path d=\"{}\"/>{}{}</g>\n",
        escaped(&tip),
        path(&wire.path),
        hook(&edge.left.hook, left),
        hook(&edge.right.hook, right)
    )
}

fn hook(name: &str, label: &Label) -> String {
    let (x, class) = match label.anchor {
        Anchor::Start => (label.rect.x, "hook"),
        Anchor::End => (label.rect.x + label.rect.width, "hook end"),
    };
    // So much of a font is below the line that it stands on.
    let y = label.rect.y + label.rect.height - HOOK_SIZE * 0.25;
    format!(
        "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
        number(x),
        number(y),
        escaped(name)
    )
}

fn path(strokes: &[Stroke]) -> String {
    let mut path = String::new();
    for stroke in strokes {
        // Writing to a string cannot fail.
        let _ = match stroke {
            Stroke::Move(to) => write!(path, "M{}", place(*to)),
            Stroke::Line(to) => write!(path, "L{}", place(*to)),
            Stroke::Curve(one, other, to) => write!(path, "C{} {} {}", place(*one), place(*other), place(*to)),
        };
    }
    path
}

fn note(picture: &Picture, text: &str) -> String {
    let (width, height) = size(picture);
    format!(
        "<text class=\"type\" x=\"{}\" y=\"{}\">{text}</text>\n",
        number(width / 2.0),
        number(height / 2.0)
    )
}

fn place(point: Point) -> String {
    format!("{} {}", number(point.x), number(point.y))
}

/// A length, to a tenth of a pixel.
fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // No minus before a zero.
    format!("{}", rounded + 0.0)
}

/// Text between tags. What XML cannot have is shown as Rust writes it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => safe.extend(character.escape_default()),
            hidden if hidden.is_control() => safe.extend(hidden.escape_default()),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shows_every_name_as_it_is() {
        let rows = [
            ("link0", "link0"),
            ("<b>&\"'", "&lt;b&gt;&amp;&quot;'"),
            ("]]>", "]]&gt;"),
            ("a\nb\u{0}\u{ffff}", "a\\nb\\u{0}\\u{ffff}"),
            ("größe ✓", "größe ✓"),
        ];
        for (name, text) in rows {
            assert_eq!(escaped(name), text, "{name:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let rows = [
            (1.0, "1"),
            (1.25, "1.3"),
            (-0.01, "0"),
            (1234.56, "1234.6"),
            (-3.0, "-3"),
        ];
        for (value, text) in rows {
            assert_eq!(number(value), text);
        }
    }
}
