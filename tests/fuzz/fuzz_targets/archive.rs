//! See [`fuzz::archive`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::archive::execute(data));
