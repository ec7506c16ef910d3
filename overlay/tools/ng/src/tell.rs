//! What is said on standard error.

/// Says a line on standard error, as `eprintln!` does, but goes on when nobody is there to hear it: a terminal may be gone by the
/// very graph that is being made, and that graph has to be finished, or taken back, all the same.
macro_rules! tell {
    ($($argument:tt)*) => {{
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr().lock(),
            format_args!("{}\n", format_args!($($argument)*)),
        );
    }};
}
