//! What a text must look like: equality, regular expressions, JSON pointers.

use std::collections::BTreeMap;
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;

/// Everything that must hold; nothing, if nothing is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The whole text, line ends at its end aside.
    #[serde(default)]
    pub equals: Option<String>,
    /// Regular expressions that must match somewhere; `^` and `$` are ends of lines.
    #[serde(default)]
    pub matches: Patterns,
    /// Regular expressions that must not match anywhere.
    #[serde(default)]
    pub lacks: Patterns,
    /// What must stand at these JSON pointers.
    #[serde(default)]
    pub json: BTreeMap<Pointer, JsonExpect>,
}

impl Expect {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.equals.is_none() && self.matches.0.is_empty() && self.lacks.0.is_empty() && self.json.is_empty()
    }

    /// Every way in which the text is not as expected.
    pub fn complaints(&self, what: &str, text: &str) -> Vec<String> {
        let mut complaints = Vec::new();
        if let Some(expected) = &self.equals
            && expected.trim_end() != text.trim_end()
        {
            complaints.push(format!(
                "{what} is not `{}` but `{}`",
                expected.trim_end(),
                shortened(text)
            ));
        }
        for pattern in self.matches.0.iter().filter(|pattern| !pattern.is_match(text)) {
            complaints.push(format!("{what} does not match /{pattern}/: `{}`", shortened(text)));
        }
        for pattern in &self.lacks.0 {
            if let Some(found) = pattern.find(text) {
                complaints.push(format!("{what} matches /{pattern}/: `{}`", shortened(found.as_str())));
            }
        }
        complaints.extend(self.json_complaints(what, text));
        complaints
    }

    fn json_complaints(&self, what: &str, text: &str) -> Vec<String> {
        if self.json.is_empty() {
            return Vec::new();
        }
        match serde_json::from_str::<Value>(text) {
            Err(error) => vec![format!("{what} is not JSON ({error}): `{}`", shortened(text))],
            Ok(document) => self
                .json
                .iter()
                .filter_map(|(pointer, expected)| expected.complaint(pointer, &document))
                .map(|complaint| format!("{what}: {complaint}"))
                .collect(),
        }
    }
}

/// Text for a message: its beginning, on one line.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let one_line = text.trim_end().replace('\n', "\\n");
    match one_line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &one_line[..cut]),
        None => one_line,
    }
}

/// One regular expression or several.
#[derive(Debug, Default)]
pub struct Patterns(pub Vec<Regex>);

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PatternsVisitor)
    }
}

struct PatternsVisitor;

impl<'de> Visitor<'de> for PatternsVisitor {
    type Value = Patterns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a regular expression or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Patterns, E> {
        Ok(Patterns(vec![compile(text)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Patterns, A::Error> {
        let mut patterns = Vec::new();
        while let Some(text) = sequence.next_element::<String>()? {
            patterns.push(compile(&text)?);
        }
        Ok(Patterns(patterns))
    }
}

fn compile<E: Error>(text: &str) -> Result<Regex, E> {
    RegexBuilder::new(text).multi_line(true).build().map_err(E::custom)
}

/// A place in a JSON document (RFC 6901). `/` alone stands for the whole document, as the empty pointer does.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(String);

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" | "/" => Ok(Self(String::new())),
            path if path.starts_with('/') => Ok(Self(text)),
            other => Err(D::Error::custom(format!(
                "`{other}` is not a JSON pointer: it does not begin with /"
            ))),
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// What must stand at a place of a document.
#[derive(Debug)]
pub enum JsonExpect {
    /// This value.
    Equals(Value),
    /// A string that matches.
    Matches(Regex),
    /// A list with an element that has at least these members and values.
    Contains(Value),
    /// A list or an object of so many members.
    Length(usize),
    /// Nothing: the place does not exist.
    Absent,
}

impl<'de> Deserialize<'de> for JsonExpect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let Some((key, argument)) = single_member(&value) else {
            return Ok(Self::Equals(value));
        };
        match (key, argument) {
            ("matches", Value::String(pattern)) => compile(pattern).map(Self::Matches),
            ("contains", element) => Ok(Self::Contains(element.clone())),
            ("length", Value::Number(number)) if number.is_u64() => {
                let length = number.as_u64().and_then(|number| usize::try_from(number).ok());
                length
                    .map(Self::Length)
                    .ok_or_else(|| D::Error::custom("length is too large"))
            }
            ("absent", Value::Bool(true)) => Ok(Self::Absent),
            ("equals", value) => Ok(Self::Equals(value.clone())),
            (other, _) => Err(D::Error::custom(format!(
                "`{other}` is none of matches: REGEX, contains: ELEMENT, length: NUMBER, absent: true, equals: VALUE"
            ))),
        }
    }
}

fn single_member(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(key, argument)| (key.as_str(), argument))
}

impl JsonExpect {
    fn complaint(&self, pointer: &Pointer, document: &Value) -> Option<String> {
        let found = document.pointer(&pointer.0);
        if self.holds(found) {
            return None;
        }
        let found = found.map_or("nothing".into(), |found| format!("`{}`", shortened(&found.to_string())));
        let wanted = match self {
            Self::Equals(value) => format!("not `{value}`"),
            Self::Matches(pattern) => format!("nothing that matches /{pattern}/"),
            Self::Contains(element) => format!("no list with `{element}`"),
            Self::Length(length) => format!("nothing of length {length}"),
            Self::Absent => "something".to_owned(),
        };
        Some(format!("at {pointer} stands {wanted} but {found}"))
    }

