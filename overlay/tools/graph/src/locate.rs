//! Where something stands in a YAML text.
//!
//! serde_yaml keeps no positions, but its errors carry them. So a place is found by reading the text once more along the
//! path to it, and refusing what stands there: the error says where that was. That costs one reading per question, and
//! questions are asked about errors only.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::Position;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value of that key of a mapping.
    Value(&'a str),
    /// That key of a mapping itself; the last step only.
    Key(&'a str),
    /// The item of a sequence with that number, from 0.
    Item(usize),
}

/// Where the path leads; None when there is nothing.
pub fn locate(text: &str, path: &[Step<'_>]) -> Option<Position> {
    let error = Finder(path)
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .err()?;
    position(&error)
}

/// The place that an error of serde_yaml speaks of.
pub fn position(error: &serde_yaml::Error) -> Option<Position> {
    error.location().map(|location| Position {
        line: location.line(),
        column: location.column(),
    })
}

/// Walks along the path; succeeds when the path leads nowhere.
struct Finder<'a>(&'a [Step<'a>]);

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.0.is_empty() {
            return deserializer.deserialize_any(Refusal);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping or a sequence")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (step, rest) = self.0.split_first().ok_or_else(|| A::Error::custom("no step"))?;
        while let Some(key) = map.next_key_seed(KeyFinder(step))? {
            if *step == Step::Value(&key) {
                map.next_value_seed(Finder(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let (step, rest) = self.0.split_first().ok_or_else(|| A::Error::custom("no step"))?;
        let Step::Item(wanted) = step else { return Ok(()) };
        for _ in 0..*wanted {
            if sequence.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        sequence.next_element_seed(Finder(rest))?;
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Reads a key, and refuses the wanted one.
struct KeyFinder<'a>(&'a Step<'a>);

impl<'de> DeserializeSeed<'de> for KeyFinder<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyFinder<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if *self.0 == Step::Key(key) {
            return Err(E::custom("found"));
        }
        Ok(key.to_owned())
    }
}

/// Accepts nothing, so that the error says where it stands.
struct Refusal;

impl Visitor<'_> for Refusal {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "version: 1\nnodes:\n  wan: { interface: vtnet1 }\n  \"tap\": { type: tee }\nedges:\n  - a -- b\n  - c -- d\n";

    #[test]
    fn keys_values_and_items_are_found() {
        let rows: [(&[Step<'_>], (usize, usize)); 5] = [
            (&[Step::Key("edges")], (5, 1)),
            (&[Step::Value("nodes"), Step::Key("wan")], (3, 3)),
            (&[Step::Value("nodes"), Step::Key("tap")], (4, 3)),
            (
                &[Step::Value("nodes"), Step::Value("wan"), Step::Value("interface")],
                (3, 21),
            ),
            (&[Step::Value("edges"), Step::Item(1)], (7, 5)),
        ];
        for (path, (line, column)) in rows {
            assert_eq!(locate(TEXT, path), Some(Position { line, column }), "{path:?}");
        }
    }

    #[test]
    fn what_is_not_there_has_no_place() {
        assert_eq!(locate(TEXT, &[Step::Key("colours")]), None);
        assert_eq!(locate(TEXT, &[Step::Value("edges"), Step::Item(9)]), None);
    }
}
