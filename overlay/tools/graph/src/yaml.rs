//! YAML as a tree in which every part knows where it stands.
//!
//! The tree is what the file says, and no more: what a text means, and which keys there may be, is decided by who reads it.
//! Anchors (`&x`) and aliases (`*x`) work; tags (`!x`) and merge keys (`<<`) have no meaning in a graph.

mod mistakes;

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};

use crate::error::{Mistake, Position};

/// Lists and mappings inside each other, at most.
const MAX_DEPTH: usize = 32;

/// Values that aliases may stand for, altogether.
const MAX_ALIASED: usize = 100_000;

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<'a> {
    /// Where it starts.
    pub at: Position,
    /// What it is.
    pub what: What<'a>,
}

/// What a part of a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<'a> {
    /// A text without quotes, which may stand for a number, a truth or nothing.
    Plain(Cow<'a, str>),
    /// A text that is nothing but a text.
    Quoted(Cow<'a, str>),
    /// A list.
    List(Vec<Value<'a>>),
    /// A mapping, in the file's order.
    Map(Vec<(Key<'a>, Value<'a>)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// Where it starts.
    pub at: Position,
    /// The key.
    pub text: Cow<'a, str>,
}

impl Value<'_> {
    /// Whether nothing is there.
    pub fn is_nothing(&self) -> bool {
        matches!(&self.what, What::Plain(text) if matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::Plain(_) if self.is_nothing() => None,
            What::Plain(text) | What::Quoted(text) => Some(text),
            What::List(_) | What::Map(_) => None,
        }
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.what {
            _ if self.is_nothing() => "empty",
            What::Plain(_) | What::Quoted(_) => "a text",
            What::List(_) => "a list",
            What::Map(_) => "a mapping",
        }
    }

    /// How many values it consists of.
    fn size(&self) -> usize {
        match &self.what {
            What::Plain(_) | What::Quoted(_) => 1,
            What::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            What::Map(entries) => 1 + entries.iter().map(|(_, value)| value.size()).sum::<usize>(),
        }
    }
}

/// Reads a text that holds one document.
///
/// # Errors
/// It is no YAML, holds no document or several, or something that has no meaning in a graph.
pub fn read(text: &str) -> Result<Value<'_>, Mistake> {
    let mut reader = Reader {
        text,
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        aliased: 0,
        open: Vec::new(),
    };
    reader.document()
}

type Found<'a> = (Event<'a>, Position);

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// What each anchor stands for.
    anchors: HashMap<usize, Value<'a>>,
    /// How many values came of aliases.
    aliased: usize,
    /// Where the lists and mappings start that have not ended yet.
    open: Vec<Position>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value<'a>, Mistake> {
        let mut document = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if document.is_some() => {
                    let hint = "a file holds one graph: leave `---` out";
                    return Err(Mistake::new(at, "a second document starts here").hint(hint));
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                _ => document = Some(self.value((event, at))?),
            }
        }
        document.ok_or_else(|| {
            let start = Position { line: 1, column: 1 };
            Mistake::new(start, "there is no graph in this file").hint("a graph starts with `version: 1`")
        })
    }

    fn next(&mut self) -> Result<Found<'a>, Mistake> {
        match self.parser.next_event() {
            Some(Ok((Event::Scalar(text, style, anchor, tag), span))) => {
                let text = self.in_place(text, span.start.index());
                Ok((Event::Scalar(text, style, anchor, tag), position(&span.start)))
            }
            Some(Ok((event, span))) => Ok((event, position(&span.start))),
            Some(Err(error)) => {
                let (at, said) = (position(error.marker()), error.info());
                Err(mistakes::explain(self.text, at, said, self.open.last().copied()))
            }
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    /// A text where it stands in the file, if it reads there as it is meant. The parser's own copy takes ten times the room,
    /// which thousands of edges add up to. It counts characters, not bytes: so the text is compared, wherever that leads to.
    fn in_place(&self, text: Cow<'a, str>, start: usize) -> Cow<'a, str> {
        let end = start.saturating_add(text.len());
        match self.text.get(start..end) {
            Some(found) if found == text => Cow::Borrowed(found),
            _ => text,
        }
    }

    fn value(&mut self, (event, at): Found<'a>) -> Result<Value<'a>, Mistake> {
        let (anchor, tag, what) = match event {
            Event::Scalar(text, ScalarStyle::Plain, anchor, tag) => (anchor, tag, What::Plain(text)),
            Event::Scalar(text, _, anchor, tag) => (anchor, tag, What::Quoted(text)),
            Event::SequenceStart(anchor, tag) => (anchor, tag, self.nested(at, Self::list)?),
            Event::MappingStart(anchor, tag) => (anchor, tag, self.nested(at, Self::map)?),
            Event::Alias(anchor) => return self.alias(anchor, at),
            _ => (0, None, What::Plain(Cow::Borrowed(""))),
        };
        if tag.is_some() {
            return Err(Mistake::new(at, "a tag (`!...`) has no meaning in a graph").hint("leave it out"));
        }
        let value = Value { at, what };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    /// Reads a list or mapping unless there are too many around it.
    fn nested(
        &mut self,
        at: Position,
        read: impl FnOnce(&mut Self) -> Result<What<'a>, Mistake>,
    ) -> Result<What<'a>, Mistake> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("there are more than {MAX_DEPTH} lists and mappings inside each other");
            return Err(Mistake::new(at, message));
        }
        self.open.push(at);
        let what = read(self)?;
        self.open.pop();
        Ok(what)
    }

    fn list(&mut self) -> Result<What<'a>, Mistake> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(What::List(items)),
                found => items.push(self.value(found)?),
            }
        }
    }

    fn map(&mut self) -> Result<What<'a>, Mistake> {
        // Most nodes have a type and nothing else.
        let mut entries = Vec::with_capacity(1);
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(What::Map(entries)),
                (Event::Scalar(text, _, _, None), at) => Key { at, text },
                (_, at) => return Err(Mistake::new(at, "a key has to be a text")),
            };
            let found = self.next()?;
            entries.push((key, self.value(found)?));
        }
    }

    /// What an anchor stands for; places inside it are those of the anchor.
    fn alias(&mut self, anchor: usize, at: Position) -> Result<Value<'a>, Mistake> {
        let Some(value) = self.anchors.get(&anchor) else {
            return Err(Mistake::new(at, "this alias stands inside of what it stands for"));
        };
        self.aliased = self.aliased.saturating_add(value.size());
        if self.aliased > MAX_ALIASED {
            return Err(Mistake::new(at, "aliases blow this file up beyond measure"));
        }
        let what = value.what.clone();
        Ok(Value { at, what })
    }
}

fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

#[cfg(test)]
mod tests;
