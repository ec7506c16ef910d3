//! `ng`: see and change the netgraph(4) graph.
fn main() {}
