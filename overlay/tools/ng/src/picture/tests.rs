//! Drawings for tests.
