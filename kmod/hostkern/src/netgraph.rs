//! The netgraph core: nodes, hooks, items, paths, messages, and node types.
