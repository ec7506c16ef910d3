//! `ng-update cfg back` and `ng-update cfg restore`.

use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::Work;
use super::snapshot::Snapshot;
use crate::failure::{Failure, Result};
use crate::files;
use crate::terminal::print;

/// Go back to what was saved before; it counts from the next boot
#[derive(Debug, Args)]
pub struct Back {
    /// Which one, as `list` shows [default: the one before the current one]
    number: Option<u64>,
}

/// Make files in /etc what they will be after the next boot
#[derive(Debug, Args)]
pub struct Restore {
    /// Names in /etc, such as /etc/rc.conf; a folder means all that is in it
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// What came with the image, not what was saved
    #[arg(long)]
    image: bool,
}

impl Back {
    pub(super) fn run(&self, work: &Work<'_>) -> Result<()> {
        let current = work.store.current()?;
        let all = work.store.list()?;
        let before = || {
            all.iter()
                .rev()
                .map(|one| one.number)
                .find(|number| Some(*number) < current)
        };
        let number = self.number.or_else(before);
        let hint = "\n  hint: `ng-update cfg list` shows what was saved";
        let Some(number) = number else {
            return Err(Failure::Refused(format!("nothing was saved before{hint}")));
        };
        if !all.iter().any(|one| one.number == number) {
            return Err(Failure::Refused(format!("nothing is saved as {number}{hint}")));
        }
        work.store.write()?.switch(number)?;
        print(&format!("{number} counts from the next boot\n"))
    }
}

impl Restore {
    pub(super) fn run(&self, work: &Work<'_>) -> Result<()> {
        let source = if self.image { work.image()? } else { work.effective()? };
        for path in &self.paths {
            restore(work, &source, path)?;
        }
        Ok(())
    }
}

fn restore(work: &Work<'_>, source: &Snapshot, path: &Path) -> Result<()> {
    let name = name(path)?;
    let wanted: Vec<_> = source.0.iter().filter(|(other, _)| other.starts_with(&name)).collect();
    if wanted.is_empty() {
        let path = path.display();
        return Err(Failure::Refused(format!(
            "{path}: is neither in the image nor saved\n  hint: to take away what was added, remove it"
        )));
    }
    for (name, entry) in wanted {
        files::replace(entry, &work.etc.join(name))?;
    }
    print(&format!("restored /etc/{}\n", name.display()))
}

/// A name relative to `/etc`; `/usr/local/etc` is a part of that.
fn name(path: &Path) -> Result<PathBuf> {
    let local = path
        .strip_prefix("/usr/local/etc")
        .map(|rest| Path::new("local").join(rest));
    let name = local.or_else(|_| path.strip_prefix("/etc").map(Path::to_path_buf));
    let name = name.unwrap_or_else(|_| path.to_path_buf());
    let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    match plain && !name.as_os_str().is_empty() {
        true => Ok(name),
        false => Err(Failure::Usage(format!("{}: is no name in /etc", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_in_etc() {
        let rows = [
            ("/etc/rc.conf", Some("rc.conf")),
            ("rc.conf", Some("rc.conf")),
            ("/usr/local/etc/ngforge/graph.yaml", Some("local/ngforge/graph.yaml")),
            ("/var/db", None),
            ("/etc/../root", None),
            ("/etc", None),
        ];
        for (path, expected) in rows {
            assert_eq!(name(Path::new(path)).ok(), expected.map(PathBuf::from), "{path}");
        }
    }
}
