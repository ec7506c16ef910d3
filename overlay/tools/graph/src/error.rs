//! Errors that point at the line.

use std::fmt;
use std::path::{Path, PathBuf};

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
    pub file: PathBuf,
    /// Where in it, when that is known.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text of that line.
    pub source_line: Option<String>,
}

/// A place in a text, both counted from 1; columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Error {
    pub(crate) fn new(file: &Path, text: &str, position: Option<Position>, message: impl Into<String>) -> Self {
        let source_line = position.and_then(|position| text.lines().nth(position.line - 1));
        Self {
            file: file.to_owned(),
            position,
            message: message.into(),
            hint: None,
            source_line: source_line.map(str::to_owned),
        }
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
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)?;
        if let (Some(text), Some(Position { line, column })) = (&self.source_line, self.position) {
            write!(f, "\n{line:>5} | {text}\n      | {:>column$}", '^')?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
