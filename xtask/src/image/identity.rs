//! The key pairs that the build makes when nobody names a key.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

/// A pair that a build can make.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// File name of the private key; the public one has `.pub` appended.
    name: &'static str,
    comment: &'static str,
}

/// Opens root's account.
pub const LOGIN: Pair = Pair {
    name: "id_ed25519",
    comment: "ngforge",
};
/// Signs updates.
pub const UPDATES: Pair = Pair {
    name: "update_ed25519",
    comment: "ngforge-update",
};

/// The key pair in `folder`, made if it is not there: the private key's file, and the public key as a line of text.
///
/// # Errors
/// The files cannot be read or written.
pub fn ensure(folder: &Path, pair: Pair) -> Result<(PathBuf, String)> {
    let path = folder.join(pair.name);
    if !path.is_file() {
        make(folder, &path, pair)?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{}: could not be read", path.display()))?;
    let key = PrivateKey::from_openssh(&text).with_context(|| {
        format!(
            "{}: is not an OpenSSH key\nhint: remove it to have a new one made",
            path.display()
        )
    })?;
    Ok((path, key.public_key().to_openssh()?))
}

fn make(folder: &Path, path: &Path, pair: Pair) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{}: could not be made", folder.display()))?;
    let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).context("could not make a key")?;
    key.set_comment(pair.comment);
    let public = key.public_key().to_openssh()? + "\n";
    fs::write(path.with_extension("pub"), public).context("could not write the public key")?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.to_openssh(LineEnding::LF)?.as_bytes())
        .with_context(|| format!("{}: could not be written", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_pair_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let (path, public) = ensure(folder.path(), LOGIN).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(public.starts_with("ssh-ed25519 ") && public.ends_with(LOGIN.comment));
        assert_eq!(ensure(folder.path(), LOGIN).unwrap().1, public);
        assert_ne!(ensure(folder.path(), UPDATES).unwrap().1, public);
    }
}
