//! What editors need to know of graph files.

/// A JSON Schema (draft 2020-12) of graph files. It knows keys, forms and types; what belongs together, only
/// [`Graph::parse`](crate::Graph::parse) knows.
pub const SCHEMA: &str = include_str!("../graph.schema.json");

#[cfg(test)]
mod tests;
