//! YAML and JSON as a tree in which every part knows where it stands. Aliases and tags are refused: nobody needs them in a
//! seed, and aliases make a large thing of a small file.

use graph::Position;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use crate::error::{Error, Result};

/// Lists and mappings inside each other, at most.
const MAX_DEPTH: usize = 24;
/// Texts, lists and mappings of a file, at most.
const MAX_NODES: usize = 50_000;

/// A part of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The file, as the seed has it.
    pub file: &'static str,
    /// Where it starts; JSON does not tell.
    pub at: Option<Position>,
    /// What it is.
    pub what: What,
}

/// What a part of a file is.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Nothing.
    Nothing,
    /// A text, number or truth.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the file's order.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// An error about this part.
    pub fn error(&self, cause: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::Seed {
            file: self.file.into(),
            at: self.at,
            cause: cause.into(),
            hint: hint.into(),
        }
    }

    fn unlike(&self, name: &str, wanted: &str) -> Error {
        let kind = match self.what {
            What::Nothing => "nothing",
            What::Text(_) => "a text",
            What::List(_) => "a list",
            What::Map(_) => "a mapping",
        };
        self.error(
            format!("`{name}` is {kind}, not {wanted}"),
            format!("write {wanted} there"),
        )
    }

    /// The text of what is called `name`.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, name: &str) -> Result<&str> {
        match &self.what {
            What::Text(text) => Ok(text),
            _ => Err(self.unlike(name, "a text")),
        }
    }

    /// The truth of what is called `name`.
    ///
    /// # Errors
    /// It is something else.
    pub fn truth(&self, name: &str) -> Result<bool> {
        match self.text(name)? {
            "true" | "True" | "TRUE" | "yes" | "on" => Ok(true),
            "false" | "False" | "FALSE" | "no" | "off" => Ok(false),
            _ => Err(self.unlike(name, "true or false")),
        }
    }

    /// A number, address or whatever a text can be read as.
    ///
    /// # Errors
    /// It is something else; `wanted` says what it should be.
    pub fn parse<T: std::str::FromStr>(&self, name: &str, wanted: &str) -> Result<T> {
        let text = self.text(name)?;
        let wrong = |_| {
            self.error(
                format!("`{name}`: {text:?} is not {wanted}"),
                format!("write {wanted} there"),
            )
        };
        text.parse().map_err(wrong)
    }

    /// The items of a list; a single text is a list of one, and nothing an empty one.
    ///
    /// # Errors
    /// It is a mapping.
    pub fn items(&self, name: &str) -> Result<&[Node]> {
        match &self.what {
            What::Nothing => Ok(&[]),
            What::List(items) => Ok(items),
            What::Text(_) => Ok(std::slice::from_ref(self)),
            What::Map(_) => Err(self.unlike(name, "a list")),
        }
    }

    /// The entries of a mapping; nothing is an empty one.
    ///
    /// # Errors
    /// It is something else.
    pub fn entries(&self, name: &str) -> Result<&[(String, Node)]> {
        match &self.what {
            What::Nothing => Ok(&[]),
            What::Map(entries) => Ok(entries),
            _ => Err(self.unlike(name, "a mapping")),
        }
    }

    /// The entry of that name, if this is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.what {
            What::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, node)| node),
            _ => None,
        }
    }
}

/// Reads YAML.
///
/// # Errors
/// It is no YAML, too deep, too large, or uses aliases or tags.
pub fn yaml(file: &'static str, text: &str) -> Result<Node> {
    let mut reader = Reader {
        file,
        parser: Parser::new_from_str(text),
        depth: 0,
        nodes: 0,
    };
    reader.document()
}

/// Reads JSON.
///
/// # Errors
/// It is no JSON.
pub fn json(file: &'static str, text: &str) -> Result<Node> {
    let value = serde_json::from_str(text).map_err(|error| Error::Seed {
        file: file.into(),
        at: Some(Position {
            line: error.line(),
            column: error.column(),
        }),
        cause: format!("is no JSON: {error}"),
        hint: "write it with a program that knows JSON".into(),
    })?;
    Ok(from_json(file, value))
}

