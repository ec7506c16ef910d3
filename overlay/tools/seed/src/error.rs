//! What is wrong with a seed, and where.

use std::path::PathBuf;

use graph::Position;

/// The result of anything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a seed was not applied. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file of the seed asks for what cannot be done.
    #[error("{file}:{}{cause}\nhint: {hint}", place(*at))]
    Seed {
        /// The file, as the seed has it.
        file: String,
        /// Where in it; JSON does not tell.
        at: Option<Position>,
        /// What is wrong.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// The graph that the seed brings is wrong; the message has file, line and column.
    #[error("{0}\nhint: the appliance keeps the graph that it has; `ng validate` checks one anywhere")]
    Graph(String),
    /// The volume cannot be read.
    #[error("{volume}: {cause}\nhint: {hint}")]
    Volume {
        /// The device, image or folder.
        volume: PathBuf,
        /// What is wrong.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// The appliance's own files could not be read or changed.
    #[error("{path}: could not {action}: {cause}\nhint: nothing was changed; `service ngforge_seed start` tries again")]
    System {
        /// The verb and its object.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
}

fn place(at: Option<Position>) -> String {
    match at {
        Some(Position { line, column }) => format!("{line}:{column}: "),
        None => " ".into(),
    }
}
