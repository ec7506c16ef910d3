//! Errors that point at the line.

use std::fmt;
use std::path::Path;

use thiserror::Error;

/// What is wrong with a graph file, and where.
///
/// It is displayed with the offending line and a mark below the place:
///
/// ```text
/// graph.yaml:4:10: unknown key `interfce`
///     4 |   wan: { interfce: vtnet1 }
///       |          ^
///   hint: did you mean `interface`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Error {
    /// The file, as it was named.
    pub file: Box<Path>,
    /// Where in it, when that is known.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text of that line.
    pub source_line: Option<Box<str>>,
    /// Further mistakes in the same file that do not follow from this one, in its order.
    pub others: Box<[Error]>,
}

/// Something in a graph file that is accepted, but most likely not what was meant. It is displayed like an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What and where.
    pub about: Error,
}

/// What is wrong, before it is known in which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where.
    pub at: Position,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A place in a text, both counted from 1; columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Mistake {
    pub(crate) fn new(at: Position, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into()).filter(|hint: &String| !hint.is_empty());
        self
    }

    pub(crate) fn into_error(self, file: &Path, text: &str) -> Error {
        Error::new(file, text, Some(self.at), self.message).hint(self.hint)
    }
}

impl Error {
    pub(crate) fn new(file: &Path, text: &str, position: Option<Position>, message: impl Into<String>) -> Self {
        let position = position.map(|position| position.within(text));
        let source_line = position.and_then(|position| text.lines().nth(position.line - 1));
        Self {
            file: file.into(),
            position,
            message: message.into(),
            hint: None,
            source_line: source_line.map(Box::from),
            others: Box::default(),
        }
    }

    /// The first of some mistakes in the file's order, with the others behind it; None without any.
    pub(crate) fn of_all(mut mistakes: Vec<Mistake>, file: &Path, text: &str) -> Option<Self> {
        mistakes.sort_by_key(|mistake| mistake.at);
        let mut errors = mistakes.into_iter().map(|mistake| mistake.into_error(file, text));
        let mut first = errors.next()?;
        first.others = errors.collect();
        Some(first)
    }

    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The line, counted from 1, when it is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.position.map(|position| position.line)
    }

    /// This one and the others.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// Displays it without the others; the word stands before the message.
    fn show(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {word}{}", self.message)?;
        if let (Some(text), Some(Position { line, column })) = (&self.source_line, self.position) {
            let text = text.replace('\t', " ");
            write!(f, "\n{line:>5} | {text}\n      | {:>column$}", '^')?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl Warning {
    /// Some doubts in the file's order.
    pub(crate) fn of_all(mut doubts: Vec<Mistake>, file: &Path, text: &str) -> Vec<Self> {
        doubts.sort_by_key(|doubt| doubt.at);
        let warning = |doubt: Mistake| Self {
            about: doubt.into_error(file, text),
        };
        doubts.into_iter().map(warning).collect()
    }
}

impl Position {
    /// The nearest place in the text: the end of the last line for what is said about the end of the text.
    fn within(self, text: &str) -> Self {
        let lines = text.lines().count().max(1);
        let line = self.line.clamp(1, lines);
        let length = text.lines().nth(line - 1).map_or(0, |line| line.chars().count());
        let column = if self.line > lines {
            length + 1
        } else {
            self.column.clamp(1, length + 1)
        };
        Self { line, column }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, "")?;
        self.others.iter().try_for_each(|other| {
            f.write_str("\n")?;
            other.show(f, "")
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.about.show(f, "warning: ")
    }
}
