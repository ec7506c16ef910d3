//! One node.

use netgraph::{NodeName, TypeName};

use super::fields::{Fields, space_missing};
use super::interface;
use super::{NodePlace, Notes, Objection};
use crate::catalog::{self, Life};
use crate::error::Mistake;
use crate::yaml::{Key, Value, What};
use crate::{Kind, Mac, Node, arguments, names, suggest};

/// The keys of a node.
pub const NODE_KEYS: [&str; 6] = ["interface", "type", "messages", "mac", "rename", "jail"];

const EXAMPLE: &str = "`{ type: tee }`";

/// Reads a node; None when something is wrong with it, which is noted.
pub fn read(key: &Key<'_>, value: &Value<'_>, own: &[&str], notes: &mut Notes) -> Option<(Node, NodePlace)> {
    if let Some(hint) = space_missing(&key.text) {
        notes.wrong(Mistake::new(key.at, format!("`{}` is no entry", key.text)).hint(hint));
        return None;
    }
    let name = notes.accept(key.at, read_name(&key.text));
    if let What::Plain(_) | What::Quoted(_) = value.what {
        notes.wrong(no_mapping(key, value));
        return None;
    }
    let fields = Fields::read(value, "a node", EXAMPLE, &NODE_KEYS, notes)?;
    let kind = read_kind(key, &fields, own, notes);
    let texts = kind.as_ref().and_then(type_of).map_or(&[][..], |kind| kind.texts);
    let (messages, message_places) = read_messages(&fields, texts, notes);
    let kind = kind?;
    let mac = read_mac(&fields, &kind, notes);
    let rename = read_word(&fields, &kind, "rename", names::check_rename, notes);
    let jail = read_word(&fields, &kind, "jail", names::check_jail, notes);
    let place = NodePlace {
        name: key.at,
        kind: fields.at("interface").or(fields.at("type")).unwrap_or(key.at),
        rename: fields.at("rename"),
        messages: message_places,
    };
    let node = Node {
        name: name?,
        kind,
        messages,
        mac,
        rename,
        jail,
    };
    Some((node, place))
}

fn read_name(text: &str) -> Result<NodeName, Objection> {
    text.parse()
        .map_err(|error: netgraph::NameError| (error.to_string(), None))
}

/// What to say about `tap0: tee`.
fn no_mapping(key: &Key<'_>, value: &Value<'_>) -> Mistake {
    let text = value.text().unwrap_or("");
    if value.is_nothing() {
        return of_no_kind(key);
    }
    let mistake = Mistake::new(value.at, format!("a node is a mapping, but this is {}", value.kind()));
    match catalog::find(text) {
        Some(kind) => mistake.hint(format!("write `{{ type: {} }}`", kind.name)),
        None => mistake.hint(format!("write it as in {EXAMPLE} or `{{ interface: vtnet1 }}`")),
    }
}

fn of_no_kind(key: &Key<'_>) -> Mistake {
    let message = format!("node `{}` is of no kind", key.text);
    Mistake::new(key.at, message).hint("give it `interface: NAME` or `type: TYPE`")
}

fn read_kind(key: &Key<'_>, fields: &Fields<'_, '_>, own: &[&str], notes: &mut Notes) -> Option<Kind> {
    match (fields.value("interface"), fields.has("type")) {
        (Some(_), true) => {
            let message = format!("node `{}` has both `interface` and `type`", key.text);
            notes.wrong(Mistake::new(key.at, message).hint("a node is one of both: take the other out"));
            None
        }
        (Some(interface), false) => interface::read(interface, notes).map(Kind::Interface),
        (None, true) => {
            let (at, name) = fields.text("type", notes)?;
            let found = notes.accept(at, read_type(&key.text, name, own))?;
            if catalog::find(name).is_none() && !own.contains(&name) {
                let message = format!("the type `{name}` is none of FreeBSD's: its hooks are not checked");
                let hint = format!("a line `types: [ {name} ]` says that it is yours");
                notes.doubt(Mistake::new(at, message).hint(hint));
            }
            Some(Kind::Type(found))
        }
        (None, false) if fields.are_strange() => None,
        (None, false) => {
            notes.wrong(of_no_kind(key));
            None
        }
    }
}

