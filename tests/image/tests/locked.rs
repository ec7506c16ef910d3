//! The lock: what is not the locked input stops the build before anything is written.

use std::fs;

use image_tests::base;
use image_tests::fixture::{Fixture, names};
use ngforge_image::build::{self, Request};
use ngforge_image::lock::{self, Lock, Pin, Policy, Section};
use ngforge_image::progress::Silent;

/// A request whose inputs are locked as they are now, with rustc 1.95.
fn locked(fixture: &Fixture) -> Request {
    let mut request = fixture.request();
    let found = build::found(&request.base, &request.spec, &request.cache, &Silent).unwrap();
    let toolchain: lock::Pins = [("rustc".to_owned(), Pin::program("1.95"))].into();
    let section = Section {
        inputs: found,
        toolchain: toolchain.clone(),
    };
    let mut lock = Lock::default();
    lock.locks.insert(lock::section("freebsd", "14.3"), section);
    let file = fixture.at(lock::FILE);
    lock.save(&file).unwrap();
    request.lock = Policy {
        file: Some(file),
        required: true,
        toolchain,
    };
    request
}

#[test]
fn a_build_from_the_locked_inputs_goes_through() {
    let fixture = Fixture::small();
    let built = build::build(&locked(&fixture), &Silent).unwrap();
    assert!(!built.unchanged);
}

#[test]
fn another_set_stops_the_build_before_anything_is_written() {
    let fixture = Fixture::small();
    let request = locked(&fixture);
    let (kernel, _) = base::kernel().finish();
    let mut other = base::Archive::default();
    other.directory("boot").file("boot/loader.efi", b"other");
    base::write(
        &fixture.at("sets"),
        &[("base.txz", &other.finish().0), ("kernel.txz", &kernel)],
    );
    let message = fixture.failure(&request);
    assert!(
        message.contains("appliance.lock: 2 inputs of freebsd-14.3 differ from the lock"),
        "{message}"
    );
    assert!(
        message.contains("\n  MANIFEST: locked sha256 ") && message.contains("\n  base.txz: locked"),
        "{message}"
    );
    assert!(!message.contains("kernel.txz"), "{message}");
    assert_eq!(fixture.outputs(), [""; 0]);
    assert_eq!(names(&fixture.at("cache/layers")), [""; 0]);
}

#[test]
fn another_compiler_stops_it_too() {
    let fixture = Fixture::small();
    let mut request = locked(&fixture);
    request.lock.toolchain.insert("rustc".into(), Pin::program("1.96"));
    let message = fixture.failure(&request);
    assert!(
        message.contains("rustc: locked 1.95, found 1.96: another version"),
        "{message}"
    );
}

#[test]
fn what_is_not_locked_is_an_error_only_if_it_must_be() {
    let fixture = Fixture::small();
    let mut request = locked(&fixture);
    request.spec.release = "14.9".into();
    assert!(fixture.failure(&request).contains("has no section `freebsd-14.9`"));
    request.lock.required = false;
    build::build(&request, &Silent).unwrap();
}

#[test]
fn the_lock_is_compared_when_nothing_else_is_done() {
    let fixture = Fixture::small();
    let request = locked(&fixture);
    build::build(&request, &Silent).unwrap();
    let text = fs::read_to_string(fixture.at(lock::FILE)).unwrap();
    let sum = text.split("sha256: ").nth(1).unwrap()[..64].to_owned();
    fs::write(fixture.at(lock::FILE), text.replace(&sum, &"0".repeat(64))).unwrap();
    assert!(fixture.failure(&request).contains("other bytes under the same name"));
}
