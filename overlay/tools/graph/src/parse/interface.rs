//! Which interface a node stands for: a name, or one thing that stays when names change.

use super::fields::Fields;
use super::{Notes, Objection};
use crate::error::Mistake;
use crate::yaml::{Value, What};
use crate::{Mac, PciAddress, Selector, names};

/// The keys by which an interface can be chosen.
pub const SELECTOR_KEYS: [&str; 3] = ["mac", "pci", "order"];

const EXAMPLE: &str = "`{ mac: \"02:00:00:00:00:01\" }`, `{ pci: \"pci0:0:5:0\" }` or `{ order: 0 }`";

/// Reads the value of `interface`.
pub fn read(value: &Value<'_>, notes: &mut Notes) -> Option<Selector> {
    if let Some(name) = value.text() {
        let named = names::check_interface(name).map(|()| Selector::Name(name.to_owned()));
        return notes.accept(value.at, named);
    }
    if !matches!(value.what, What::Map(_)) {
        let message = format!("an interface is a name, but this is {}", value.kind());
        notes.wrong(Mistake::new(value.at, message).hint(format!("write `interface: vtnet1`, or {EXAMPLE}")));
        return None;
    }
    let fields = Fields::read(value, "an interface", EXAMPLE, &SELECTOR_KEYS, notes)?;
    let mut given = SELECTOR_KEYS.into_iter().filter(|key| fields.has(key));
    let (Some(key), None) = (given.next(), given.next()) else {
        if fields.are_strange() {
            return None;
        }
        let mistake = Mistake::new(value.at, "an interface is chosen by one thing");
        notes.wrong(mistake.hint(format!("write {EXAMPLE}")));
        return None;
    };
    let (at, text) = fields.text(key, notes)?;
    notes.accept(at, selector(key, text))
}

fn selector(key: &str, text: &str) -> Result<Selector, Objection> {
    let plain = |message: String| (message, None);
    match key {
        "mac" => {
            let mac = text.parse::<Mac>().map_err(plain)?;
            names::check_mac(mac).map(|()| Selector::Mac(mac))
        }
        "pci" => text.parse::<PciAddress>().map(Selector::Pci).map_err(plain),
        _ => {
            let order = text.parse().map(Selector::Order);
            order.map_err(|_| {
                (
                    format!("`{text}` is no place in an order"),
                    Some("the first card is 0".to_owned()),
                )
            })
        }
    }
}