/// A type that can be declared. An unknown name is one of one's own, unless it looks like a slip of a known one.
fn read_type(node: &str, name: &str, own: &[&str]) -> Result<TypeName, Objection> {
    let parsed = type_name(name)?;
    let Some(kind) = catalog::find(name) else {
        let near = suggest::nearest(name, catalog::names()).filter(|_| !own.contains(&name));
        return match near {
            Some(near) => Err((
                format!("there is no type `{name}`"),
                Some(format!(
                    "did you mean `{near}`? If it is a type of your own, add the line `types: [ {name} ]`"
                )),
            )),
            None => Ok(parsed),
        };
    };
    match name {
        "ether" => Err((
            "nodes of type ether come with their interface".to_owned(),
            Some("write `interface: NAME` instead of `type: ether`".to_owned()),
        )),
        "socket" => Err((
            "nodes of type socket belong to processes and cannot be declared".to_owned(),
            None,
        )),
        _ if kind.life == Life::Given && is_single(name) && node != name => Err((
            format!("the only node of type {name} is called `{name}`"),
            Some(format!("call this one `{name}` too")),
        )),
        _ => Ok(parsed),
    }
}

/// A name that a type can have.
pub fn type_name(name: &str) -> Result<TypeName, Objection> {
    name.parse()
        .map_err(|error: netgraph::NameError| (error.to_string(), None))
}

/// Types of which the module makes one node, with the type's name.
fn is_single(type_name: &str) -> bool {
    type_name == "ipfw" || type_name.starts_with("btsock_")
}

fn type_of(kind: &Kind) -> Option<&'static catalog::Type> {
    match kind {
        Kind::Interface(_) => catalog::find("ether"),
        Kind::Type(name) => catalog::find(name.as_str()),
    }
}

fn read_messages(
    fields: &Fields<'_, '_>,
    texts: &[&str],
    notes: &mut Notes,
) -> (Vec<(String, String)>, Vec<crate::Position>) {
    let items = fields.list("messages", "`messages: [ setpromisc: 1 ]`", notes);
    let read = items.iter().filter_map(|item| {
        let message = arguments::message(item, texts).map_err(|message| (message, None));
        notes.accept(item.at, message).map(|message| (message, item.at))
    });
    read.unzip()
}

fn read_mac(fields: &Fields<'_, '_>, kind: &Kind, notes: &mut Notes) -> Option<Mac> {
    let (at, text) = fields.text("mac", notes)?;
    let read = || {
        has_interface("mac", kind)?;
        let mac = text.parse::<Mac>().map_err(|message| (message, None))?;
        names::check_mac(mac).map(|()| mac)
    };
    notes.accept(at, read())
}

/// The value of a key that interfaces have.
fn read_word(
    fields: &Fields<'_, '_>,
    kind: &Kind,
    key: &str,
    check: impl Fn(&str) -> Result<(), Objection>,
    notes: &mut Notes,
) -> Option<String> {
    let (at, text) = fields.text(key, notes)?;
    let checked = has_interface(key, kind).and_then(|()| check(text));
    notes.accept(at, checked.map(|()| text.to_owned()))
}

/// Whether a node of that kind has an interface that such a key can be about.
fn has_interface(key: &str, kind: &Kind) -> Result<(), Objection> {
    let (type_name, known) = match kind {
        Kind::Interface(_) => return Ok(()),
        Kind::Type(name) => (name.as_str(), catalog::find(name.as_str()).is_some()),
    };
    match (type_name, key) {
        ("eiface", _) | ("iface", "rename" | "jail") => Ok(()),
        ("iface", _) => Err((
            "the interface of an iface node has no hardware address".to_owned(),
            Some("a node of type eiface has one".to_owned()),
        )),
        // A type of one's own may well have an interface.
        _ if !known && key != "mac" => Ok(()),
        _ => Err((
            format!("`{key}` is about an interface, and a node of type {type_name} has none"),
            Some("nodes with `interface` and of the types eiface and iface have one".to_owned()),
        )),
    }
}
