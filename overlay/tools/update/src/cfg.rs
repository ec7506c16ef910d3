//! The configuration that the owner keeps: what is changed in `/etc`, which is in memory, and what of it is saved.
//!
//! ```text
//! /conf/base/etc        as it came with the image
//! /cfg/saved/<n>/etc    what differed from it when it was saved; the last five
//! /cfg/current          a link to one of them: what is copied over /etc at boot
//! ```

mod changes;
mod restore;
mod save;
mod show;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod validate;

pub use snapshot::{Entry, Kind};

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::failure::Result;
use crate::place::Place;
use snapshot::Snapshot;
use store::Store;

/// What is changed in /etc, and what of it is saved
///
/// /etc (and /usr/local/etc, which is /etc/local) is in memory: what is changed there lasts until the next boot, unless it
/// is saved.
#[derive(Debug, Args)]
pub struct Cfg {
    #[command(flatten)]
    folders: Folders,

    #[command(subcommand)]
    action: Action,
}

/// Where it is.
#[derive(Debug, Clone, Args)]
struct Folders {
    /// The configuration as it is now
    #[arg(long, value_name = "DIR", global = true, default_value = "/etc")]
    etc: PathBuf,

    /// The configuration as it came with the image
    #[arg(long, value_name = "DIR", global = true, default_value = "/conf/base/etc")]
    image_etc: PathBuf,

    /// Where it is saved
    #[arg(long, value_name = "DIR", global = true, default_value = "/cfg")]
    cfg: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Save what is changed, after it was checked
    Save(save::Save),
    /// Show what is changed and not saved; exit status 1 if there is something
    Diff(show::Diff),
    /// Show what was saved when
    List,
    /// Go back to what was saved before; it counts from the next boot
    Back(restore::Back),
    /// Make files in /etc what they will be after the next boot
    Restore(restore::Restore),
}

/// All that a command works on.
struct Work<'a> {
    place: &'a Place,
    etc: PathBuf,
    image: PathBuf,
    store: Store,
}

impl Cfg {
    pub fn run(self, place: &Place) -> Result<()> {
        let Folders { etc, image_etc, cfg } = self.folders;
        let path = |path: PathBuf| place.path(&path.to_string_lossy());
        let work = Work {
            place,
            etc: path(etc),
            image: path(image_etc),
            store: match place.is_live() {
                true => Store::live(path(cfg), place.running().ok())?,
                false => Store::open(path(cfg))?,
            },
        };
        match self.action {
            Action::Save(save) => save.run(&work),
            Action::Diff(diff) => diff.run(&work),
            Action::List => show::list(&work),
            Action::Back(back) => back.run(&work),
            Action::Restore(restore) => restore.run(&work),
        }
    }
}

impl Work<'_> {
    fn live(&self) -> Result<Snapshot> {
        Snapshot::of(&self.etc)
    }

    fn image(&self) -> Result<Snapshot> {
        Snapshot::of(&self.image)
    }

    /// What `/etc` will be after the next boot.
    fn effective(&self) -> Result<Snapshot> {
        let image = self.image()?;
        Ok(match self.store.current()? {
            None => image,
            Some(number) => image.covered_by(Snapshot::of(&self.store.etc(number))?),
        })
    }
}
