use std::fs;

use super::*;
use crate::gpt::{self, Partition};
use crate::piece::Source;

/// A build with one raw image of one partition, and a list.
fn build(folder: &Path, byte: u8, mode: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let partition = Partition {
        kind: gpt::TYPE_UFS,
        id: gpt::derived_guid("p"),
        at: 1 << 20,
        len: 1 << 20,
        label: "root",
    };
    let mut disk = vec![0; 4 << 20];
    for piece in gpt::lay_out(4 << 20, gpt::derived_guid("d"), &[partition], &[]) {
        if let Source::Bytes(bytes) = &piece.source {
            disk[piece.at as usize..piece.at as usize + bytes.len()].copy_from_slice(bytes);
        }
    }
    disk[(1 << 20) + 77] = byte;
    let list = format!(
        r#"{{"format":"ngforge files 1","image":"x","inputs":{{}},"pruned":[],"files":[
        {{"path":"/a","type":"file","mode":"{mode}","uid":0,"gid":0,"origin":"base.txz"}}]}}"#
    );
    fs::write(folder.join("x.raw"), &disk).unwrap();
    fs::write(folder.join("x.files.json"), &list).unwrap();
    let file = |name: &str, format: &str| OutputFile {
        path: name.into(),
        format: format.into(),
        size: 0,
        sha256: String::new(),
    };
    let manifest = Manifest {
        name: "x".into(),
        base: manifest::FREEBSD.into(),
        system: None,
        release: "14.3".into(),
        hostname: "x".into(),
        nics: 1,
        files: vec![file("x.raw", RAW)],
        accounts: vec![file("x.files.json", "files")],
        areas: Vec::new(),
        slot: None,
        identity: None,
        inputs: [("ng".into(), format!("{byte}"))].into(),
        key: String::new(),
    };
    let path = folder.join("x.json");
    fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    path
}

#[test]
fn the_same_builds_have_everything_in_common() {
    let folder = tempfile::tempdir().unwrap();
    let builds_of = ["one", "other"].map(|name| build(&folder.path().join(name), 1, "0644"));
    let found = builds(&builds_of[0], &builds_of[1]).unwrap();
    assert_eq!(found.differences, [""; 0]);
    assert_eq!(found.same.len(), 3);
}

#[test]
fn differences_are_named_by_partition_path_and_input() {
    let folder = tempfile::tempdir().unwrap();
    let one = build(&folder.path().join("one"), 1, "0644");
    let other = build(&folder.path().join("other"), 2, "0600");
    let found = builds(&one, &other).unwrap();
    assert_eq!(found.same, [""; 0].map(PathBuf::from));
    let said = found.differences.join("\n");
    for part in [
        "input ng: its bytes differ",
        "x.raw: 1 bytes differ, the first at byte 1048653, which is byte 77 of partition 1 (root)",
        "/a (from base.txz): mode is \"0644\" and \"0600\"",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

#[test]
fn an_output_that_one_build_lacks_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let one = build(&folder.path().join("one"), 1, "0644");
    let other = build(&folder.path().join("other"), 1, "0644");
    let text = fs::read_to_string(&other).unwrap().replace("x.raw", "y.raw");
    fs::write(&other, text).unwrap();
    let said = builds(&one, &other).unwrap().differences.join("\n");
    assert!(said.contains("x.raw: only the first build made it"), "{said}");
    assert!(said.contains("y.raw: only the second build made it"), "{said}");
}

#[test]
fn what_only_one_file_has_counts() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    fs::write(&one, "abc").unwrap();
    fs::write(&other, "abcde").unwrap();
    let found = bytes(&one, &other).unwrap().unwrap();
    assert_eq!((found.at, found.count, found.sizes), (3, 2, (3, 5)));
}
