use super::*;
use crate::build::{Addition, AdditionBody};
use crate::data::FileData;
use crate::tree::{Body, Node, Tree};
use crate::ufs::inode::Attributes;

fn file(origin: usize, size: u64) -> Node {
    let data = FileData {
        size,
        sha256: Some(format!("{size:064}")),
        ..FileData::default()
    };
    node(origin, Body::File { layer: 0, data })
}

fn node(origin: usize, body: Body) -> Node {
    Node {
        attributes: Attributes {
            mode: 0o644,
            ..Attributes::default()
        },
        body,
        origin,
    }
}

/// A tree in which something of each kind happened.
fn account() -> Account {
    let mut tree = Tree::new();
    let base = tree.origin("base.txz");
    let kernel = tree.origin("kernel.txz");
    let overlay = tree.origin("rootfs/etc/motd");
    let module = tree.origin("ng_socket.ko");
    tree.insert(b"etc/motd", file(base, 1)).unwrap();
    tree.insert(b"bin/su", file(base, 2)).unwrap();
    tree.link(b"bin/su2", b"bin/su").unwrap();
    tree.insert(b"home", node(base, Body::Symlink(b"usr/home".to_vec())))
        .unwrap();
    tree.insert(b"usr/home/me", file(base, 3)).unwrap();
    tree.insert(b"usr/tests/a/b", file(base, 4)).unwrap();
    tree.insert(b"etc/pwd.db", file(base, 5)).unwrap();
    tree.insert(b"boot/ng.ko", file(kernel, 6)).unwrap();
    tree.detach(b"usr/tests/a/b");
    tree.prune(|path| path == b"etc/pwd.db");
    tree.insert(b"etc/motd", file(overlay, 7)).unwrap();
    tree.rename(b"boot/ng.ko", b"boot/ng.ko.stock").unwrap();
    tree.insert(b"boot/ng.ko", file(module, 8)).unwrap();
    let inputs = [("base.txz".into(), "f".repeat(64))].into();
    let below = Pruned {
        path: "/usr/tests/a/b".into(),
        origin: "base.txz".into(),
        pattern: Some("usr/tests (appliance.yaml:3)".into()),
    };
    let text = of_tree(&tree, vec![below]).text("test", &inputs);
    serde_json::from_str(&text).unwrap()
}

fn why(path: &str) -> String {
    account().why(path).to_string()
}

#[test]
fn the_list_is_read_as_it_was_written_and_has_a_line_for_each_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.files.json");
    fs::write(&path, account().text("test", &account().inputs)).unwrap();
    assert_eq!(Account::load(&path).unwrap(), account());
    let text = account().text("test", &account().inputs);
    let line = text.lines().find(|line| line.contains("\"/etc/motd\"")).unwrap();
    assert!(
        line.starts_with("{\"path\":\"/etc/motd\",\"type\":\"file\",\"mode\":\"0644\""),
        "{line}"
    );
    fs::write(&path, "{}").unwrap();
    assert!(
        Account::load(&path)
            .unwrap_err()
            .to_string()
            .contains("is no list of files")
    );
}

#[test]
fn a_file_tells_its_input_and_the_checksum_of_that() {
    let said = why("bin/su2");
    assert!(said.contains("from base.txz (sha256 ffff"), "{said}");
    assert!(said.contains("the same file as /bin/su"), "{said}");
}

#[test]
fn what_was_replaced_is_told() {
    assert!(why("/etc/motd").contains("from rootfs/etc/motd\n  in the place of what base.txz has there"));
    let module = why("/boot/ng.ko");
    assert!(
        module.contains("from ng_socket.ko\n  what was there before is /boot/ng.ko.stock"),
        "{module}"
    );
    let stock = why("/boot/ng.ko.stock");
    assert!(
        stock.contains("from kernel.txz\n  moved aside from /boot/ng.ko"),
        "{stock}"
    );
}

#[test]
fn what_was_pruned_is_told_with_the_pattern() {
    let below = why("/usr/tests/a/b");
    assert_eq!(
        below,
        "/usr/tests/a/b is not in the image: base.txz has it, and `usr/tests (appliance.yaml:3)` prunes it"
    );
    assert!(why("/etc/pwd.db").ends_with("and the build leaves it out"));
}

#[test]
fn directories_may_be_links() {
    assert!(why("//home/./me").starts_with("/usr/home/me\n  file"));
}

#[test]
fn what_no_input_has_leads_to_what_was_meant() {
    assert_eq!(why("/etc/modt"), "no input has such a path; did you mean /etc/motd?");
    assert_eq!(why("/sbin/su"), "no input has such a path; did you mean /bin/su?");
    assert_eq!(why("/quite/something/else"), "no input has such a path");
}

#[test]
fn an_initramfs_is_listed_with_the_directories_above() {
    let mut old = Addition::new("etc/issue", 0o644, AdditionBody::Bytes(b"x".to_vec()));
    old.origin = "busybox 1".into();
    let new = Addition::new("etc/issue", 0o600, AdditionBody::Bytes(b"abc".to_vec()));
    let account = of_additions(&[old, new]).unwrap();
    assert_eq!(account.files.len(), 2);
    let record = &account.files[1];
    assert_eq!((record.mode.as_str(), record.size), ("0600", Some(3)));
    assert_eq!(record.replaced, ["busybox 1"]);
    assert!(record.sha256.as_ref().unwrap().starts_with("ba7816bf"));
}
