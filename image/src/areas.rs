//! What an appliance's space goes to: its files by area, such as kernel, modules and libraries.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::build::Addition;
use crate::tree::{self, Body, Tree};

/// How many files of an area are named, the largest first.
const NAMED: usize = 12;

/// The files of an area.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// What it is called.
    pub name: String,
    /// How many files it has; one with several names counts once.
    pub files: u64,
    /// Their contents in bytes.
    pub bytes: u64,
    /// The largest of them.
    pub largest: Vec<Large>,
}

/// A file that is large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Large {
    /// Where it is.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The areas of a finished tree, the largest first. `ours` tells paths that the project itself brings.
pub fn of_tree(tree: &Tree, ours: &dyn Fn(&[u8]) -> bool) -> Vec<Area> {
    let mut met = HashSet::new();
    let files = tree.iter().filter_map(|(path, id)| match &tree.node(id).body {
        Body::File { data, .. } if met.insert(id) => Some((path, data.size)),
        _ => None,
    });
    of_files(files, ours)
}

/// The areas of a hosted base: the kernel, and the files of its initramfs.
pub fn of_hosted(kernel: u64, files: &[Addition], ours: &dyn Fn(&[u8]) -> bool) -> Vec<Area> {
    let size = |file: &Addition| file.bytes();
    let latest: BTreeMap<&[u8], u64> = files.iter().map(|file| (file.path.as_slice(), size(file))).collect();
    of_files(latest.into_iter().chain([(&b"boot/kernel/kernel"[..], kernel)]), ours)
}

fn of_files<'a>(files: impl Iterator<Item = (&'a [u8], u64)>, ours: &dyn Fn(&[u8]) -> bool) -> Vec<Area> {
    let mut areas: BTreeMap<&'static str, Area> = BTreeMap::new();
    for (path, bytes) in files {
        let name = if ours(path) { "our parts" } else { name(path) };
        let area = areas.entry(name).or_default();
        area.files += 1;
        area.bytes += bytes;
        area.largest.push(Large {
            path: tree::display(path),
            bytes,
        });
    }
    let mut all: Vec<Area> = { areas.into_iter() }
        .map(|(name, area)| Area {
            name: name.into(),
            ..area
        })
        .collect();
    for area in &mut all {
        area.largest
            .sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.path.cmp(&other.path)));
        area.largest.truncate(NAMED);
    }
    all.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.name.cmp(&other.name)));
    all
}

/// The areas of the base system by how paths begin; the first that fits counts.
const AREAS: [(&str, &[&str]); 8] = [
    ("firmware", &["boot/firmware/"]),
    ("kernel", &["boot/kernel/", "boot/modules/", "lib/modules/"]),
    ("boot loader", &["boot/"]),
    ("rescue", &["rescue/"]),
    ("manuals", &["usr/share/man/", "usr/share/doc/", "usr/local/share/man/"]),
    (
        "libraries",
        &["lib/", "lib64/", "libexec/ld-elf", "usr/lib/", "usr/lib32/"],
    ),
    (
        "programs",
        &[
            "bin/",
            "sbin/",
            "libexec/",
            "usr/bin/",
            "usr/sbin/",
            "usr/libexec/",
            "usr/local/",
        ],
    ),
    ("configuration", &["etc/", "root/", "var/"]),
];

/// The area of a path of the base system.
fn name(path: &[u8]) -> &'static str {
    let fits = |starts: &[&str]| starts.iter().any(|start| path.starts_with(start.as_bytes()));
    match AREAS.iter().find(|(_, starts)| fits(starts)) {
        Some(("kernel", _)) if path.ends_with(b".ko") => "modules",
        Some((area, _)) => area,
        None => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::AdditionBody;

    #[test]
    fn files_are_told_apart_and_sums_hold() {
        let file = |path: &str, size: usize| Addition::new(path, 0o644, AdditionBody::Bytes(vec![0; size]));
        let files = [
            file("lib/libc.so.7", 10),
            file("bin/sh", 5),
            file("usr/local/sbin/ng", 7),
            file("lib/modules/x.ko", 3),
            file("bin/sh", 6),
        ];
        let areas = of_hosted(20, &files, &|path| path.ends_with(b"/ng"));
        let told: Vec<_> = areas
            .iter()
            .map(|area| (area.name.as_str(), area.files, area.bytes))
            .collect();
        assert_eq!(
            told,
            [
                ("kernel", 1, 20),
                ("libraries", 1, 10),
                ("our parts", 1, 7),
                ("programs", 1, 6),
                ("modules", 1, 3)
            ]
        );
        assert_eq!(areas[1].largest[0].path, "/lib/libc.so.7");
    }

    #[test]
    fn every_area_of_freebsd_has_its_paths() {
        for (path, area) in [
            ("boot/kernel/kernel", "kernel"),
            ("boot/kernel/if_em.ko", "modules"),
            ("boot/loader.efi", "boot loader"),
            ("boot/firmware/x", "firmware"),
            ("rescue/sh", "rescue"),
            ("libexec/ld-elf.so.1", "libraries"),
            ("usr/sbin/sshd", "programs"),
            ("usr/share/man/man1/sh.1.gz", "manuals"),
            ("etc/rc", "configuration"),
            ("usr/share/misc/x", "other"),
        ] {
            assert_eq!(name(path.as_bytes()), area, "{path}");
        }
    }
}
