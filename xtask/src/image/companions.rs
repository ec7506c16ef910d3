//! What is installed beside the programs: manual pages, completions for shells, examples.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use ngforge_image::build::{Addition, AdditionBody};

use crate::base::Base;
use crate::util;

/// Where it is installed.
const PREFIX: &str = "usr/local";

/// The graphs that come as examples.
const EXAMPLES: &str = "overlay/tools/graph/examples";

/// Everything for an appliance on that base, whose programs are in the folder `programs`. A hosted one has no program that
/// reads manual pages, and no shell that completes words.
pub fn of(base: Base, programs: &str) -> Result<Vec<Addition>> {
    let program = format!("/{}/ng", programs.trim_matches('/'));
    let mut all: Vec<Addition> = match base {
        Base::Freebsd => { ng::companions().into_iter() }
            .map(|companion| addition(companion, &program))
            .collect(),
        Base::Hosted => Vec::new(),
    };
    if base == Base::Freebsd {
        all.extend(of_updates(programs));
    }
    all.extend(examples(&util::root().join(EXAMPLES))?);
    Ok(all)
}

/// What belongs to ng-update: its page, and the name that saves.
fn of_updates(programs: &str) -> [Addition; 2] {
    let page = AdditionBody::Bytes(update::manual::PAGE.into());
    let save = AdditionBody::Symlink("ng-update".into());
    let folder = programs.trim_matches('/');
    [
        Addition::new(&format!("{PREFIX}/share/man/man8/ng-update.8"), 0o644, page),
        Addition::new(&format!("{folder}/save-cfg"), 0o755, save),
    ]
}

fn addition(companion: ng::Companion, program: &str) -> Addition {
    let path = format!("{PREFIX}/{}", companion.path);
    let addition = match companion.body {
        ng::Body::Text(text) => Addition::new(&path, 0o644, AdditionBody::Bytes(text.into_bytes())),
        ng::Body::Link => Addition::new(&path, 0o755, AdditionBody::Symlink(program.into())),
    };
    addition.from("ng")
}

/// The files of a folder, in the order of their names; none if there is no such folder.
fn examples(folder: &Path) -> Result<Vec<Addition>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut files = entries.collect::<std::io::Result<Vec<_>>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let install = |file: fs::DirEntry| {
        let path = format!("{PREFIX}/share/examples/ng/{}", file.file_name().to_string_lossy());
        Addition::new(&path, 0o644, AdditionBody::File(file.path())).from(EXAMPLES)
    };
    Ok(files.into_iter().map(install).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freebsd_has_manual_pages_and_the_other_names() {
        let all = of(Base::Freebsd, "usr/local/sbin").unwrap();
        let find = |path: &str| all.iter().find(|addition| addition.path == path.as_bytes());
        for path in [
            "usr/local/share/man/man8/ng.8",
            "usr/local/share/man/man8/ng-update.8",
            "usr/local/share/man/man5/graph.yaml.5",
            "usr/local/share/zsh/site-functions/_ng",
        ] {
            assert!(find(path).is_some_and(|page| page.bytes_in_memory() > 100), "{path}");
        }
        let link = find("usr/local/libexec/ng/ngctl").map(|addition| &addition.body);
        assert!(matches!(link, Some(AdditionBody::Symlink(target)) if target == b"/usr/local/sbin/ng"));
        assert!(of(Base::Hosted, "usr/local/sbin").unwrap().len() < all.len());
    }

    #[test]
    fn examples_are_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yaml"] {
            fs::write(folder.path().join(name), "version: 1\n").unwrap();
        }
        let paths: Vec<_> = examples(folder.path())
            .unwrap()
            .into_iter()
            .map(|one| one.path)
            .collect();
        assert_eq!(
            paths,
            [
                &b"usr/local/share/examples/ng/a.yaml"[..],
                b"usr/local/share/examples/ng/b.yaml"
            ]
        );
        assert!(examples(&folder.path().join("absent")).unwrap().is_empty());
    }
}
