//! `cargo xtask sign`: signs an update file, where the key is.

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use ngforge_image::output::Pending;
use update::file::{Error, fingerprint, reseal};

use crate::image::signing;

/// Sign an update file
///
/// For a key that is kept on another machine than the one that builds: `cargo xtask image` writes <name>.ngu unsigned when
/// the appliance file names a public key and no private one is given. The file is signed in place, in one step; its checksum
/// in <name>.json is that of the unsigned file from then on.
#[derive(Args)]
pub struct Sign {
    /// The update file (.ngu)
    file: PathBuf,

    /// The private key, as ssh-keygen -t ed25519 makes it without a passphrase
    #[arg(long, value_name = "FILE", env = "NGFORGE_UPDATE_KEY")]
    key: PathBuf,
}

impl Sign {
    pub fn run(self) -> Result<()> {
        let shown = self.file.display();
        let key = signing::private(&self.key)?;
        ensure!(
            self.file.is_file(),
            "{shown}: is no file\nhint: `cargo xtask image` writes <name>.ngu beside the image"
        );
        let pending = Pending::at(&self.file);
        fs::copy(&self.file, pending.temporary()).with_context(|| format!("{shown}: could not be copied"))?;
        let copy = File::options().read(true).write(true).open(pending.temporary())?;
        let about = reseal(copy, &key).map_err(|error| match error {
            Error::Magic => anyhow::anyhow!("{shown}: {error}\nhint: name the .ngu file beside the image"),
            error => anyhow::anyhow!("{shown}: {error}"),
        })?;
        pending.commit()?;
        let by = fingerprint(&key.verifying_key().to_bytes());
        println!(
            "{shown}: {} {} (build {}), signed with the key {by}",
            about.appliance, about.release, about.build
        );
        Ok(())
    }
}
