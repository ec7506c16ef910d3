//! domain(9): protocol families and their switches.
