//! The keys and values of a mapping that is to have certain keys.

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::Notes;
use crate::error::{Mistake, Position};
use crate::suggest;
use crate::yaml::{Key, Value, What};

/// A mapping, by key.
pub struct Fields<'v, 'a> {
    values: Vec<(&'v str, &'v Value<'a>)>,
    strange: bool,
}

impl<'v, 'a> Fields<'v, 'a> {
    /// Reads a mapping that is to have some of these keys, each once. `what` is what it stands for, with its article.
    pub fn read(value: &'v Value<'a>, what: &str, example: &str, keys: &[&str], notes: &mut Notes) -> Option<Self> {
        let What::Map(entries) = &value.what else {
            let message = format!("{what} is a mapping, but this is {}", value.kind());
            notes.wrong(Mistake::new(value.at, message).hint(format!("write it as in {example}")));
            return None;
        };
        let (mut values, mut strange) = (Vec::with_capacity(entries.len()), false);
        for (key, value) in unique(entries, notes).0 {
            if keys.contains(&key.text.as_ref()) {
                values.push((key.text.as_ref(), value));
            } else {
                strange = true;
                notes.wrong(unknown(key, keys));
            }
        }
        Some(Self { values, strange })
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether there are other keys, any of which may be a slip for one that is missing.
    pub fn are_strange(&self) -> bool {
        self.strange
    }

    /// Where the value of a key stands.
    pub fn at(&self, key: &str) -> Option<Position> {
        self.value(key).map(|value| value.at)
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&'v Value<'a>> {
        self.values
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    }

    /// A text, with its place.
    pub fn text(&self, key: &str, notes: &mut Notes) -> Option<(Position, &'v str)> {
        let value = self.value(key)?;
        let text = value.text();
        if text.is_none() {
            let message = format!("`{key}` is a text, but this is {}", value.kind());
            notes.wrong(Mistake::new(value.at, message).hint(format!("write a value behind it, or leave `{key}` out")));
        }
        Some((value.at, text?))
    }

    /// The items of a list; there need not be any.
    pub fn list(&self, key: &str, example: &str, notes: &mut Notes) -> &'v [Value<'a>] {
        match self.value(key) {
            Some(Value {
                what: What::List(items),
                ..
            }) => items,
            Some(value) if !value.is_nothing() => {
                let message = format!("`{key}` is a list, but this is {}", value.kind());
                let hint = match value.text() {
                    Some(text) if text.starts_with('-') => "put a space behind the `-`".to_owned(),
                    _ => format!("start each entry with `- `, as in {example}"),
                };
                notes.wrong(Mistake::new(value.at, message).hint(hint));
                &[]
            }
            _ => &[],
        }
    }

    /// The entries of a mapping whose keys are names, and the names that are there twice; there need not be any.
    pub fn map(&self, key: &str, example: &str, notes: &mut Notes) -> Unique<'v, 'a> {
        match self.value(key) {
            Some(Value {
                what: What::Map(entries),
                ..
            }) => unique(entries, notes),
            Some(value) if !value.is_nothing() => {
                let message = format!("`{key}` is a mapping, but this is {}", value.kind());
                let hint = format!("write each entry without `- ` in front, as in {example}");
                notes.wrong(Mistake::new(value.at, message).hint(hint));
                Unique::default()
            }
            _ => Unique::default(),
        }
    }
}

/// The entries without those whose key was there before, and these keys.
type Unique<'v, 'a> = (Vec<&'v (Key<'a>, Value<'a>)>, Vec<&'v str>);

fn unique<'v, 'a>(entries: &'v [(Key<'a>, Value<'a>)], notes: &mut Notes) -> Unique<'v, 'a> {
    let mut first: FxHashMap<&str, Position> = FxHashMap::with_capacity_and_hasher(entries.len(), FxBuildHasher);
    let mut unique = Vec::with_capacity(entries.len());
    let mut repeated = Vec::new();
    for entry in entries {
        let (key, _) = entry;
        if let Some(first) = first.get(key.text.as_ref()) {
            let message = format!("there are two `{}`; the first is in line {}", key.text, first.line);
            notes.wrong(Mistake::new(key.at, message).hint("give one of them another name, or take it out"));
            repeated.push(key.text.as_ref());
            continue;
        }
        first.insert(&key.text, key.at);
        unique.push(entry);
    }
    (unique, repeated)
}

fn unknown(key: &Key<'_>, keys: &[&str]) -> Mistake {
    if key.text == "<<" {
        let hint = "an alias can stand for a whole value only, as in `messages: *name`";
        return Mistake::new(key.at, "merge keys (`<<`) have no meaning in a graph").hint(hint);
    }
    let mistake = Mistake::new(key.at, format!("unknown key `{}`", key.text));
    match space_missing(&key.text) {
        Some(hint) => mistake.hint(hint),
        None => mistake.hint(suggest::hint(&key.text, keys).unwrap_or_default()),
    }
}

/// What to do when a key took its value along.
pub fn space_missing(key: &str) -> Option<String> {
    let (name, value) = key.split_once(':')?;
    let is_word = !value.contains([':', '{', '[']);
    let value = if is_word { value } else { "..." };
    Some(format!("put a space behind the colon: `{name}: {value}`"))
}
