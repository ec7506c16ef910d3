//! Hostile packages and repositories: each one clear message with the way out, and nothing half-written.

use std::fs;
use std::path::{Path, PathBuf};

use image_tests::base::{Archive, noise, write};
use image_tests::fixture::{Fixture, SPEC, names};
use image_tests::package::{self, Package, Packing, Signature, write_catalogue, write_repository};
use serde_json::json;
use tar::EntryType;

/// A fixture with accounts whose appliance file installs `install` from the directory `pkgs`.
fn fixture(install: &str, packages: &[Package]) -> Fixture {
    let fixture = with_spec(&format!(
        "packages: {{from: [{{directory: pkgs}}], install: [{install}]}}\n"
    ));
    fs::create_dir(fixture.at("pkgs")).unwrap();
    for (package, number) in packages.iter().zip(1..) {
        put(&fixture, &format!("package{number}"), &package.finish(Packing::Zstd));
    }
    fixture
}

fn with_spec(packages: &str) -> Fixture {
    let fixture = Fixture::tiny();
    let mut base = Archive::default();
    base.directory("boot").directory("etc");
    base.file("boot/loader.efi", b"a loader");
    base.file("etc/master.passwd", b"root::0:0::0:0:Charlie &:/root:/bin/sh\n");
    base.file("etc/group", b"wheel:*:0:root\n");
    let kernel = fs::read(fixture.at("sets/kernel.txz")).unwrap();
    write(
        &fixture.at("sets"),
        &[("base.txz", &base.finish().0), ("kernel.txz", &kernel)],
    );
    fs::write(fixture.at("appliance.yaml"), format!("{SPEC}{packages}")).unwrap();
    fixture
}

fn put(fixture: &Fixture, name: &str, bytes: &[u8]) {
    fs::write(fixture.at("pkgs").join(format!("{name}.pkg")), bytes).unwrap();
}

/// The build fails with a message that holds `cause`, and leaves nothing half-made.
fn refused(fixture: &Fixture, cause: &str) {
    let message = fixture.failure(&fixture.request());
    assert!(message.contains(cause), "expected `{cause}` in: {message}");
    assert_eq!(fixture.outputs(), [""; 0]);
    fixture.whole_layers();
    let left = names(&fixture.at("cache"));
    assert!(!left.iter().any(|name| name.starts_with(".scratch")), "{left:?}");
}

/// One package of the name `a` that is refused.
fn refused_package(package: Package, cause: &str) {
    refused(&fixture("a", &[package]), cause);
}

fn a() -> Package {
    Package::new("a", "1").file("/usr/local/bin/a", 0o755, b"a program")
}

#[test]
fn entries_that_lead_elsewhere() {
    let with = |name: &str, kind, link: &str| {
        let mut package = a();
        package.files.add(name, kind, link, 0o644, b"");
        package
    };
    for (name, kind, link, cause) in [
        (
            "etc/passwd",
            EntryType::Regular,
            "",
            "entry `etc/passwd`: has no absolute name",
        ),
        (
            "/usr/../../etc/passwd",
            EntryType::Regular,
            "",
            "leads out of the root with `..`",
        ),
        ("/dev/mem", EntryType::Char, "", "entry `/dev/mem`: is a device node"),
        ("/dev/ada0", EntryType::Block, "", "entry `/dev/ada0`: is a device node"),
        ("/var/pipe", EntryType::Fifo, "", "entry `/var/pipe`: is a named pipe"),
        (
            "/usr/local/bin/b",
            EntryType::Link,
            "/etc/master.passwd",
            "is a hard link to `etc/master.passwd`, which is no earlier file",
        ),
        (
            "/usr/local/bin/b",
            EntryType::Link,
            "/usr/../../x",
            "leads out of the root",
        ),
        (
            "/usr/local/bin/a",
            EntryType::Regular,
            "",
            "entry `/usr/local/bin/a`: is there twice",
        ),
        (
            "/usr/local/bin/a/b",
            EntryType::Regular,
            "",
            "lies below `usr/local/bin/a`, which is not a directory",
        ),
        ("/usr/local/bin/c", EntryType::Symlink, "", "is a link to nothing"),
    ] {
        refused_package(with(name, kind, link), cause);
    }
}

