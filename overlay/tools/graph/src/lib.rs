//! The declared graph: `graph.yaml`.
