//! A folder with sets, an appliance file and an overlay, and builds of it.

use std::fs;
use std::path::{Path, PathBuf};

use ngforge_image::Result;
use ngforge_image::build::{self, Base, Built, Request};
use ngforge_image::lock;
use ngforge_image::progress::Silent;
use ngforge_image::sets::Source;
use ngforge_image::spec::Spec;
use tempfile::TempDir;

use crate::base::{self, Archive, Expected};

/// The least an appliance file can say.
pub const SPEC: &str = "name: test\nhostname: gate\nrelease: \"14.3\"\nnics: 3\ndisk: {free: 32 MiB}\n";

/// A place to build in.
pub struct Fixture {
    /// Everything lies below this folder.
    pub folder: TempDir,
    /// What the image must hold.
    pub expected: Expected,
}

impl Fixture {
    /// With the synthetic base and kernel, a module, and an overlay of one file.
    ///
    /// It lies in a new folder below `place`.
    pub fn full(place: &Path) -> Self {
        fs::create_dir_all(place).unwrap();
        Self::of(tempfile::tempdir_in(place).unwrap(), base::base(), base::kernel())
    }

    /// With a base that has just enough to build, for tests of other things.
    pub fn small() -> Self {
        let mut base = Archive::default();
        base.directory("boot").directory("etc");
        base.file("boot/loader.efi", &base::noise(100_000, 1));
        base.file("etc/motd", b"hello");
        Self::of(tempfile::tempdir().unwrap(), base, base::kernel())
    }

    /// With what a disk with two root slots needs besides, and what a BIOS starts.
    ///
    /// `left_out` is not among it.
    pub fn slots(left_out: &str) -> Self {
        let mut base = Archive::default();
        base.directory("boot").directory("etc").directory("var");
        let files = [
            "boot/lua/loader.lua",
            "boot/lua/core.lua",
            "boot/defaults/loader.conf",
            "boot/device.hints",
            "boot/loader",
            "boot/pmbr",
            "boot/gptboot",
            "usr/local/etc/local.conf",
            "etc/motd",
        ];
        for path in files.into_iter().filter(|path| *path != left_out) {
            base.file(path, path.as_bytes());
        }
        base.file("boot/loader.efi", &base::noise(100_000, 1));
        let fixture = Self::of(tempfile::tempdir().unwrap(), base, base::kernel());
        let spec = SPEC.replace("free: 32 MiB", "free: 32 MiB, layout: slots");
        fs::write(fixture.at("appliance.yaml"), spec).unwrap();
        fixture
    }

    /// With next to nothing, for many builds that fail.
    pub fn tiny() -> Self {
        let mut base = Archive::default();
        base.directory("boot").directory("etc");
        base.file("boot/loader.efi", b"a loader");
        let mut kernel = Archive::default();
        kernel.directory("boot").directory("boot/kernel");
        kernel.file("boot/kernel/ng_socket.ko", b"stock module");
        Self::of(tempfile::tempdir().unwrap(), base, kernel)
    }

    fn of(folder: TempDir, base: Archive, kernel: Archive) -> Self {
        let at = |name: &str| folder.path().join(name);
        for name in ["sets", "rootfs/etc"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let (base, expected) = base.finish();
        let (kernel, more) = kernel.finish();
        base::write(&at("sets"), &[("base.txz", &base), ("kernel.txz", &kernel)]);
        fs::write(at("appliance.yaml"), SPEC).unwrap();
        fs::write(at("rootfs/etc/overlaid"), "first").unwrap();
        fs::write(at("ng_socket.ko"), "our module").unwrap();
        let mut fixture = Self { folder, expected };
        fixture.expect(more);
        fixture
    }

    /// What kernel, overlay and build add to, and take from, the base.
    fn expect(&mut self, kernel: Expected) {
        let expected = &mut self.expected;
        expected.files.extend(kernel.files);
        expected.directories.push("boot/kernel".into());
        let stock = expected
            .files
            .insert("boot/kernel/ng_socket.ko".into(), b"our module".to_vec());
        expected
            .files
            .insert("boot/kernel/ng_socket.ko.stock".into(), stock.unwrap());
        expected.owners.insert("boot/kernel/ng_socket.ko".into(), (0o555, 0, 0));
        expected.files.insert("etc/overlaid".into(), b"first".to_vec());
        expected.files.remove("etc/pwd.db");
        expected.files.remove("etc/spwd.db");
        if let Some(accounts) = expected.files.get_mut("etc/master.passwd") {
            *accounts = b"root:*:0:0::0:0:Charlie &:/root:/bin/sh\n".to_vec();
        }
    }

    /// A path below the fixture's folder.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Where image files come out.
    pub fn out(&self, name: &str) -> PathBuf {
        self.at("out").join(name)
    }

    /// A request for everything here.
    pub fn request(&self) -> Request {
        request_in(self.folder.path())
    }

    /// Builds, expecting success.
    pub fn build(&self) -> Built {
        build::build(&self.request(), &Silent).unwrap()
    }

    /// Builds, and returns the message of the failure.
    pub fn failure(&self, request: &Request) -> String {
        let result: Result<Built> = build::build(request, &Silent);
        let message = result.unwrap_err().to_string();
        assert!(message.contains("\nhint: "), "no way out is named: {message}");
        message
    }

    /// Names of the layers of sets and packages in the cache, each of which is whole: none is a temporary file.
    ///
    /// # Panics
    /// Something else lies among them.
    pub fn whole_layers(&self) -> Vec<String> {
        let layers = names(&self.at("cache/layers"));
        for name in &layers {
            let (sum, version) = name.rsplit_once("-v").unwrap_or_default();
            let sum = sum.strip_suffix("-pkg").unwrap_or(sum);
            let whole =
                sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) && version.parse::<u32>().is_ok();
            assert!(whole, "`{name}` among {layers:?}");
        }
        layers
    }

    /// Names of the files in the output folder, but for the lock.
    pub fn outputs(&self) -> Vec<String> {
        names(&self.at("out"))
    }
}

/// A request for everything in a fixture's folder.
///
/// # Panics
/// It is no such folder.
pub fn request_in(folder: &Path) -> Request {
    let at = |name: &str| folder.join(name);
    let spec_file = at("appliance.yaml");
    Request {
        spec: Spec::load(&spec_file).unwrap(),
        spec_file,
        base: Base::FreeBsd(Source::Folder(at("sets"))),
        rootfs: Some(at("rootfs")),
        companions: Vec::new(),
        module: Some(at("ng_socket.ko")),
        tools: Vec::new(),
        authorized_keys: vec!["ssh-ed25519 AAAA test".into()],
        signing: Default::default(),
        identity: None,
        interfaces: Vec::new(),
        kernel_modules: Vec::new(),
        out: at("out"),
        cache: at("cache"),
        threads: 2,
        lock: lock::Policy::default(),
        software: Vec::new(),
        epoch: None,
        idle: None,
    }
}

/// Names of the files in a folder, sorted, but for the lock.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != ".lock" && name != ".spare").collect();
    names.sort();
    names
}
