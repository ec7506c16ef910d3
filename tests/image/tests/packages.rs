//! Packages in an image: from a signed repository and from a directory, with all that follows from their manifests.

use std::fs;
use std::path::Path;

use image_tests::base::{Archive, noise, write};
use image_tests::fixture::{Fixture, SPEC};
use image_tests::package::{self, Package, Packing, Signature};
use image_tests::readers::{self, Volume};
use ngforge_image::build;
use ngforge_image::progress::{Progress, Silent, Task};
use serde_json::json;

const USERS: &str = "if ! ${PW} groupshow mpd >/dev/null 2>&1; then\n  ${PW} groupadd mpd -g 555\nfi\nif ! ${PW} usershow \
                     mpd >/dev/null 2>&1; then\n  ${PW} useradd mpd -u 555 -g 555 -c \"Multi-link PPP\" -d /nonexistent \
                     -s /usr/sbin/nologin\nfi\n";

fn mpd() -> Package {
    let sample = "-- args: etc/mpd.conf.sample\nlocal sample_file = arg[1]\npkg.copy(sample_file, target_file)\n";
    let mut mpd = Package::new("mpd5", "5.9_18")
        .needs("libpdel")
        .file("/usr/local/sbin/mpd5", 0o4755, &noise(70_000, 1))
        .file("/usr/local/etc/mpd.conf.sample", 0o640, b"startup:\n")
        .symlink("/usr/local/sbin/mpd", "mpd5")
        .set("users", json!(["mpd"]))
        .set("groups", json!(["mpd"]))
        .set("shlibs_required", json!(["libc.so.7", "libpdel.so.0"]))
        .set("lua_scripts", json!({"post-install": [sample, "print('hello')"]}))
        .set(
            "scripts",
            json!({"pre-install": USERS, "post-install": "touch /var/db/mpd%25\n"}),
        );
    mpd.manifest["files"]["/usr/local/etc/mpd.conf.sample"]["gname"] = json!("mpd");
    mpd.manifest["directories"] = json!({"/var/db/mpd": {"uname": "mpd", "gname": "mpd", "perm": "0700"}});
    mpd
}

fn libpdel() -> Package {
    Package::new("libpdel", "0.5.3")
        .file("/usr/local/lib/libpdel.so.0", 0o755, b"a library")
        .set("shlibs_provided", json!(["libpdel.so.0"]))
}

/// A fixture whose base has accounts and a C library, and whose appliance file goes on with `packages`.
fn fixture(packages: &str) -> Fixture {
    let fixture = Fixture::small();
    let mut base = Archive::default();
    base.directory("boot").directory("etc");
    base.file("boot/loader.efi", &noise(100_000, 1));
    base.file("lib/libc.so.7", b"the C library");
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

/// Keeps what the build says.
#[derive(Default)]
struct Notes(std::sync::Mutex<Vec<String>>);

impl Progress for Notes {
    fn begin(&self, task: &str, total: Option<u64>) -> Box<dyn Task + '_> {
        Silent.begin(task, total);
        Box::new(Silent)
    }

    fn note(&self, line: &str) {
        self.0.lock().unwrap().push(line.into());
    }
}

