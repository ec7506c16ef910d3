use super::*;

#[test]
fn a_program_of_this_machine_says_what_it_needs() {
    let program = std::fs::read("/proc/self/exe").unwrap();
    let needs = needs(&program[..]).unwrap();
    assert!(needs.interpreter.unwrap().contains("ld-linux"));
    assert!(
        needs.libraries.contains(&"libc.so.6".to_owned()),
        "{:?}",
        needs.libraries
    );
    assert_eq!(module_dependencies(&program), None);
    assert_eq!(kld(&program[..]), None);
}

#[test]
fn what_is_no_program_needs_nothing_that_could_be_told() {
    for bytes in [&b""[..], b"text", b"#!", b"#! relative\n", b"\x7fELF", &[0x7f; 64]] {
        assert_eq!(needs(bytes), None);
        assert_eq!(facts(bytes), None);
        assert_eq!(module_dependencies(bytes), None);
    }
}

#[test]
fn a_script_names_its_interpreter() {
    let facts_of = |text: &[u8]| facts(text);
    assert_eq!(facts_of(b"#!/bin/sh\n"), Some(Facts::Script("/bin/sh".into())));
    assert_eq!(
        facts_of(b"#! /usr/bin/env -S lua\n"),
        Some(Facts::Script("/usr/bin/env".into()))
    );
}

/// Whatever a byte of a good file is changed to, reading it ends, with an answer or without.
#[test]
fn damaged_files_are_read_to_an_end() {
    let program = std::fs::read("/proc/self/exe").unwrap();
    let header = program[..64].to_vec();
    for at in 0..64 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = program[..program.len().min(1 << 16)].to_vec();
            bytes[..64].copy_from_slice(&header);
            bytes[at] = value;
            let _ = facts(&bytes[..]);
        }
    }
}