#[test]
fn a_link_that_another_package_would_write_through() {
    let link = Package::new("l", "1").symlink("/usr/local/x", "/etc");
    let through = Package::new("t", "1").file("/usr/local/x/passwd", 0o644, b"root::0:0");
    refused(
        &fixture("l, t", &[link, through]),
        "/usr/local/x: is a symbolic link in l-1, and t-1 needs something else there",
    );
}

#[test]
fn files_that_are_there_already() {
    let other = Package::new("b", "2").file("/usr/local/bin/a", 0o755, b"another");
    refused(
        &fixture("a, b", &[a(), other]),
        "/usr/local/bin/a: is in both a-1 and b-2",
    );
    let over = Package::new("a", "1").file("/etc/group", 0o644, b"wheel:*:0:mallory\n");
    refused_package(over, "/etc/group: is in both base.txz and a-1");
}

#[test]
fn manifests_that_contradict_the_files() {
    let mut unlisted = a();
    unlisted
        .files
        .add("/usr/local/bin/door", EntryType::Regular, "", 0o4755, b"x");
    refused_package(
        unlisted,
        "package a-1: holds /usr/local/bin/door, which its manifest does not list",
    );
    let mut absent = a();
    absent.manifest["files"]["/usr/local/bin/more"] = json!("1$00");
    refused_package(absent, "lists /usr/local/bin/more, which it does not hold");
    let mut other = a();
    other.manifest["files"]["/usr/local/bin/a"]["sum"] = json!(format!("1${}", "0".repeat(64)));
    refused_package(other, "/usr/local/bin/a has the SHA-256 ");
    let mut weak = a();
    weak.manifest["files"]["/usr/local/bin/a"]["sum"] = json!("7$abc");
    refused_package(weak, "has the checksum `7$abc`, which is no SHA-256");
    let mut none = a();
    none.manifest["files"]["/usr/local/bin/a"]["sum"] = json!("-");
    refused_package(none, "lists /usr/local/bin/a without a checksum");
}

#[test]
fn manifests_with_odd_values() {
    let file = |key: &str, value: &str| {
        let mut package = a();
        package.manifest["files"]["/usr/local/bin/a"][key] = json!(value);
        package
    };
    refused_package(file("perm", "99999"), "has the permissions `99999`, which are none");
    refused_package(file("fflags", "shiny"), "has the unknown file flag `shiny`");
    refused_package(
        file("uname", "mallory"),
        "belongs in a-1 to the user mallory, which neither the base nor a package brings",
    );
    refused_package(
        a().set("directories", json!({"/var/../../x": "y"})),
        "lists `/var/../../x`, which is no path below the root",
    );
    refused_package(
        a().set("version", json!("1\n2")),
        "has a manifest with the version `1\\n2`",
    );
    refused_package(
        a().set("name", json!("../../a")),
        "has a manifest with the name `../../a`",
    );
    refused_package(a().set("deps", json!({"b": "c"})), "a dependency without an origin");
    refused_package(
        a().set("annotations", json!({"FreeBSD_version": "x"})),
        "says it was built on FreeBSD `x`",
    );
}

#[test]
fn packages_that_are_none() {
    let cases: [(&[u8], &str); 4] = [
        (b"", "is no package"),
        (b"<html>404</html>", "is no package"),
        (&zstd::encode_all(&[0x41; 4096][..], 1).unwrap(), "is no package"),
        (&a().finish(Packing::Zstd)[..40], "is no package"),
    ];
    for (bytes, cause) in cases {
        let fixture = fixture("a", &[]);
        put(&fixture, "a", bytes);
        refused(&fixture, cause);
    }
}

#[test]
fn a_package_that_breaks_off_behind_its_manifest() {
    let fixture = fixture("a", &[]);
    let whole = Package::new("a", "1")
        .file("/usr/local/bin/a", 0o755, &noise(400_000, 3))
        .finish(Packing::Zstd);
    put(&fixture, "a", &whole[..whole.len() - 1000]);
    refused(&fixture, "a.pkg: entry `+MANIFEST`: the archive");
}

