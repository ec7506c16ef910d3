//! x
/// x
pub mod address { /// x
 pub fn execute(_: &[u8]) {} }
/// x
pub mod calls { /// x
 pub fn execute(_: &[u8]) {} }
/// x
pub mod control { /// x
 pub fn execute(_: &[u8]) {} }
