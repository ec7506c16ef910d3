//! netgraph(4) from user space.