#[test]
fn a_manifest_in_ucl() {
    let fixture = fixture("a", &[]);
    let mut tar = package::Tar::default();
    tar.add("+MANIFEST", EntryType::Regular, "", 0o644, b"name = a\nversion = 1\n");
    put(&fixture, "a", &tar.finish(Packing::Xz));
    refused(
        &fixture,
        "has a manifest that is not the JSON that pkg-create(8) writes",
    );
}

#[test]
fn deep_nesting_does_not_overflow() {
    let fixture = fixture("a", &[]);
    let mut tar = package::Tar::default();
    let text = format!(
        "{{\"name\":\"a\",\"version\":\"1\",\"annotations\":{{\"x\":{}",
        "[".repeat(1_000_000)
    );
    tar.add("+MANIFEST", EntryType::Regular, "", 0o644, text.as_bytes());
    put(&fixture, "a", &tar.finish(Packing::Zstd));
    refused(
        &fixture,
        "has a manifest that cannot be understood: recursion limit exceeded",
    );
}

#[test]
fn a_window_larger_than_memory() {
    let fixture = fixture("a", &[]);
    // A frame header with the largest window that zstd knows, 3.75 TiB, and a block of the type that repeats a byte.
    put(
        &fixture,
        "a",
        &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x03, 0x00, 0x00, 0x41],
    );
    refused(
        &fixture,
        "a.pkg: is no package: Frame requires too much memory for decoding",
    );
}

/// A repository with the package `a`, and an appliance file that trusts `keys` (or a `key`).
struct Repository {
    fixture: Fixture,
    folder: PathBuf,
    key: PathBuf,
}

impl Repository {
    fn new(trust: &str, standing: &str) -> Self {
        let fixture = with_spec("");
        let folder = fixture.at("repository");
        let text = format!(
            "{SPEC}packages: {{from: [{{repository: \"file://{}\", {trust}}}], install: [a]}}\n",
            folder.display()
        );
        fs::write(fixture.at("appliance.yaml"), text).unwrap();
        let key = package::keys(fixture.folder.path());
        package::trust(&fixture.at("keys"), &key, standing);
        Self { fixture, folder, key }
    }

    fn write(&self, signature: &Signature) {
        write_repository(&self.folder, &[a()], signature);
    }

    /// Replaces the catalogue's text, with the signature of the old one.
    fn swap(&self, catalogue: &str, signature: &Signature) {
        write_catalogue(&self.folder, "data.pkg", "data", catalogue.as_bytes(), signature);
    }
}

#[test]
fn catalogues_that_nobody_trusted_signed() {
    let unsigned = Repository::new("fingerprints: keys", "trusted");
    unsigned.write(&Signature::None);
    refused(
        &unsigned.fixture,
        "data.pkg: is not signed\nhint: do not trust this mirror",
    );

    let stranger = Repository::new("fingerprints: keys", "trusted");
    let other = tempfile::tempdir().unwrap();
    stranger.write(&Signature::Fingerprint(package::keys(other.path())));
    refused(
        &stranger.fixture,
        "is not signed by anyone trusted: the key of `test` is not trusted",
    );

    let revoked = Repository::new("fingerprints: keys", "revoked");
    package::trust(&revoked.fixture.at("keys"), &revoked.key, "trusted");
    revoked.write(&Signature::Fingerprint(revoked.key.clone()));
    refused(&revoked.fixture, "is signed by `test`, whose key is revoked");

    let nobody = Repository::new("fingerprints: keys", "revoked");
    nobody.write(&Signature::Fingerprint(nobody.key.clone()));
    refused(&nobody.fixture, "keys/trusted: could not be read");

    let key = Repository::new("key: key.pub", "trusted");
    key.write(&Signature::None);
    refused(&key.fixture, "data.pkg: is not signed\n");
    key.write(&Signature::Key(package::keys(other.path())));
    refused(
        &key.fixture,
        "data.pkg: has a signature that does not fit the catalogue",
    );
}

