//! The appliance's files: paths, what they are, who owns them and where each came from.

use std::collections::{BTreeMap, HashSet};

use crate::data::FileData;
use crate::error::{Error, Result};
use crate::ufs::inode::{Attributes, LINK_MAX, NAME_MAX};

/// Index of a [`Node`].
pub type NodeId = usize;

/// A file, directory or symbolic link, whatever its names.
#[derive(Debug, Clone)]
pub struct Node {
    /// Owner, mode, flags, time.
    pub attributes: Attributes,
    /// What it is.
    pub body: Body,
    /// Which input it came from, such as `base.txz`.
    pub origin: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A directory.
    Directory,
    /// A regular file; its contents lie in layer `layer`.
    File {
        /// Index of the layer.
        layer: usize,
        /// Where in it.
        data: FileData,
    },
    /// A symbolic link to this.
    Symlink(Vec<u8>),
}

/// Paths and nodes. Paths are relative to the root, with `/` between names; the root itself is the empty path.
///
/// # Invariants
/// Every path's parent is a path of a directory. Directories have one name.
#[derive(Debug, Default)]
pub struct Tree {
    names: BTreeMap<Vec<u8>, NodeId>,
    nodes: Vec<Node>,
    origins: Vec<String>,
    /// By path, the origins of what was there before.
    replaced: BTreeMap<Vec<u8>, Vec<usize>>,
    /// By path, where it was before.
    moved: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What was removed, with its origin.
    pruned: Vec<(Vec<u8>, usize)>,
}

/// Mode of directories that no input mentions.
const IMPLIED_MODE: u16 = 0o755;

impl Tree {
    /// A tree with only a root directory.
    pub fn new() -> Self {
        let mut tree = Self::default();
        tree.origins.push("ngforge".into());
        tree.push(
            Vec::new(),
            Node {
                attributes: Attributes {
                    mode: IMPLIED_MODE,
                    ..Attributes::default()
                },
                body: Body::Directory,
                origin: 0,
            },
        );
        tree
    }

    /// Registers the name of an input, for [`Node::origin`].
    pub fn origin(&mut self, name: &str) -> usize {
        self.origins.push(name.into());
        self.origins.len() - 1
    }

    /// The name of an input.
    pub fn origin_name(&self, origin: usize) -> &str {
        &self.origins[origin]
    }

    /// Names of the inputs whose files at this path gave way to others.
    pub fn replaced(&self, path: &[u8]) -> impl Iterator<Item = &str> {
        let origins = self.replaced.get(path).into_iter().flatten();
        origins.map(|origin| self.origin_name(*origin))
    }

    /// Where the file at this path was before it was moved, if it was.
    pub fn moved_from(&self, path: &[u8]) -> Option<&[u8]> {
        self.moved.get(path).map(Vec::as_slice)
    }

    /// Paths that were pruned, with the names of their inputs.
    pub fn pruned(&self) -> impl Iterator<Item = (&[u8], &str)> {
        let pruned = self.pruned.iter();
        pruned.map(|(path, origin)| (path.as_slice(), self.origin_name(*origin)))
    }

