//! What stays has what it needs: profiles bring it back, and the appliance file's own `prune` is told what it breaks.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use image_tests::base::{Archive, noise, write};
use image_tests::fixture::{Fixture, SPEC};
use ngforge_image::build;
use ngforge_image::progress::{Progress, Silent, Task};
use ngforge_image::spec::Spec;

/// A program that needs libc.so.6 and /lib64/ld-linux-x86-64.so.2.
fn program() -> Vec<u8> {
    fs::read("/usr/bin/true").unwrap()
}

/// Sets with a program, its library behind a link, a script, and what PAM loads.
fn fixture(spec: &str) -> Fixture {
    let fixture = Fixture::small();
    let mut base = Archive::default();
    base.file("boot/loader.efi", &noise(10_000, 1));
    base.file("lib64/ld-linux-x86-64.so.2", b"not a program");
    base.file("lib/libc.so.6.1", b"not a library");
    base.symlink("lib/libc.so.6", "libc.so.6.1");
    base.file("lib/libunused.so.1", b"not a library");
    base.file("bin/prog", &program());
    base.file("usr/lib/pam_x.so.6", b"not a module");
    base.symlink("usr/lib/pam_x.so", "pam_x.so.6");
    base.file(
        "etc/pam.d/sshd",
        b"# auth required pam_gone.so\nauth required pam_x.so no_warn\n",
    );
    base.owned("bin/script", b"#!/bin/prog\n", (0o755, 0, 0), "");
    let mut kernel = Archive::default();
    kernel.file("boot/kernel/kernel", b"not a kernel");
    write(
        &fixture.at("sets"),
        &[("base.txz", &base.finish().0), ("kernel.txz", &kernel.finish().0)],
    );
    fs::write(fixture.at("appliance.yaml"), format!("{SPEC}{spec}")).unwrap();
    fixture
}

/// Remembers every note.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn begin(&self, task: &str, total: Option<u64>) -> Box<dyn Task + '_> {
        Silent.begin(task, total)
    }

    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.into());
    }
}

fn notes(fixture: &Fixture) -> Vec<String> {
    let mut request = fixture.request();
    request.module = None;
    let notes = Notes::default();
    build::build(&request, &notes).unwrap();
    notes.0.into_inner().unwrap()
}

fn failure(spec: &str) -> String {
    let fixture = fixture(spec);
    let mut request = fixture.request();
    request.module = None;
    let message = fixture.failure(&request);
    message.replace(&fixture.at("appliance.yaml").display().to_string(), "FILE")
}

#[test]
fn a_library_that_something_needs_is_an_error_with_line_and_way_out() {
    let message = failure("prune:\n  - usr/none\n  - lib/libc.so*\n");
    assert_eq!(
        message,
        "/bin/prog: needs libc.so.6 (/lib/libc.so.6), which the pattern `lib/libc.so*` in FILE:8 leaves out\n\
         hint: add `- lib/libc.so.6` to `keep:` in the appliance file, or prune /bin/prog as well"
    );
}

#[test]
fn so_are_the_file_behind_a_link_the_interpreter_and_what_pam_loads() {
    for (pattern, expected) in [
        (
            "lib/libc.so.6.1",
            "/bin/prog: needs libc.so.6 (/lib/libc.so.6.1), which",
        ),
        ("lib64", "/bin/prog: needs /lib64/ld-linux-x86-64.so.2 (/lib64), which"),
        ("bin/prog", "/bin/script: needs /bin/prog (/bin/prog), which"),
        (
            "usr/lib/pam_*",
            "/etc/pam.d/sshd: needs pam_x.so (/usr/lib/pam_x.so), which",
        ),
    ] {
        let message = failure(&format!("prune: ['{pattern}']\n"));
        assert!(message.starts_with(expected), "{pattern}: {message}");
    }
}

#[test]
fn keep_and_pruning_the_program_too_are_ways_out() {
    for spec in [
        "prune: ['lib/lib*']\nkeep: ['lib/libc.so.6', 'lib/libc.so.6.1']\n",
        "prune: ['lib/lib*', bin]\n",
    ] {
        let fixture = fixture(spec);
        notes(&fixture);
    }
}

#[test]
fn what_a_profile_leaves_out_comes_back() {
    let fixture = fixture("profile: net\n");
    let notes = notes(&fixture);
    // The library, the file behind it; not the unused one.
    let line = "profile net: 1 paths left out, 2 came back because something needs them";
    assert!(notes.iter().any(|note| note == line), "{notes:?}");
}

#[test]
fn a_pattern_that_matches_nothing_is_named() {
    let fixture = fixture("prune: [bin/prg]\n");
    let notes = notes(&fixture);
    let line = "6: the pattern `bin/prg` matches nothing; did you mean `bin/prog`?";
    assert!(notes.iter().any(|note| note.ends_with(line)), "{notes:?}");
}

#[test]
fn the_profile_is_part_of_what_a_build_depends_on() {
    let fixture = fixture("profile: full\n");
    let mut request = fixture.request();
    request.module = None;
    build::build(&request, &Silent).unwrap();
    request.spec = Spec::parse(&format!("{SPEC}profile: net\n"), &PathBuf::from("a")).unwrap();
    assert!(!build::build(&request, &Silent).unwrap().unchanged);
    assert!(build::build(&request, &Silent).unwrap().unchanged);
}
