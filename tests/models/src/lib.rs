//! What the tests of this package share: messages, addresses, and, under the feature `shuttle`, the model checker.

#[cfg(feature = "shuttle")]
mod bounded;
#[cfg(feature = "shuttle")]
pub mod check;
pub mod wire;
pub mod world;
