use std::process::Command;

use serde_json::Value;

use super::*;

fn contents() -> Contents {
    let mut contents = Contents::default();
    for (path, body) in [
        ("usr/local/sbin/tool", Body::File(b"program".to_vec())),
        ("/boot/modules/a.ko", Body::File(vec![1; 5000])),
        ("usr/local/libexec/other", Body::Symlink("/usr/local/sbin/tool".into())),
    ] {
        contents.add(path, Entry { mode: 0o555, body }).unwrap();
    }
    contents
}

fn description() -> Description {
    Description {
        name: "thing".into(),
        version: "1.2".into(),
        origin: "net/thing".into(),
        comment: "A thing".into(),
        text: "Some \"lines\"\nabout it".into(),
        maintainer: "someone".into(),
        www: "UNKNOWN".into(),
        series: Series(14),
        message: "Hello".into(),
    }
}

fn package() -> Vec<u8> {
    let mut bytes = Vec::new();
    write_package(&description(), &contents(), 1_000_000_000, &mut bytes).unwrap();
    bytes
}

fn bsdtar(folder: &std::path::Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("bsdtar").args(arguments).current_dir(folder).output();
    let output = output.expect("could not run bsdtar\nhint: apt-get install libarchive-tools");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn libarchive_sees_the_order_the_paths_and_the_owners() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thing.pkg"), package()).unwrap();
    let listed = String::from_utf8(bsdtar(folder.path(), &["-tPvf", "thing.pkg"])).unwrap();
    let last: Vec<_> = { listed.lines() }
        .map(|line| line.split_once("2001 ").unwrap().1)
        .collect();
    assert_eq!(
        last,
        [
            "+COMPACT_MANIFEST",
            "+MANIFEST",
            "/boot/modules/a.ko",
            "/usr/local/libexec/other -> /usr/local/sbin/tool",
            "/usr/local/sbin/tool",
        ],
        "{listed}"
    );
    assert!(
        listed
            .lines()
            .all(|line| line.contains("root") && line.contains("wheel")),
        "{listed}"
    );
    let link = listed.lines().find(|line| line.contains("->")).unwrap();
    assert!(link.starts_with("lr-xr-xr-x"), "{link}");
}

#[test]
fn the_manifest_has_what_pkg_insists_on_and_sums_that_sha256sum_confirms() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thing.pkg"), package()).unwrap();
    let read =
        |name| -> Value { serde_json::from_slice(&bsdtar(folder.path(), &["-xOf", "thing.pkg", name])).unwrap() };
    let (compact, full) = (read("+COMPACT_MANIFEST"), read("+MANIFEST"));
    for key in [
        "origin",
        "name",
        "comment",
        "version",
        "desc",
        "maintainer",
        "www",
        "prefix",
    ] {
        assert!(compact[key].is_string() && compact[key] == full[key], "{key}");
    }
    assert!(compact.get("files").is_none());
    assert_eq!(
        (&full["abi"], &full["arch"]),
        (&"FreeBSD:14:amd64".into(), &"freebsd:14:x86:64".into())
    );
    assert_eq!(full["flatsize"], 5007);
    assert_eq!(full["messages"][0]["message"], "Hello");
    let sum = |bytes: &[u8]| {
        std::fs::write(folder.path().join("part"), bytes).unwrap();
        let output = Command::new("sha256sum")
            .arg(folder.path().join("part"))
            .output()
            .unwrap();
        format!(
            "1${}",
            String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap()
        )
    };
    assert_eq!(full["files"]["/usr/local/sbin/tool"], sum(b"program"));
    assert_eq!(full["files"]["/usr/local/libexec/other"], sum(b"usr/local/sbin/tool\0"));
    assert_eq!(full["files"].as_object().unwrap().len(), 3);
}

#[test]
fn the_tarball_holds_the_same_tree_relative_to_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    write_tarball(&contents(), 0, &mut bytes).unwrap();
    std::fs::write(folder.path().join("thing.tar.zst"), bytes).unwrap();
    bsdtar(folder.path(), &["-xf", "thing.tar.zst"]);
    assert_eq!(
        std::fs::read(folder.path().join("usr/local/sbin/tool")).unwrap(),
        b"program"
    );
    let link = std::fs::read_link(folder.path().join("usr/local/libexec/other")).unwrap();
    assert_eq!(link.to_str(), Some("/usr/local/sbin/tool"));
}

#[test]
fn what_pkg_decodes_is_encoded() {
    let mut contents = Contents::default();
    let entry = Entry {
        mode: 0o644,
        body: Body::File(Vec::new()),
    };
    contents.add("usr/local/50%41", entry).unwrap();
    let mut description = description();
    description.text = "50% of it".into();
    let manifest = description.full(&contents);
    assert_eq!(manifest["desc"], "50%25 of it");
    assert!(manifest["files"].get("/usr/local/50%2541").is_some(), "{manifest}");
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    assert_eq!(package(), package());
}

#[test]
fn paths_that_a_package_cannot_hold_are_refused() {
    let mut contents = contents();
    let entry = Entry {
        mode: 0o644,
        body: Body::File(Vec::new()),
    };
    let long = "x/".repeat(60) + "y";
    for (path, cause) in [
        ("", "is not a plain path"),
        ("a/../b", "is not a plain path"),
        ("a//b", "is not a plain path"),
        ("./a", "is not a plain path"),
        ("a\nb", "control characters"),
        (long.as_str(), "is too long"),
        ("boot/modules/a.ko", "is there twice"),
    ] {
        let error = contents.add(path, entry.clone()).unwrap_err().to_string();
        assert!(error.contains(cause) && error.contains("hint:"), "{path}: {error}");
    }
}
