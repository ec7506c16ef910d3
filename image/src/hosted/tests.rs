//! What is taken out of packages, with packages that are made here.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use super::testing::{deb_of, module, program, stub};
use super::*;

/// Packages in a folder; remembers what was asked for.
#[derive(Debug)]
struct Shelf {
    folder: tempfile::TempDir,
    asked: Mutex<Vec<String>>,
}

impl Packages for Shelf {
    fn get(&self, _suite: &str, names: &[String]) -> Result<Vec<PathBuf>> {
        self.asked.lock().unwrap().extend_from_slice(names);
        Ok(names.iter().map(|name| self.folder.path().join(name)).collect())
    }
}

/// A package's name, what it depends on, and its files.
type Content<'a> = (&'a str, &'a str, Vec<(&'a str, Vec<u8>)>);

impl Shelf {
    fn new(packages: Vec<Content<'_>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, depends, files) in packages {
            let control = format!("Package: {name}\nVersion: 1\nDepends: {depends}\n");
            let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (*path, &**bytes)).collect();
            std::fs::write(folder.path().join(name), deb_of(&control, &files)).unwrap();
        }
        Self {
            folder,
            asked: Mutex::default(),
        }
    }

    /// sshd needs liba, which needs libb and the C library; the loader lies in the C library's package.
    fn usual() -> Self {
        let loader = "/lib64/ld.so.2";
        Self::new(vec![
            (
                "openssh-server",
                "adduser, liba1 (>= 2), libc6",
                vec![("./usr/sbin/sshd", program(Some(loader), &["liba.so.1", "libc.so.6"]))],
            ),
            (
                "liba1",
                "libb2:any, libc6",
                vec![
                    ("./usr/lib/liba.so.1.0", program(None, &["libb.so.2", "libc.so.6"])),
                    ("./usr/lib/liba.so.1", b"-> liba.so.1.0".to_vec()),
                    ("./usr/lib/liba-unused.so.1", program(None, &["libnowhere.so.1"])),
                ],
            ),
            ("libb2", "", vec![("./lib/libb.so.2", program(None, &["libc.so.6"]))]),
            (
                "libc6",
                "libgcc-s1",
                vec![
                    ("./lib/libc.so.6", program(None, &["ld.so.2"])),
                    ("./lib/ld.so.2", program(None, &[])),
                ],
            ),
            ("libgcc-s1", "", vec![]),
            ("linux", "linux-image-6.1.0-1-cloud (= 1)", vec![]),
            (
                "linux-image-6.1.0-1-cloud",
                "",
                vec![
                    ("./boot/vmlinuz-6.1.0-1-cloud", b"kernel".to_vec()),
                    ("./lib/modules/x/net/virtio_net.ko", module("net-failover,virtio")),
                    ("./lib/modules/x/net/net-failover.ko", module("")),
                    ("./lib/modules/x/virtio.ko", module("")),
                    ("./lib/modules/x/other.ko", module("")),
                ],
            ),
            ("boot", "", vec![("./stub.efi", stub(8))]),
        ])
    }
}

fn parts(programs: &[(&str, &str)], modules: &[&str]) -> Parts {
    Parts {
        suite: "moon".into(),
        kernel: "linux".into(),
        cmdline: "quiet".into(),
        stub: Stub {
            package: "boot".into(),
            file: "stub.efi".into(),
        },
        modules: modules.iter().map(|name| (*name).to_owned()).collect(),
        programs: { programs.iter() }
            .map(|(package, path)| ((*package).to_owned(), vec![(*path).to_owned()]))
            .collect::<BTreeMap<_, _>>(),
    }
}

const SSHD: [(&str, &str); 1] = [("openssh-server", "usr/sbin/sshd")];

fn failure(shelf: &Shelf, parts: &Parts) -> String {
    gather::gather(parts, shelf).unwrap_err().to_string()
}

