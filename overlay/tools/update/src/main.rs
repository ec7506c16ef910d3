//! The program `ng-update`; all of it is in the library.
fn main() {}
