//! `ng-update cfg save`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::Work;
use super::changes::{Change, Changed, changes};
use super::snapshot::{Kind, Snapshot};
use super::store::Writing;
use super::validate::validate;
use crate::failure::{Failure, Result, say};
use crate::files;
use crate::terminal::print;

/// Save what is changed, after it was checked
///
/// Everything in /etc that differs from what came with the image is saved. It is checked first: a setting that would keep
/// the next boot from ending well is refused, and what was saved before stays.
#[derive(Debug, Args)]
pub struct Save {
    /// Save what did not stand the checks as well
    #[arg(long)]
    force: bool,
}

impl Save {
    pub(super) fn run(&self, work: &Work<'_>) -> Result<()> {
        let (image, live) = (work.image()?, work.live()?);
        if image.0.is_empty() {
            let image = work.image.display();
            return Err(Failure::NoSlots(format!("{image}: there is nothing to compare with")));
        }
        if changes(&work.effective()?, &live)
            .iter()
            .all(|one| one.change == Change::Removed)
        {
            return tell(work, None, &[]);
        }
        let (removed, kept): (Vec<_>, Vec<_>) = changes(&image, &live)
            .into_iter()
            .partition(|one| one.change == Change::Removed);
        for gone in &removed {
            let gone = gone.path.display();
            say(&format!(
                "ng-update: warning: etc/{gone} was removed and comes back with the next boot; make it empty instead"
            ));
        }
        let writing = work.store.write()?;
        let number = match self.write(&writing, &kept, &live) {
            Ok(number) => number,
            Err(failure) => {
                writing.discard()?;
                return Err(failure);
            }
        };
        writing.prune()?;
        tell(work, Some(number), &kept)
    }

    fn write(&self, writing: &Writing<'_>, kept: &[Changed], live: &Snapshot) -> Result<u64> {
        let etc = writing.fresh()?;
        for changed in kept {
            copy(&changed.path, &etc, live)?;
        }
        let faults: Vec<String> = { kept.iter() }
            .filter(|changed| etc.join(&changed.path).is_file())
            .filter_map(|changed| {
                let why = validate(&changed.path, &etc.join(&changed.path)).err()?;
                Some(format!("/etc/{}: {why}", changed.path.display()))
            })
            .collect();
        if !faults.is_empty() && !self.force {
            let faults = faults.join("\n");
            return Err(Failure::Invalid(format!(
                "nothing was saved:\n{faults}\n  hint: mend it, or save it all the same with --force"
            )));
        }
        let mut folders = Snapshot::of(&etc)?.0;
        folders.retain(|_, entry| entry.kind == Kind::Folder);
        for entry in folders.values().rev() {
            files::sync_folder(&entry.path)?;
        }
        files::sync_folder(&etc)?;
        writing.commit()
    }
}

/// Copies a name, and before it the folders it is in.
fn copy(path: &Path, etc: &Path, live: &Snapshot) -> Result<()> {
    let mut folders: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .filter(|folder| *folder != Path::new(""))
        .collect();
    folders.reverse();
    for name in folders.into_iter().chain([path]) {
        let Some(entry) = live.0.get(name) else { continue };
        if entry.kind != Kind::Folder || !etc.join(name).is_dir() {
            files::copy(entry, &etc.join(name))?;
        }
    }
    Ok(())
}

fn tell(work: &Work<'_>, number: Option<u64>, kept: &[Changed]) -> Result<()> {
    if work.place.json {
        return print(&format!("{}\n", json!({"saved": number, "files": kept})));
    }
    match number {
        None => print("nothing to save: /etc is what the next boot makes of it\n"),
        Some(number) => print(&format!(
            "saved as {number}: {} names that differ from the image's\n",
            kept.len()
        )),
    }
}
