//! See [`fuzz::update_file`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::update_file::execute(data));
