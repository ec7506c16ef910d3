//! `cargo xtask why`: where a file of an image came from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use ngforge_image::manifest::{self, Manifest};
use ngforge_image::provenance::{Account, Answer};

use crate::base::Base;
use crate::vm::disk;

/// Say where a file of the newest image came from
///
/// For each path: what it is, its checksum, the input it came from and that one's checksum, and what it took the place of.
/// Of what is not in the image: which pattern pruned it. The exit status is 1 if a path is not in the image.
#[derive(Args)]
pub struct Why {
    /// Paths in the appliance
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,

    /// Of the newest image of this base [default: of any]
    #[arg(long, value_enum)]
    base: Option<Base>,

    /// The manifest of the image [default: the newest in target/image/]
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    manifest: Option<PathBuf>,
}

impl Why {
    /// Prints an answer for each path.
    ///
    /// # Errors
    /// There is no image, or a path is not in it.
    pub fn run(self) -> Result<()> {
        let manifest = self.manifest.map_or_else(|| disk::newest_manifest(self.base), Ok)?;
        let account = Account::load(&list_beside(&manifest)?)?;
        let answers: Vec<Answer<'_>> = self.paths.iter().map(|path| account.why(path)).collect();
        for (path, answer) in self.paths.iter().zip(&answers) {
            match answer {
                Answer::Unknown(_) => println!("{path}: {answer}"),
                _ => println!("{answer}"),
            }
        }
        let absent = answers
            .iter()
            .filter(|one| !matches!(one, Answer::There { .. }))
            .count();
        match absent {
            0 => Ok(()),
            _ => bail!("{absent} of {} are not in {}", answers.len(), account.image),
        }
    }
}

/// The list of files that belongs to a manifest.
fn list_beside(path: &Path) -> Result<PathBuf> {
    let text = std::fs::read(path).with_context(|| format!("{}: could not be read", path.display()))?;
    let found: Manifest =
        serde_json::from_slice(&text).with_context(|| format!("{}: is no manifest", path.display()))?;
    let list = { found.accounts.iter() }
        .find(|file| file.path.to_string_lossy().ends_with(manifest::FILES))
        .with_context(|| {
            let path = path.display();
            format!("{path}: names no list of files\nhint: build the image again with `cargo xtask image`")
        })?;
    Ok(path.with_file_name(&list.path))
}
