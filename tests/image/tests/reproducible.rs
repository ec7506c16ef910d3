//! The same inputs, the same bytes: in other folders, under another umask, in another time zone, on other threads.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use image_tests::fixture::{Fixture, request_in};
use image_tests::readers;
use ngforge_image::progress::Silent;
use ngforge_image::{build, compare};

/// Builds in a process of its own.
const GENERATION: &str = env!("CARGO_BIN_EXE_generation");
const NAMES: [&str; 4] = ["z", "b/c", "b/a", "script"];

/// An overlay whose files are made in this order, with this mode and time.
fn overlay(folder: &Path, names: impl Iterator<Item = &'static str>, mode: u32, time: u64) {
    for name in names {
        let path = folder.join("rootfs-x/etc").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = if name == "script" { "#!/bin/sh\n" } else { name };
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let file = fs::File::open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(time)).unwrap();
    }
}

#[test]
fn two_clean_builds_in_other_circumstances_are_the_same() {
    let place = tempfile::tempdir().unwrap();
    let fixture = Fixture::full(&place.path().join("a rather long way down"));
    let other = Fixture::full(place.path());
    overlay(fixture.folder.path(), NAMES.into_iter(), 0o644, 1_000_000_000);
    overlay(other.folder.path(), NAMES.into_iter().rev(), 0o700, 1_600_000_000);
    let mut request = fixture.request();
    request.rootfs = Some(fixture.at("rootfs-x"));
    request.threads = 4;
    build::build(&request, &Silent).unwrap();
    let status = Command::new("sh")
        .args(["-c", "umask 077; exec \"$0\" \"$@\"", GENERATION])
        .arg(other.folder.path())
        .arg("x")
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "C")
        .current_dir("/")
        .status();
    assert!(status.unwrap().success());
    let found = compare::builds(&fixture.out("test.json"), &other.out("test.json")).unwrap();
    assert_eq!(found.differences, [""; 0]);
    let mut same: Vec<_> = found.same.iter().map(|path| path.to_str().unwrap()).collect();
    same.sort_unstable();
    assert_eq!(same, fixture.outputs());
}

#[test]
fn a_difference_is_found_and_named() {
    let [one, other] = [Fixture::small(), Fixture::small()];
    fs::write(other.at("rootfs/etc/overlaid"), "other").unwrap();
    one.build();
    other.build();
    let found = compare::builds(&one.out("test.json"), &other.out("test.json")).unwrap();
    let said = found.differences.join("\n");
    assert!(
        said.contains("/etc/overlaid (from rootfs/etc/overlaid): sha256 is"),
        "{said}"
    );
    assert!(said.contains("test.raw: ") && said.contains("(ngforge"), "{said}");
}

/// The time in the superblock of the root partition.
fn time_of(raw: &Path) -> u64 {
    let root = readers::root(raw);
    u64::from_le_bytes(root[65_536 + 1072..65_536 + 1080].try_into().unwrap())
}

#[test]
fn the_time_is_the_one_that_is_asked_for_and_ids_follow_it() {
    const EPOCH: i64 = 1_600_000_000;
    let fixture = Fixture::small();
    fixture.build();
    assert_eq!(time_of(&fixture.out("test.raw")), image_tests::base::TIME);
    let plain = readers::part(&fixture.out("test.raw"), 512, 92);
    let mut request = request_in(fixture.folder.path());
    request.epoch = Some(EPOCH);
    build::build(&request, &Silent).unwrap();
    assert_eq!(time_of(&fixture.out("test.raw")), EPOCH as u64);
    assert_ne!(
        readers::part(&fixture.out("test.raw"), 512, 92),
        plain,
        "the disk has another id"
    );
    let materials = fs::read_to_string(fixture.out("test.cdx.json")).unwrap();
    assert!(
        materials.contains("\"timestamp\": \"2020-09-13T12:26:40Z\""),
        "{materials}"
    );
}
