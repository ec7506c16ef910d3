//! See [`fuzz::calls`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::calls::execute(data));