    fn push(&mut self, path: Vec<u8>, node: Node) -> NodeId {
        self.nodes.push(node);
        self.names.insert(path, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// Gives the root a time if no input did.
    pub fn date_root(&mut self, mtime: i64) {
        let root = &mut self.nodes[self.names[&b""[..]]];
        if root.attributes.mtime == 0 {
            root.attributes.mtime = mtime;
        }
    }

    /// Lets no node be newer than `latest`, in seconds since 1970.
    pub fn limit_times(&mut self, latest: i64) {
        for attributes in self.nodes.iter_mut().map(|node| &mut node.attributes) {
            if attributes.mtime >= latest {
                (attributes.mtime, attributes.mtime_nanos) = (latest, 0);
            }
        }
    }

    /// Puts a node at `path`; what was there before gives way, a directory only to a directory.
    ///
    /// # Errors
    /// A parent is not a directory, a directory would be replaced by something else or the other way round, or a name
    /// is too long.
    pub fn insert(&mut self, path: &[u8], node: Node) -> Result<()> {
        self.check_name(path)?;
        self.require_parents(path, &node)?;
        match self.names.get(path) {
            Some(&id) => {
                let was_directory = self.nodes[id].body == Body::Directory;
                let is_directory = node.body == Body::Directory;
                if was_directory != is_directory {
                    return Err(self.clash(path, id, &node));
                }
                if was_directory {
                    self.nodes[id] = node;
                } else {
                    let origin = self.nodes[id].origin;
                    self.replaced.entry(path.to_vec()).or_default().push(origin);
                    self.push(path.to_vec(), node);
                }
            }
            None => {
                self.push(path.to_vec(), node);
            }
        }
        Ok(())
    }

    /// Gives the node at `target` the further name `path`.
    ///
    /// # Errors
    /// There is nothing at `target`, it is a directory, or it has too many names.
    pub fn link(&mut self, path: &[u8], target: &[u8]) -> Result<()> {
        self.check_name(path)?;
        let Some(&id) = self.names.get(target) else {
            return Err(tree_error(
                path,
                format!("is a hard link to {}, which does not exist", display(target)),
                "the set that holds the target must come first, and `prune` must not remove it",
            ));
        };
        if self.nodes[id].body == Body::Directory {
            return Err(tree_error(
                path,
                format!("is a hard link to {}, a directory", display(target)),
                "no file system allows that; the archive is damaged",
            ));
        }
        let node = self.nodes[id].clone();
        self.require_parents(path, &node)?;
        if let Some(&there) = self.names.get(path)
            && self.nodes[there].body == Body::Directory
        {
            return Err(self.clash(path, there, &node));
        }
        self.names.insert(path.to_vec(), id);
        Ok(())
    }

    /// Moves what is at `from` to `to`, if there is anything.
    ///
    /// # Errors
    /// As for [`Tree::insert`].
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<bool> {
        let Some(&id) = self.names.get(from) else {
            return Ok(false);
        };
        self.link(to, from)?;
        self.names.remove(from);
        self.names.insert(to.to_vec(), id);
        self.moved.insert(to.to_vec(), from.to_vec());
        Ok(true)
    }

    /// Removes every path for which `unwanted` says so, and what lies below it.
    pub fn prune(&mut self, unwanted: impl Fn(&[u8]) -> bool) -> usize {
        let before = self.names.len();
        let mut gone: HashSet<Vec<u8>> = HashSet::new();
        let (nodes, pruned) = (&self.nodes, &mut self.pruned);
        self.names.retain(|path, id| {
            let remove = !path.is_empty() && (gone.contains(parent(path)) || unwanted(path));
            if remove {
                gone.insert(path.clone());
                pruned.push((path.clone(), nodes[*id].origin));
            }
            !remove
        });
        before - self.names.len()
    }

    /// Takes one name away, and nothing that lies below it.
    pub fn detach(&mut self, path: &[u8]) -> Option<NodeId> {
        self.names.remove(path)
    }

    /// Gives a node that was detached its name back; what took its place meanwhile stays.
    ///
    /// # Errors
    /// A parent is not a directory.
    pub fn attach(&mut self, path: &[u8], id: NodeId) -> Result<()> {
        let node = self.nodes[id].clone();
        self.require_parents(path, &node)?;
        self.names.entry(path.to_vec()).or_insert(id);
        Ok(())
    }

    /// The index of the node at a path.
    pub fn id(&self, path: &[u8]) -> Option<NodeId> {
        self.names.get(path).copied()
    }

    /// The node at a path.
    pub fn get(&self, path: &[u8]) -> Option<&Node> {
        self.names.get(path).map(|id| &self.nodes[*id])
    }

    /// All paths with their nodes, parents before children.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.names.iter().map(|(path, id)| (path.as_slice(), *id))
    }

    /// A node by its index.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// How many node indices there are; some may have no name any more.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn check_name(&self, path: &[u8]) -> Result<()> {
        let name = file_name(path);
        if name.len() > NAME_MAX {
            return Err(tree_error(
                path,
                format!("has a name of {} bytes; {NAME_MAX} is the most", name.len()),
                "shorten it, or prune it",
            ));
        }
        Ok(())
    }

    fn require_parents(&mut self, path: &[u8], child: &Node) -> Result<()> {
        let ends: Vec<usize> = (0..path.len()).filter(|at| path[*at] == b'/').collect();
        for end in ends.into_iter().rev() {
            let parent = &path[..end];
            match self.names.get(parent) {
                Some(&id) if self.nodes[id].body == Body::Directory => return Ok(()),
                Some(&id) => return Err(self.clash(parent, id, child)),
                None => {
                    let node = implied_directory(child);
                    self.push(parent.to_vec(), node);
                }
            }
        }
        Ok(())
    }