#[test]
fn a_catalogue_changed_after_it_was_signed() {
    let repository = Repository::new("fingerprints: keys", "trusted");
    repository.write(&Signature::Fingerprint(repository.key.clone()));
    let archive = fs::read(repository.folder.join("data.pkg")).unwrap();
    let mut tar = zstd::decode_all(&archive[..]).unwrap();
    let at = tar.windows(9).position(|window| window == b"\"a test\",").unwrap();
    tar[at + 1] = b'b';
    fs::write(
        repository.folder.join("data.pkg"),
        zstd::encode_all(&tar[..], 1).unwrap(),
    )
    .unwrap();
    refused(
        &repository.fixture,
        "`test` has a signature that does not fit the catalogue",
    );
}

#[test]
fn a_package_other_than_the_catalogue_s() {
    let repository = Repository::new("key: key.pub", "trusted");
    repository.write(&Signature::Key(repository.key.clone()));
    let other = Package::new("a", "1").file("/usr/local/bin/a", 0o4755, b"evil");
    fs::write(repository.folder.join("All/a-1.pkg"), other.finish(Packing::Zstd)).unwrap();
    refused(&repository.fixture, "All/a-1.pkg: SHA-256 is ");
}

#[test]
fn catalogues_that_lead_elsewhere_or_are_none() {
    let repository = Repository::new("signature: none", "trusted");
    repository.write(&Signature::None);
    let sum = "0".repeat(64);
    let entry = |path: &str, sum: &str| {
        format!("{{\"packages\":[{{\"name\":\"a\",\"version\":\"1\",\"path\":\"{path}\",\"sum\":\"{sum}\"}}]}}")
    };
    for (text, cause) in [
        (
            entry("../../../etc/passwd", &sum),
            "a-1 has the path `../../../etc/passwd`, which leads out of the repository",
        ),
        (entry("/etc/passwd", &sum), "leads out of the repository"),
        (
            entry("All/a.pkg", "abc"),
            "a-1 has the checksum `abc`, which is no SHA-256",
        ),
        (
            "{\"packages\":[{\"name\":\"a\"}]}".into(),
            "data.pkg: cannot be understood: missing field `version`",
        ),
        (
            "{\"packages\":[".into(),
            "data.pkg: cannot be understood: EOF while parsing",
        ),
        (String::new(), "data.pkg: cannot be understood: EOF while parsing"),
    ] {
        repository.swap(&text, &Signature::None);
        // An empty member is as good as none.
        refused(&repository.fixture, cause);
    }
    write_catalogue(&repository.folder, "data.pkg", "other", b"{}", &Signature::None);
    refused(&repository.fixture, "data.pkg: has no `data`");
    meta(&repository.folder, "version = 9;\n");
    refused(&repository.fixture, "meta.conf: is of version 9; 1 and 2 are known");
    meta(&repository.folder, "version = 2;\ndata = \"../x\";\n");
    refused(&repository.fixture, "has the data `../x`, which is no file name");
    fs::remove_file(repository.folder.join("meta.conf")).unwrap();
    refused(&repository.fixture, "meta.conf: is not there");
}

fn meta(folder: &Path, text: &str) {
    fs::write(folder.join("meta.conf"), text).unwrap();
}

#[test]
fn systems_and_needs_that_do_not_fit() {
    refused_package(
        a().set("abi", json!("FreeBSD:15:amd64")),
        "package a-1: is for FreeBSD:15:amd64, not for FreeBSD:14:amd64",
    );
    refused_package(
        a().set("annotations", json!({"FreeBSD_version": "1500000"})),
        "was built on a later FreeBSD (1500000) than 14.3",
    );
    refused_package(a().needs("b"), "package a-1: needs b (test/b), which no source offers");
    refused_package(
        a().set("shlibs_required", json!(["libx.so.1"])),
        "needs the library libx.so.1, which is neither in the base system",
    );
    let conflict = a().set("conflicts", json!(["b-[0-9]*"]));
    refused(
        &fixture("a, b", &[conflict, Package::new("b", "1")]),
        "package a-1: cannot stand beside b-1",
    );
    refused(
        &fixture("tmux", &[a()]),
        "package tmux: is not among the 1 packages on offer",
    );
}