fn from_json(file: &'static str, value: serde_json::Value) -> Node {
    use serde_json::Value;
    let what = match value {
        Value::Null => What::Nothing,
        Value::Bool(truth) => What::Text(truth.to_string()),
        Value::Number(number) => What::Text(number.to_string()),
        Value::String(text) => What::Text(text),
        Value::Array(items) => What::List(items.into_iter().map(|item| from_json(file, item)).collect()),
        Value::Object(entries) => {
            let entries = entries.into_iter();
            What::Map(entries.map(|(key, value)| (key, from_json(file, value))).collect())
        }
    };
    Node { file, at: None, what }
}

struct Reader<'a> {
    file: &'static str,
    parser: Parser<'a, StrInput<'a>>,
    depth: usize,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node> {
        let mut document = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if document.is_some() => {
                    return Err(self.error(at, "a second document starts here", "leave `---` out"));
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                _ => document = Some(self.node(event, at)?),
            }
        }
        Ok(document.unwrap_or(Node {
            file: self.file,
            at: Some(Position { line: 1, column: 1 }),
            what: What::Nothing,
        }))
    }

    fn error(&self, at: Position, cause: impl Into<String>, hint: &str) -> Error {
        Error::Seed {
            file: self.file.into(),
            at: Some(at),
            cause: cause.into(),
            hint: hint.into(),
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Position)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(&span.start))),
            Some(Err(error)) => Err(self.error(
                position(error.marker()),
                format!("is no YAML: {}", error.info()),
                "check quotes, brackets and indentation near there",
            )),
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    fn node(&mut self, event: Event<'a>, at: Position) -> Result<Node> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let cause = format!("has more than {MAX_NODES} values");
            return Err(self.error(at, cause, "a seed is small; fetch large things once the appliance runs"));
        }
        let (tag, what) = match event {
            Event::Scalar(text, style, _, tag) => (tag, scalar(&text, style)),
            Event::SequenceStart(_, tag) => (tag, self.nested(at, Self::list)?),
            Event::MappingStart(_, tag) => (tag, self.nested(at, Self::map)?),
            Event::Alias(_) => return Err(self.error(at, "aliases are not taken in a seed", "write the value itself")),
            _ => (None, What::Nothing),
        };
        if tag.is_some_and(|tag| !is_usual(&tag)) {
            return Err(self.error(at, "tags (`!...`) are not taken in a seed", "leave the tag out"));
        }
        let (file, at) = (self.file, Some(at));
        Ok(Node { file, at, what })
    }

    fn nested(&mut self, at: Position, read: fn(&mut Self) -> Result<What>) -> Result<What> {
        if self.depth == MAX_DEPTH {
            let cause = format!("there are more than {MAX_DEPTH} lists and mappings inside each other");
            return Err(self.error(at, cause, "nothing in a seed is that deep"));
        }
        self.depth += 1;
        let what = read(self);
        self.depth -= 1;
        what
    }

    fn list(&mut self) -> Result<What> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(What::List(items)),
                (event, at) => items.push(self.node(event, at)?),
            }
        }
    }

    fn map(&mut self) -> Result<What> {
        let mut entries = Vec::new();
        let mut known = std::collections::HashSet::new();
        loop {
            let (key, at) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(What::Map(entries)),
                (Event::Scalar(key, ..), at) => (key.into_owned(), at),
                (_, at) => return Err(self.error(at, "a key has to be a text", "write a text before the colon")),
            };
            if !known.insert(key.clone()) {
                return Err(self.error(at, format!("the key {key:?} is there twice"), "leave one of them out"));
            }
            // Errors about a value point at its key, as people read it.
            let (event, _) = self.next()?;
            entries.push((key, self.node(event, at)?));
        }
    }
}

/// Whether a tag says no more than what is there anyway, such as `!!str`.
fn is_usual(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && ["bool", "float", "int", "map", "null", "seq", "str"].contains(&tag.suffix.as_str())
}

fn scalar(text: &str, style: ScalarStyle) -> What {
    match text {
        "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => What::Nothing,
        text => What::Text(text.into()),
    }
}

fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}
