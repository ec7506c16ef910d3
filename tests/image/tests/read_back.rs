//! A built image, read back by readers that know nothing of the writer: byte for byte what went in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use image_tests::base::FAR;
use image_tests::fixture::Fixture;
use image_tests::readers::{ROOT_SECTOR, Volume, run, text};

/// One build for all tests here.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        // A static is never dropped, so the folders of earlier runs are removed here, but not those of a run that goes on.
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("read_back");
        for old in std::fs::read_dir(&place).into_iter().flatten().flatten() {
            let age = old
                .metadata()
                .and_then(|data| data.modified())
                .map(|time| time.elapsed());
            if age.is_ok_and(|age| age.is_ok_and(|age| age > Duration::from_secs(3600))) {
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        let fixture = Fixture::full(&place);
        fixture.build();
        fixture
    })
}

fn raw() -> PathBuf {
    fixture().out("test.raw")
}

/// Directory of many files, of which it is enough to look at some where each costs a process.
fn is_one_of_too_many(path: &str) -> bool {
    path.starts_with("usr/many/") && !path.ends_with("00")
}

#[test]
fn ufs_core_finds_every_byte() {
    let volume = Volume::of(&raw());
    for (path, contents) in &fixture().expected.files {
        assert!(volume.read(path) == *contents, "{path} differs");
    }
}

/// Inode numbers by path, as sleuthkit lists them.
fn sleuthkit_inodes() -> HashMap<String, String> {
    let offset = ROOT_SECTOR.to_string();
    let list = text(
        "sleuthkit",
        "fls",
        &["-r", "-p", "-o", &offset, raw().to_str().unwrap()],
    );
    let lines = list.lines().filter_map(|line| {
        let (kind_and_inode, path) = line.split_once('\t')?;
        let inode = kind_and_inode.rsplit(' ').next()?.trim_end_matches(':');
        Some((path.to_string(), inode.to_string()))
    });
    lines.collect()
}

#[test]
fn sleuthkit_finds_every_byte() {
    let inodes = sleuthkit_inodes();
    let offset = ROOT_SECTOR.to_string();
    for (path, contents) in &fixture().expected.files {
        let inode = inodes.get(path).unwrap_or_else(|| panic!("{path} is not listed"));
        if !is_one_of_too_many(path) {
            let found = run("sleuthkit", "icat", &["-o", &offset, raw().to_str().unwrap(), inode]);
            assert!(found == *contents, "{path} differs");
        }
    }
    for path in &fixture().expected.directories {
        assert!(inodes.contains_key(path), "{path} is not listed");
    }
    assert!(
        !inodes.contains_key("etc/spwd.db"),
        "a database with an empty password is there"
    );
}

#[test]
fn sleuthkit_finds_links_owners_and_modes() {
    let inodes = sleuthkit_inodes();
    let offset = ROOT_SECTOR.to_string();
    let about = |path: &str| {
        text(
            "sleuthkit",
            "istat",
            &["-o", &offset, raw().to_str().unwrap(), &inodes[path]],
        )
    };
    for (one, other) in &fixture().expected.same {
        assert_eq!(inodes[one], inodes[other], "{one} and {other} are one file");
        assert!(about(one).contains("num of links: 2"));
    }
    for (path, (mode, uid, gid)) in &fixture().expected.owners {
        let about = about(path);
        assert!(about.contains(&format!("uid / gid: {uid} / {gid}")), "{path}: {about}");
        let bits: String = ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"]
            .iter()
            .map(|bits| bits.to_string())
            .nth((mode & 7) as usize)
            .unwrap();
        let line = about.lines().find(|line| line.starts_with("mode:")).unwrap();
        assert!(line.ends_with(&bits), "{path}: {line} does not end in {bits}");
    }
}

#[test]
fn symbolic_links_lead_where_they_should() {
    let volume = Volume::of(&raw());
    let inodes = sleuthkit_inodes();
    // ufs-core takes a link of exactly 120 bytes for one that lies in the inode; the kernel draws the line below.
    for (path, target) in fixture()
        .expected
        .links
        .iter()
        .filter(|(_, target)| target.len() != 120)
    {
        let number: u64 = inodes[path].parse().unwrap();
        assert_eq!(volume.link(number), *target, "{path}");
    }
}

#[test]
fn grub_finds_every_byte() {
    for (path, contents) in &fixture().expected.files {
        if !is_one_of_too_many(path) {
            let place = format!("(loop0,gpt2)/{path}");
            let found = run("grub-common", "grub-fstest", &[raw().to_str().unwrap(), "cat", &place]);
            assert!(found == *contents, "{path} differs");
        }
    }
}

/// A stretch of a file, as GRUB reads it.
fn grub_part(path: &str, at: u64, len: u64) -> Vec<u8> {
    let (skip, length) = (format!("--skip={at}"), format!("--length={len}"));
    let place = format!("(loop0,gpt2)/{path}");
    run(
        "grub-common",
        "grub-fstest",
        &[&skip, &length, raw().to_str().unwrap(), "cat", &place],
    )
}

#[test]
fn grub_reads_through_double_indirect_blocks() {
    assert_eq!(grub_part("usr/double", 0, 7), b"begin\0\0");
    assert_eq!(grub_part("usr/double", (130 << 20) - 1, 8), b"\0middle\0");
    assert_eq!(grub_part("usr/double", 200 << 20, 5), b"final");
}

#[test]
fn grub_reads_through_triple_indirect_blocks() {
    assert_eq!(grub_part("usr/triple", FAR, 5), b"final");
    assert_eq!(grub_part("usr/triple", 5 << 30, 7), b"double\0");
    assert_eq!(grub_part("usr/triple", 0, 13), b"\0\0\0\0\0\0\0begin\0");
    assert_eq!(grub_part("usr/triple", FAR - 100_000, 1000), [0; 1000]);
}

#[test]
fn sleuthkit_agrees_about_the_volume() {
    let offset = ROOT_SECTOR.to_string();
    let about = text("sleuthkit", "fsstat", &["-o", &offset, raw().to_str().unwrap()]);
    for line in [
        "File System Type: UFS 2",
        "Volume Name: ngforge",
        "Flags:  Soft Dependencies",
    ] {
        assert!(about.contains(line), "`{line}` is missing:\n{about}");
    }
}