    fn clash(&self, path: &[u8], there: NodeId, new: &Node) -> Error {
        let what = |node: &Node| match node.body {
            Body::Directory => "a directory",
            Body::File { .. } => "a file",
            Body::Symlink(_) => "a symbolic link",
        };
        let old = &self.nodes[there];
        tree_error(
            path,
            format!(
                "is {} in {}, and {} needs something else there",
                what(old),
                self.origins[old.origin],
                self.origins[new.origin]
            ),
            "rename one of them, or prune the first",
        )
    }

    /// Checks what only the finished tree shows.
    ///
    /// # Errors
    /// A file has more names than UFS can count.
    pub fn check_links(&self) -> Result<()> {
        let mut links = vec![0u32; self.nodes.len()];
        for (path, id) in self.iter() {
            links[id] += 1;
            if links[id] > LINK_MAX {
                return Err(tree_error(
                    path,
                    format!("has more than {LINK_MAX} names"),
                    "make some of them copies",
                ));
            }
        }
        Ok(())
    }
}

fn implied_directory(child: &Node) -> Node {
    Node {
        attributes: Attributes {
            mode: IMPLIED_MODE,
            mtime: child.attributes.mtime,
            ..Attributes::default()
        },
        body: Body::Directory,
        origin: child.origin,
    }
}

/// The path of the directory that holds `path`; the root is its own.
pub fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &path[..end]
}

/// The last name of a path.
pub fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// A path as people read it.
pub fn display(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

fn tree_error(path: &[u8], cause: String, hint: &str) -> Error {
    Error::Tree {
        path: display(path),
        cause,
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(body: Body) -> Node {
        Node {
            attributes: Attributes::default(),
            body,
            origin: 0,
        }
    }

    fn file() -> Node {
        node(Body::File {
            layer: 0,
            data: FileData::default(),
        })
    }

    #[test]
    fn parents_are_implied_and_later_files_win() {
        let mut tree = Tree::new();
        tree.insert(b"a/b/c", file()).unwrap();
        tree.insert(b"a/b/c", node(Body::Symlink(b"x".to_vec()))).unwrap();
        assert_eq!(tree.get(b"a/b").unwrap().body, Body::Directory);
        assert_eq!(tree.get(b"a/b/c").unwrap().body, Body::Symlink(b"x".to_vec()));
    }

    #[test]
    fn replacing_one_name_leaves_the_other_link_alone() {
        let mut tree = Tree::new();
        tree.insert(b"a", file()).unwrap();
        tree.link(b"b", b"a").unwrap();
        tree.insert(b"a", node(Body::Symlink(b"x".to_vec()))).unwrap();
        assert!(matches!(tree.get(b"b").unwrap().body, Body::File { .. }));
    }

    #[test]
    fn nothing_goes_through_a_symbolic_link() {
        let mut tree = Tree::new();
        tree.insert(b"etc", node(Body::Symlink(b"/tmp".to_vec()))).unwrap();
        let error = tree.insert(b"etc/passwd", file()).unwrap_err().to_string();
        assert!(error.starts_with("/etc: is a symbolic link"), "{error}");
    }

    #[test]
    fn links_to_nowhere_and_to_directories_are_named() {
        let mut tree = Tree::new();
        assert!(tree.link(b"x", b"absent").unwrap_err().to_string().contains("/absent"));
        tree.insert(b"d", node(Body::Directory)).unwrap();
        assert!(tree.link(b"x", b"d").unwrap_err().to_string().contains("a directory"));
    }

    #[test]
    fn pruning_takes_what_lies_below() {
        let mut tree = Tree::new();
        for path in [&b"a/b/c"[..], b"a/b-c", b"a/b/d/e", b"a/b-x"] {
            tree.insert(path, file()).unwrap();
        }
        assert_eq!(tree.prune(|path| path == b"a/b" || path == b"a/b-x"), 5);
        let left: Vec<_> = tree.iter().map(|(path, _)| display(path)).collect();
        assert_eq!(left, ["/", "/a", "/a/b-c"]);
    }

    #[test]
    fn renaming_keeps_the_node() {
        let mut tree = Tree::new();
        tree.insert(b"m.ko", file()).unwrap();
        assert!(tree.rename(b"m.ko", b"m.ko.stock").unwrap());
        assert!(!tree.rename(b"m.ko", b"m.ko.stock").unwrap());
        assert!(tree.get(b"m.ko").is_none() && tree.get(b"m.ko.stock").is_some());
    }
}