/// Everything that follows from the two packages.
fn check_contents(volume: &Volume) {
    assert_eq!(volume.read("/usr/local/sbin/mpd5"), noise(70_000, 1));
    assert_eq!(volume.read("/usr/local/lib/libpdel.so.0"), b"a library");
    assert_eq!(volume.read("/usr/local/etc/mpd.conf"), b"startup:\n");
    let accounts = String::from_utf8(volume.read("/etc/master.passwd")).unwrap();
    assert_eq!(
        accounts,
        "root:*:0:0::0:0:Charlie &:/root:/bin/sh\nmpd:*:555:555::0:0:Multi-link PPP:/nonexistent:/usr/sbin/nologin\n"
    );
    assert_eq!(volume.read("/etc/group"), b"wheel:*:0:root\nmpd:*:555:\n");
    let script = volume.read("/usr/local/libexec/ngforge/firstboot.d/0002-1-mpd5-5.9_18-post-install.sh");
    assert!(
        script.ends_with(b"\ntouch /var/db/mpd%\n\n"),
        "{}",
        String::from_utf8_lossy(&script)
    );
    assert!(volume.read("/etc/rc.d/ngforge_packages").starts_with(b"#!/bin/sh\n"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&volume.read("/usr/local/share/ngforge/packages/mpd5-5.9_18.json")).unwrap();
    assert_eq!(manifest, mpd().manifest);
}

#[test]
fn a_repository_signed_by_a_trusted_key() {
    let place = tempfile::tempdir().unwrap();
    let repository = place.path().join("repository");
    let key = package::keys(place.path());
    package::write_repository(&repository, &[mpd(), libpdel()], &Signature::Fingerprint(key.clone()));
    let text = format!(
        "packages:\n  from: [{{repository: \"file://{}\", fingerprints: keys}}]\n  install: [mpd5]\n",
        repository.display()
    );
    let fixture = fixture(&text);
    package::trust(&fixture.at("keys"), &key, "trusted");
    let notes = Notes::default();
    let built = build::build(&fixture.request(), &notes).unwrap();
    check_contents(&Volume::of(&fixture.out("test.raw")));
    assert_eq!(
        built.manifest.inputs["mpd5-5.9_18.pkg"],
        package::sha256(&mpd().finish(Packing::Zstd))
    );
    let notes = notes.0.into_inner().unwrap();
    for said in [
        "mpd5-5.9_18: its post-install script runs when the appliance boots",
        "a Lua script is not run (post-install: print('hello'))",
    ] {
        assert!(notes.iter().any(|note| note.contains(said)), "{said}: {notes:?}");
    }
    let again = fixture.build();
    assert!(again.unchanged);
}

#[test]
fn a_repository_signed_with_a_key() {
    let place = tempfile::tempdir().unwrap();
    let key = package::keys(place.path());
    package::write_repository(place.path(), &[mpd(), libpdel()], &Signature::Key(key.clone()));
    let text = format!(
        "packages: {{from: [{{repository: \"file://{}\", key: \"{}.pub\"}}], install: [test/mpd5]}}\n",
        place.path().display(),
        key.display()
    );
    let fixture = fixture(&text);
    fixture.build();
    check_contents(&Volume::of(&fixture.out("test.raw")));
}

#[test]
fn a_directory_of_packages_however_compressed() {
    let fixture = fixture("packages: {from: [{directory: pkgs}], install: [mpd5-5.9_18]}\n");
    fs::create_dir(fixture.at("pkgs")).unwrap();
    fs::write(fixture.at("pkgs/mpd5.txz"), mpd().finish(Packing::Xz)).unwrap();
    fs::write(fixture.at("pkgs/b.pkg"), libpdel().finish(Packing::Zstd)).unwrap();
    fixture.build();
    check_contents(&Volume::of(&fixture.out("test.raw")));
}

#[test]
fn owners_and_modes_are_those_of_the_package() {
    let fixture = fixture("packages: {from: [{directory: pkgs}], install: [mpd5]}\n");
    fs::create_dir(fixture.at("pkgs")).unwrap();
    fs::write(fixture.at("pkgs/a.pkg"), mpd().finish(Packing::Zstd)).unwrap();
    fs::write(fixture.at("pkgs/b.pkg"), libpdel().finish(Packing::Zstd)).unwrap();
    fixture.build();
    let volume = Volume::of(&fixture.out("test.raw"));
    assert_eq!(volume.attributes("/usr/local/sbin/mpd5"), (0o4755, 0, 0));
    assert_eq!(volume.attributes("/usr/local/etc/mpd.conf"), (0o640, 0, 555));
    assert_eq!(volume.attributes("/var/db/mpd"), (0o700, 555, 555));
}

#[test]
fn a_base_of_packages() {
    let fixture = Fixture::small();
    let runtime = Package::new("FreeBSD-runtime", "15.0")
        .file("/boot/loader.efi", 0o555, &noise(100_000, 1))
        .file("/etc/master.passwd", 0o600, b"root::0:0::0:0:Charlie &:/root:/bin/sh\n")
        .file("/etc/group", 0o644, b"wheel:*:0:root\noperator:*:5:root\n")
        .file("/sbin/init", 0o555, b"init")
        .set("shlibs_required", json!(["libc.so.7"]));
    let mut kernel = Package::new("FreeBSD-kernel-generic", "15.0")
        .file("/boot/kernel/kernel", 0o555, &noise(200_000, 4))
        .file("/boot/kernel/ng_socket.ko", 0o555, b"stock module");
    kernel.manifest["files"]["/boot/kernel/kernel"]["fflags"] = json!("schg");
    let clibs = Package::new("FreeBSD-clibs", "15.0")
        .file("/lib/libc.so.7", 0o444, b"the C library")
        .set("shlibs_provided", json!(["libc.so.7"]));
    let minimal = Package::new("FreeBSD-set-minimal", "15.0").needs("FreeBSD-runtime");
    let packages = [runtime, kernel, clibs, minimal].map(|package| package.set("abi", json!("FreeBSD:15:amd64")));
    package::write_repository(&fixture.at("base"), &packages, &Signature::None);
    let text = format!(
        "{}profile: full\nbase: {{pkgbase: {{from: [{{repository: \"file://{}\", signature: none}}]}}}}\n",
        SPEC.replace("14.3", "15.0"),
        fixture.at("base").display()
    );
    fs::write(fixture.at("appliance.yaml"), text).unwrap();
    fs::remove_dir_all(fixture.at("sets")).unwrap();
    let built = fixture.build();
    let volume = Volume::of(&fixture.out("test.raw"));
    assert_eq!(volume.read("/sbin/init"), b"init");
    assert_eq!(volume.read("/lib/libc.so.7"), b"the C library");
    assert_eq!(volume.read("/boot/kernel/ng_socket.ko"), b"our module");
    assert_eq!(volume.read("/boot/kernel/ng_socket.ko.stock"), b"stock module");
    assert_eq!(built.manifest.release, "15.0");
    assert!(
        built.manifest.inputs.contains_key("FreeBSD-clibs-15.0.pkg"),
        "{:?}",
        built.manifest.inputs
    );
    assert!(!built.manifest.inputs.contains_key("base.txz"));
}

#[test]
fn other_tools_read_the_packages_made_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pkg");
    fs::write(&file, mpd().finish(Packing::Zstd)).unwrap();
    let list = readers::text("libarchive-tools", "bsdtar", &["-tf", path(&file)]);
    assert_eq!(
        list,
        "+COMPACT_MANIFEST\n+MANIFEST\n/usr/local/sbin/mpd5\n/usr/local/etc/mpd.conf.sample\n/usr/local/sbin/mpd\n"
    );
    let manifest = readers::run("libarchive-tools", "bsdtar", &["-xOf", path(&file), "+MANIFEST"]);
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&manifest).unwrap(),
        mpd().manifest
    );
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
