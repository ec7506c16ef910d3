//! Builds after builds: the same bytes whatever was in the cache, and an old image that no failure touches.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use image_tests::fixture::{Fixture, names};
use image_tests::readers::Volume;
use ngforge_image::hash;

#[test]
fn cold_and_warm_builds_give_the_same_bytes() {
    let fixture = Fixture::small();
    let cold = fixture.build();
    let cold_sum = hash::of_file(&fixture.out("test.raw")).unwrap();
    assert_eq!(cold.manifest.files[0].sha256, cold_sum);
    for file in fixture.outputs() {
        fs::remove_file(fixture.out(&file)).unwrap();
    }
    let warm = fixture.build();
    assert!(!warm.unchanged);
    assert_eq!(warm.manifest, cold.manifest);
    assert_eq!(hash::of_file(&fixture.out("test.raw")).unwrap(), cold_sum);
}

#[test]
fn a_changed_spare_is_what_a_cold_build_gives() {
    let fixture = Fixture::small();
    let mut request = fixture.request();
    request.idle = Some(|_| true);
    for contents in ["a", "bb", &"long ".repeat(20_000), "short again"] {
        fs::write(fixture.at("rootfs/etc/overlaid"), contents).unwrap();
        let warm = ngforge_image::build::build(&request, &ngforge_image::progress::Silent).unwrap();
        let mut cold = fixture.request();
        (cold.out, cold.cache) = (fixture.at("cold-out"), fixture.at("cold-cache"));
        let cold = ngforge_image::build::build(&cold, &ngforge_image::progress::Silent).unwrap();
        assert_eq!(warm.manifest, cold.manifest);
        for file in &warm.manifest.files {
            assert_eq!(
                hash::of_file(&fixture.out(file.path.to_str().unwrap())).unwrap(),
                file.sha256
            );
        }
        fs::remove_dir_all(fixture.at("cold-cache")).unwrap();
    }
}

#[test]
fn nothing_is_done_when_nothing_changed() {
    let fixture = Fixture::small();
    assert!(!fixture.build().unchanged);
    assert!(fixture.build().unchanged);
    fs::write(fixture.at("rootfs/etc/overlaid"), "second").unwrap();
    assert!(!fixture.build().unchanged);
    assert_eq!(Volume::of(&fixture.out("test.raw")).read("etc/overlaid"), b"second");
}

#[test]
fn an_image_that_was_written_to_is_built_again() {
    let fixture = Fixture::small();
    fixture.build();
    std::thread::sleep(Duration::from_millis(20));
    let file = fs::File::options().write(true).open(fixture.out("test.raw")).unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(1))
        .unwrap();
    assert!(!fixture.build().unchanged);
}

/// What a build leaves.
const OUTPUTS: [&str; 6] = [
    "test.cdx.json",
    "test.files.json",
    "test.json",
    "test.qcow2",
    "test.raw",
    "test.sha256",
];

/// The program that builds into a folder of ours, to be killed or starved.
const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

#[test]
fn a_killed_build_leaves_the_old_image() {
    let fixture = Fixture::small();
    fixture.build();
    let before = hash::of_file(&fixture.out("test.raw")).unwrap();
    let mut child = Command::new(VICTIM).arg(fixture.folder.path()).spawn().unwrap();
    let part = fixture.out(".test.raw.part");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !part.exists() {
        assert!(Instant::now() < deadline, "the build never began to write");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(part.exists(), "the build was killed in the middle of writing");
    assert_eq!(hash::of_file(&fixture.out("test.raw")).unwrap(), before);
    fixture.build();
    assert_eq!(fixture.outputs(), OUTPUTS);
}

#[test]
fn a_full_disk_is_one_message_and_leaves_nothing() {
    let fixture = Fixture::small();
    fixture.build();
    // /dev/full cannot hold a folder, so the limit on file sizes stands in for the disk's.
    let script = "ulimit -f 4000; trap '' XFSZ; exec \"$0\" \"$1\"";
    let status = Command::new("sh")
        .args(["-c", script, VICTIM])
        .arg(fixture.folder.path())
        .status()
        .unwrap();
    assert!(status.success(), "the build must fail by itself, not by a signal");
    let verdict = fs::read_to_string(fixture.at("verdict")).unwrap();
    assert!(
        verdict.contains("could not write the image") && verdict.contains("hint: make room"),
        "{verdict}"
    );
    assert_eq!(fixture.outputs(), OUTPUTS);
}

#[test]
fn the_cache_holds_only_whole_layers() {
    let fixture = Fixture::small();
    fixture.build();
    assert_eq!(fixture.whole_layers().len(), 2);
    assert_eq!(names(&fixture.at("cache")), ["layers"]);
}