#[test]
fn programs_come_with_their_libraries_and_nothing_else() {
    let shelf = Shelf::usual();
    let gathered = gather::gather(&parts(&SSHD, &[]), &shelf).unwrap();
    let mut paths: Vec<_> = { gathered.files.iter() }
        .map(|file| String::from_utf8_lossy(&file.path).into_owned())
        .collect();
    paths.sort();
    let expected = [
        "lib/libb.so.2",
        "lib/libc.so.6",
        "lib64/ld.so.2",
        "usr/lib/liba.so.1",
        "usr/sbin/sshd",
    ];
    assert_eq!(paths, expected);
    assert_eq!(
        (&*gathered.kernel, &*gathered.kernel_release),
        (&b"kernel"[..], "6.1.0-1-cloud")
    );
    assert!(gathered.sums.contains_key("libb2 1"), "{:?}", gathered.sums);
    let asked = shelf.asked.lock().unwrap();
    assert!(!asked.contains(&"adduser".to_owned()), "{asked:?}");
    assert_eq!(asked.iter().filter(|name| *name == "libc6").count(), 1);
}

#[test]
fn modules_come_after_those_that_they_depend_on() {
    let gathered = gather::gather(&parts(&SSHD, &["virtio", "virtio-net"]), &Shelf::usual()).unwrap();
    let expected = ["virtio", "net_failover", "virtio_net"].map(|name| format!("lib/modules/{name}.ko"));
    assert_eq!(gathered.modules, expected);
}

#[test]
fn what_a_package_lacks_is_named() {
    let shelf = Shelf::usual();
    for (parts, expected) in [
        (
            parts(&[("openssh-server", "usr/bin/ssh")], &[]),
            "openssh-server: has no file usr/bin/ssh",
        ),
        (
            parts(&SSHD, &["e1000"]),
            "linux-image-6.1.0-1-cloud: has no kernel module e1000",
        ),
        (
            parts(&[("liba1", "usr/lib/liba-unused.so.1")], &[]),
            "liba1: usr/lib/liba-unused.so.1 needs libnowhere.so.1, which no package has that it depends on",
        ),
        (
            Parts {
                kernel: "libc6".into(),
                ..parts(&SSHD, &[])
            },
            "libc6: neither has a file boot/vmlinuz-* nor depends on a package with one",
        ),
    ] {
        let error = failure(&shelf, &parts);
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("hint: correct the parts file"), "{error}");
    }
}

#[test]
fn a_stub_that_is_none_is_named() {
    let shelf = Shelf::usual();
    let path = shelf.folder.path().join("boot");
    std::fs::write(&path, deb_of("Package: boot\nVersion: 1\n", &[("./stub.efi", b"MZ")])).unwrap();
    let hosted = Hosted {
        parts: parts(&SSHD, &[]),
        parts_file: "hosted.yaml".into(),
        packages: Arc::new(shelf),
    };
    let gathered = hosted.gather(&crate::progress::Silent).unwrap();
    let spec = Spec::parse(
        "name: a\nhostname: a\nrelease: \"14.3\"\nnics: 1\n",
        Path::new("a.yaml"),
    )
    .unwrap();
    let error = hosted.assemble(&gathered, &spec, &[]).unwrap_err().to_string();
    assert!(error.contains("boot: is no EFI stub"), "{error}");
}

#[test]
fn the_same_parts_give_the_same_program() {
    let program = || {
        let hosted = Hosted {
            parts: parts(&SSHD, &["virtio_net"]),
            parts_file: "hosted.yaml".into(),
            packages: Arc::new(Shelf::usual()),
        };
        let spec = Spec::parse(
            "name: a\nhostname: a\nrelease: \"14.3\"\nnics: 1\n",
            Path::new("a.yaml"),
        )
        .unwrap();
        let gathered = hosted.gather(&crate::progress::Silent).unwrap();
        assert_eq!(hosted.system(&gathered), "Debian moon, Linux 6.1.0-1-cloud");
        let files = hosted.files(&gathered, &spec, &generated(&spec));
        hosted.assemble(&gathered, &spec, &files).unwrap()
    };
    assert_eq!(program(), program());
}
