//! Answers: where a path came from, why it is not there, or which one was probably meant.

use std::fmt;

use super::{Account, Kind, Pruned, Record};
use crate::suggest;

/// Links that are followed to find what a path stands for.
const LINKS: usize = 8;

/// What is known of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It is in the appliance.
    There {
        /// The list that it is in.
        account: &'a Account,
        /// Its record.
        record: &'a Record,
    },
    /// It was left out.
    Pruned(&'a Pruned),
    /// No input has it; perhaps this one was meant.
    Unknown(Option<&'a str>),
}

impl Account {
    /// What is known of `path`, with or without a leading `/`. Directories on the way may be symbolic links.
    pub fn why(&self, path: &str) -> Answer<'_> {
        let path = normal(path);
        if let Some(record) = self.follow(&path) {
            return Answer::There { account: self, record };
        }
        let pruned = self.pruned.binary_search_by(|one| one.path.as_str().cmp(&path));
        match pruned {
            Ok(at) => Answer::Pruned(&self.pruned[at]),
            Err(_) => Answer::Unknown(self.nearest(&path)),
        }
    }

    fn find(&self, path: &str) -> Option<&Record> {
        let found = self.files.binary_search_by(|one| one.path.as_str().cmp(path));
        found.ok().map(|at| &self.files[at])
    }

    /// The record at a path, through links in the place of directories.
    fn follow(&self, path: &str) -> Option<&Record> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            if let Some(record) = self.find(&path) {
                return Some(record);
            }
            path = self.through_link(&path)?;
        }
        None
    }

    /// The path with the first link in it replaced by its target.
    fn through_link(&self, path: &str) -> Option<String> {
        let ends = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        let mut links = ends.filter_map(|end| Some((end, self.find(&path[..end])?.target.as_ref()?)));
        let (end, target) = links.next()?;
        let rest = &path[end..];
        let parent = path[..end].rsplit_once('/').map_or("", |(parent, _)| parent);
        Some(match target.starts_with('/') {
            true => normal(&format!("{target}{rest}")),
            false => normal(&format!("{parent}/{target}{rest}")),
        })
    }

    fn nearest(&self, path: &str) -> Option<&str> {
        let known = { self.files.iter().map(|record| &record.path) }.chain(self.pruned.iter().map(|one| &one.path));
        let name = path.rsplit('/').next().unwrap_or_default();
        let named = known.clone().find(|known| known.rsplit('/').next() == Some(name));
        let close = known.filter(|known| known.len().abs_diff(path.len()) <= 1 + path.len() / 3);
        named
            .map(String::as_str)
            .or_else(|| suggest::nearest(path, close.map(String::as_str)))
    }

    /// Where the file is that `path` was before something else took its place.
    fn moved_to(&self, path: &str) -> Option<&str> {
        let moved = self.files.iter().find(|one| one.moved_from.as_deref() == Some(path));
        moved.map(|one| one.path.as_str())
    }
}

/// A path with one `/` before each name, and no `.` or `..`.
fn normal(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There { account, record } => there(f, account, record),
            Self::Pruned(pruned) => {
                let Pruned { path, origin, pattern } = pruned;
                match pattern {
                    Some(pattern) => write!(
                        f,
                        "{path} is not in the image: {origin} has it, and `{pattern}` prunes it"
                    ),
                    None => write!(
                        f,
                        "{path} is not in the image: {origin} has it, and the build leaves it out"
                    ),
                }
            }
            Self::Unknown(Some(near)) => write!(f, "no input has such a path; did you mean {near}?"),
            Self::Unknown(None) => f.write_str("no input has such a path"),
        }
    }
}

fn there(f: &mut fmt::Formatter<'_>, account: &Account, record: &Record) -> fmt::Result {
    let Record {
        path, mode, uid, gid, ..
    } = record;
    let kind = match record.kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Link => "link",
    };
    write!(f, "{path}\n  {kind}, mode {mode}, owner {uid}:{gid}")?;
    if let Some(size) = record.size {
        write!(f, ", {size} bytes")?;
    }
    if let Some(sum) = &record.sha256 {
        write!(f, "\n  sha256 {sum}")?;
    }
    if let Some(target) = &record.target {
        write!(f, "\n  leads to {target}")?;
    }
    if let Some(first) = &record.same_as {
        write!(f, "\n  the same file as {first}")?;
    }
    origin(f, account, record)
}

fn origin(f: &mut fmt::Formatter<'_>, account: &Account, record: &Record) -> fmt::Result {
    write!(f, "\n  from {}", record.origin)?;
    if let Some(sum) = account.inputs.get(&record.origin) {
        write!(f, " (sha256 {sum})")?;
    }
    if let Some(moved) = &record.moved_from {
        write!(f, "\n  moved aside from {moved}")?;
    }
    for replaced in &record.replaced {
        write!(f, "\n  in the place of what {replaced} has there")?;
    }
    if let Some(moved) = account.moved_to(&record.path) {
        write!(f, "\n  what was there before is {moved}")?;
    }
    Ok(())
}
