//! The configuration, kept and gone back to.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::store::KEPT;
use super::*;
use crate::failure::Failure;

/// An appliance that has just booted: its /etc is the image's.
struct Appliance {
    root: TempDir,
}

impl Appliance {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["conf/base/etc/ssh", "etc/ssh", "cfg"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for etc in ["conf/base/etc", "etc"] {
            fs::write(root.path().join(etc).join("rc.conf"), "hostname=\"box\"\n").unwrap();
            fs::write(root.path().join(etc).join("ssh/moduli"), "1\n").unwrap();
        }
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path("etc").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn run(&self, words: &[&str]) -> Result<()> {
        let root = self.root.path().to_string_lossy();
        let fixed = ["ng-update", "--root", &root, "cfg"];
        let words = fixed.iter().chain(words).map(Into::into);
        crate::cli::parse(words.collect()).unwrap().run()
    }

    /// What the script that runs before rc does.
    fn boot(&self) {
        fs::remove_dir_all(self.path("etc")).unwrap();
        let copy = |from: &str| {
            let status = std::process::Command::new("cp")
                .args(["-Rp", &format!("{}/.", self.path(from).display())])
                .arg(self.path("etc"))
                .status();
            assert!(status.unwrap().success());
        };
        fs::create_dir(self.path("etc")).unwrap();
        copy("conf/base/etc");
        if self.path("cfg/current/etc").is_dir() {
            copy("cfg/current/etc");
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_is_saved_is_there_after_the_next_boot_and_what_is_not_is_gone() {
    let appliance = Appliance::new();
    appliance.write("rc.conf", "hostname=\"mine\"\n");
    appliance.write("local/ngforge/secret", "s\n");
    fs::set_permissions(
        appliance.path("etc/local/ngforge/secret"),
        Permissions::from_mode(0o600),
    )
    .unwrap();
    symlink("/usr/share/zoneinfo/UTC", appliance.path("etc/localtime")).unwrap();
    assert_eq!(appliance.run(&["diff"]).unwrap_err().status(), 1);
    appliance.run(&["save"]).unwrap();
    appliance.run(&["diff"]).unwrap();
    appliance.write("motd", "not saved");
    appliance.boot();
    appliance.run(&["diff"]).unwrap();
    assert_eq!(appliance.read("etc/rc.conf"), "hostname=\"mine\"\n");
    assert_eq!(mode(&appliance.path("etc/local/ngforge/secret")), 0o600);
    assert_eq!(
        fs::read_link(appliance.path("etc/localtime")).unwrap(),
        Path::new("/usr/share/zoneinfo/UTC")
    );
    assert!(!appliance.path("etc/motd").exists());
    assert!(!appliance.path("cfg/saved/1/etc/ssh/moduli").exists());
}

#[test]
fn what_would_break_the_next_boot_is_not_saved() {
    let appliance = Appliance::new();
    appliance.write("rc.conf", "hostname=\"mine\"\n");
    appliance.run(&["save"]).unwrap();
    appliance.write("rc.conf", "hostname=\"never closed\n");
    appliance.write("fstab", "/dev/x\n");
    let failure = appliance.run(&["save"]).unwrap_err();
    let said = failure.to_string();
    assert_eq!(failure.status(), 78);
    assert!(
        said.starts_with("nothing was saved:\n/etc/fstab: line 1 is no file system"),
        "{said}"
    );
    assert!(said.contains("/etc/rc.conf: ") && said.contains("--force"), "{said}");
    assert_eq!(
        fs::read_link(appliance.path("cfg/current")).unwrap(),
        Path::new("saved/1")
    );
    assert!(!appliance.path("cfg/saved/new").exists());
    appliance.run(&["save", "--force"]).unwrap();
    assert_eq!(appliance.read("cfg/current/etc/fstab"), "/dev/x\n");
}

#[test]
fn the_last_ones_are_kept_and_can_be_gone_back_to() {
    let appliance = Appliance::new();
    for number in 1..=8 {
        appliance.write("rc.conf", &format!("hostname=\"box{number}\"\n"));
        appliance.run(&["save"]).unwrap();
    }
    let store = Store::open(appliance.path("cfg")).unwrap();
    let numbers: Vec<u64> = store.list().unwrap().iter().map(|one| one.number).collect();
    assert_eq!((numbers.len(), numbers), (KEPT, vec![4, 5, 6, 7, 8]));
    appliance.run(&["back"]).unwrap();
    assert_eq!(store.current().unwrap(), Some(7));
    appliance.run(&["back", "4"]).unwrap();
    appliance.boot();
    assert_eq!(appliance.read("etc/rc.conf"), "hostname=\"box4\"\n");
    let said = appliance.run(&["back"]).unwrap_err().to_string();
    assert!(said.starts_with("nothing was saved before"), "{said}");
    let said = appliance.run(&["back", "3"]).unwrap_err().to_string();
    assert!(said.starts_with("nothing is saved as 3"), "{said}");
    appliance.write("rc.conf", "hostname=\"box9\"\n");
    appliance.run(&["save"]).unwrap();
    assert_eq!(store.current().unwrap(), Some(9));
    assert!(appliance.path("cfg/saved/5").exists() && !appliance.path("cfg/saved/4").exists());
}

#[test]
fn a_file_is_put_back_as_it_was_saved_or_came() {
    let appliance = Appliance::new();
    appliance.write("rc.conf", "hostname=\"saved\"\n");
    appliance.run(&["save"]).unwrap();
    appliance.write("rc.conf", "hostname=\"wrong\"\n");
    appliance.run(&["restore", "/etc/rc.conf"]).unwrap();
    assert_eq!(appliance.read("etc/rc.conf"), "hostname=\"saved\"\n");
    appliance.run(&["restore", "--image", "rc.conf"]).unwrap();
    assert_eq!(appliance.read("etc/rc.conf"), "hostname=\"box\"\n");
    let said = appliance.run(&["restore", "/etc/nothing"]).unwrap_err().to_string();
    assert!(said.contains("neither in the image nor saved"), "{said}");
}

#[test]
fn what_is_made_by_machines_or_is_no_file_is_not_saved() {
    let appliance = Appliance::new();
    appliance.write("spwd.db", "x");
    appliance.write("resolv.conf", "# Generated by resolvconf\nnameserver 10.0.2.3\n");
    let _socket = std::os::unix::net::UnixListener::bind(appliance.path("etc/socket")).unwrap();
    appliance.run(&["diff"]).unwrap();
    appliance.write("resolv.conf", "nameserver 9.9.9.9\n");
    assert_eq!(appliance.run(&["diff"]).unwrap_err().status(), 1);
    appliance.run(&["save"]).unwrap();
    assert!(appliance.path("cfg/current/etc/resolv.conf").exists());
    assert!(!appliance.path("cfg/current/etc/spwd.db").exists());
}

#[test]
fn a_save_that_was_cut_leaves_what_counted() {
    let appliance = Appliance::new();
    appliance.write("rc.conf", "hostname=\"one\"\n");
    appliance.run(&["save"]).unwrap();
    fs::create_dir_all(appliance.path("cfg/saved/new/etc/half")).unwrap();
    symlink("saved/2", appliance.path("cfg/next")).unwrap();
    appliance.boot();
    assert_eq!(appliance.read("etc/rc.conf"), "hostname=\"one\"\n");
    appliance.write("rc.conf", "hostname=\"two\"\n");
    appliance.run(&["save"]).unwrap();
    assert!(!appliance.path("cfg/current/etc/half").exists() && !appliance.path("cfg/next").exists());
    assert_eq!(appliance.read("cfg/current/etc/rc.conf"), "hostname=\"two\"\n");
}

#[test]
fn two_do_not_save_at_once() {
    let appliance = Appliance::new();
    appliance.write("rc.conf", "hostname=\"one\"\n");
    let store = Store::open(appliance.path("cfg")).unwrap();
    let _writing = store.write().unwrap();
    let said = appliance.run(&["save"]).unwrap_err().to_string();
    assert!(
        said.ends_with("another ng-update is saving; try again when it is done"),
        "{said}"
    );
}

#[test]
fn wrong_places_are_told() {
    let appliance = Appliance::new();
    let said = appliance.run(&["--cfg", "/nowhere", "list"]).unwrap_err();
    assert!(matches!(said, Failure::NoSlots(_)), "{said}");
    let said = appliance
        .run(&["--image-etc", "/nowhere", "save"])
        .unwrap_err()
        .to_string();
    assert!(said.contains("nothing to compare with"), "{said}");
    symlink("../etc/passwd", appliance.path("cfg/current")).unwrap();
    let said = appliance.run(&["diff"]).unwrap_err().to_string();
    assert!(
        said.contains("leads to ../etc/passwd, not to saved/ and a number"),
        "{said}"
    );
}
