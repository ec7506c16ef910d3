//! The module linked into this program.
