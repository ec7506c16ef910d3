//! See [`fuzz::package`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::package::execute(data));
