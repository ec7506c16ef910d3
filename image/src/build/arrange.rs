//! The tree of a root slot: it is only read, so what changes while the appliance runs goes elsewhere.
//!
//! `/etc`, `/var` and `/root` are in memory and filled from `/conf/base`, where every file of theirs has a second name; so
//! what came with the image can be told from what was changed. `/usr/local/etc` is a part of `/etc`.

use crate::error::Result;
use crate::tree::{Body, Node, Tree};
use crate::ufs::inode::Attributes;

/// Where the image's own files for the folders in memory are.
const BASE: &str = "conf/base";
/// The folders in memory; `overlay/rootfs/usr/local/libexec/ngforge/early` fills them.
const IN_MEMORY: [&str; 3] = ["etc", "root", "var"];
/// What moves into a folder that can be saved, or to the data partition, and what the link at its place says.
const MOVED: [(&str, &str, &str); 2] = [
    ("usr/local/etc", "etc/local", "../../etc/local"),
    ("root/.ssh", "etc/ssh/root", "/etc/ssh/root"),
];
/// Links to what outlives an update.
const LINKS: [(&str, &str); 1] = [("var/db/ng", "/data/ng")];
/// Where something is mounted.
const MOUNT_POINTS: [&str; 6] = ["cfg", "data", "etc", "root", "tmp", "var"];

/// Arranges the tree of a root slot; new directories and links get this time.
///
/// # Errors
/// Something that is no directory is where a directory must be.
pub fn arrange(tree: &mut Tree, time: i64) -> Result<()> {
    for path in MOUNT_POINTS {
        directory(tree, path, time)?;
    }
    for (from, to, target) in MOVED {
        directory(tree, from, time)?;
        copy(tree, from, to)?;
        tree.prune(|path| path == from.as_bytes());
        link(tree, from, target, time)?;
    }
    for (path, target) in LINKS {
        tree.prune(|other| other == path.as_bytes());
        link(tree, path, target, time)?;
    }
    for path in IN_MEMORY {
        copy(tree, path, &format!("{BASE}/{path}"))?;
    }
    Ok(())
}

/// Gives everything at and below `from` a second name: directories become others of the same kind, files stay one.
fn copy(tree: &mut Tree, from: &str, to: &str) -> Result<()> {
    let below = |path: &[u8]| {
        let rest = path.strip_prefix(from.as_bytes())?;
        let inside = rest.is_empty() || rest.starts_with(b"/");
        inside.then(|| [to.as_bytes(), rest].concat())
    };
    let paths = tree
        .iter()
        .filter_map(|(path, id)| Some((path.to_vec(), below(path)?, id)));
    for (path, new, id) in paths.collect::<Vec<_>>() {
        let node = tree.node(id).clone();
        match node.body {
            Body::Directory => tree.insert(&new, node)?,
            _ => tree.link(&new, &path)?,
        }
    }
    Ok(())
}

fn directory(tree: &mut Tree, path: &str, time: i64) -> Result<()> {
    match tree.get(path.as_bytes()) {
        Some(node) if node.body == Body::Directory => Ok(()),
        _ => insert(tree, path, Body::Directory, time),
    }
}

fn link(tree: &mut Tree, path: &str, target: &str, time: i64) -> Result<()> {
    insert(tree, path, Body::Symlink(target.into()), time)
}

fn insert(tree: &mut Tree, path: &str, body: Body, time: i64) -> Result<()> {
    let attributes = Attributes {
        mode: 0o755,
        mtime: time,
        ..Attributes::default()
    };
    let node = Node {
        attributes,
        body,
        origin: 0,
    };
    tree.insert(path.as_bytes(), node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FileData;

    fn file(tree: &mut Tree, path: &str) {
        let data = FileData::default();
        insert(tree, path, Body::File { layer: 0, data }, 1).unwrap();
    }

    fn arranged(paths: &[&str]) -> Tree {
        let mut tree = Tree::new();
        for path in paths {
            file(&mut tree, path);
        }
        arrange(&mut tree, 1).unwrap();
        tree
    }

    fn id(tree: &Tree, path: &str) -> usize {
        let mut found = tree.iter().filter(|(other, _)| *other == path.as_bytes());
        found.next().unwrap_or_else(|| panic!("{path} is not there")).1
    }

    fn target(tree: &Tree, path: &str) -> String {
        match &tree.node(id(tree, path)).body {
            Body::Symlink(target) => String::from_utf8_lossy(target).into_owned(),
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn files_of_folders_in_memory_have_two_names_and_are_one_file() {
        let tree = arranged(&["etc/rc.d/sshd", "etcetera", "var/db/x"]);
        assert_eq!(id(&tree, "etc/rc.d/sshd"), id(&tree, "conf/base/etc/rc.d/sshd"));
        assert_eq!(id(&tree, "var/db/x"), id(&tree, "conf/base/var/db/x"));
        assert_ne!(id(&tree, "etc/rc.d"), id(&tree, "conf/base/etc/rc.d"));
        assert!(tree.get(b"conf/base/etcetera").is_none());
    }

    #[test]
    fn local_settings_and_keys_can_be_saved() {
        let tree = arranged(&["usr/local/etc/rc.d/ngforge", "root/.ssh/authorized_keys"]);
        assert_eq!(target(&tree, "usr/local/etc"), "../../etc/local");
        assert_eq!(target(&tree, "root/.ssh"), "/etc/ssh/root");
        assert_eq!(
            id(&tree, "etc/local/rc.d/ngforge"),
            id(&tree, "conf/base/etc/local/rc.d/ngforge")
        );
        assert_eq!(target(&tree, "conf/base/root/.ssh"), "/etc/ssh/root");
        assert!(tree.get(b"etc/ssh/root/authorized_keys").is_some());
    }

    #[test]
    fn mount_points_are_there_and_states_are_on_the_data_partition() {
        let tree = arranged(&["var/db/ng/state.json"]);
        for path in MOUNT_POINTS {
            assert_eq!(tree.node(id(&tree, path)).body, Body::Directory, "{path}");
        }
        assert_eq!(target(&tree, "conf/base/var/db/ng"), "/data/ng");
        assert!(tree.get(b"var/db/ng/state.json").is_none());
    }

    #[test]
    fn a_file_where_a_mount_point_must_be_is_refused() {
        let mut tree = Tree::new();
        file(&mut tree, "data");
        assert!(arrange(&mut tree, 1).unwrap_err().to_string().contains("/data"));
    }
}