    fn holds(&self, found: Option<&Value>) -> bool {
        match self {
            Self::Equals(value) => found == Some(value),
            Self::Matches(pattern) => found.and_then(Value::as_str).is_some_and(|text| pattern.is_match(text)),
            Self::Contains(wanted) => {
                let elements = found.and_then(Value::as_array);
                elements.is_some_and(|elements| elements.iter().any(|element| covers(element, wanted)))
            }
            Self::Length(length) => {
                let list = found.and_then(Value::as_array).map(Vec::len);
                let object = found.and_then(Value::as_object).map(serde_json::Map::len);
                list.or(object) == Some(*length)
            }
            Self::Absent => found.is_none(),
        }
    }
}

/// Whether `value` has at least the members of `wanted`, all the way down; anything else must be equal.
fn covers(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|value| covers(value, wanted))),
        _ => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(expect: &str, text: &str) -> Vec<String> {
        let expect: Expect = serde_yaml::from_str(expect).unwrap();
        expect.complaints("stdout", text)
    }

    #[test]
    fn tables_of_what_holds_and_what_does_not() {
        let nodes = r#"{"nodes": [{"name": "br0", "type": "bridge", "id": 7}], "a/b": [1, 2]}"#;
        let cases = [
            ("equals: one", "one\n", "one two"),
            ("equals: ''", "\n", "x"),
            ("matches: '^b.*r$'", "foo\nbar\nbaz", "foobarbaz"),
            ("matches: [a, b]", "ab", "a"),
            ("lacks: panic", "all well", "a panic"),
            ("json: {/nodes/0/name: br0}", nodes, r#"{"nodes": []}"#),
            ("json: {/nodes: {length: 1}}", nodes, r#"{"nodes": [1, 2]}"#),
            ("json: {/: {length: 2}}", nodes, "{}"),
            (
                "json: {/nodes/0/name: {matches: '^br[0-9]$'}}",
                nodes,
                r#"{"nodes": [{"name": "x"}]}"#,
            ),
            (
                "json: {/nodes: {contains: {name: br0, type: bridge}}}",
                nodes,
                r#"{"nodes": [{"name": "br0"}]}"#,
            ),
            ("json: {/a~1b: [1, 2]}", nodes, r#"{"a/b": [2, 1]}"#),
            ("json: {/nope: {absent: true}}", nodes, r#"{"nope": 1}"#),
            ("json: {/nodes/0/id: 7}", nodes, "not JSON"),
        ];
        for (expect, good, bad) in cases {
            assert_eq!(complaints(expect, good), Vec::<String>::new(), "{expect}");
            assert_eq!(complaints(expect, bad).len(), 1, "{expect} on {bad}");
        }
    }

    #[test]
    fn a_complaint_shows_what_was_wanted_and_what_was_found() {
        assert_eq!(complaints("equals: a", "b\nc\n"), [r"stdout is not `a` but `b\nc`"]);
        assert_eq!(
            complaints("json: {/n: 1}", r#"{"n": 2}"#),
            ["stdout: at /n stands not `1` but `2`"]
        );
        let long = complaints("equals: a", &"é".repeat(10_000));
        assert!(long[0].chars().count() < 400);
    }

    #[test]
    fn misspelt_json_expectations_are_refused() {
        let error = serde_yaml::from_str::<Expect>("json: {/n: {matchs: x}}").unwrap_err();
        assert!(error.to_string().contains("`matchs` is none of"), "{error}");
    }
}
