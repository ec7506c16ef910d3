//! See [`fuzz::seed`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::seed::execute(data));
