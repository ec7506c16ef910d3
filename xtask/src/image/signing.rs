//! Who signs updates: keys in the files of ssh-keygen(1).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use ngforge_image::update::{Signing, SigningKey};
use ssh_key::PrivateKey;
use update::file::{fingerprint, keys};

use super::identity;

/// The keys that the appliance trusts, and the one that signs.
///
/// `named` is the public key that the appliance file names, `given` the private key of the command line. If there is
/// neither, a pair is made in `out`.
///
/// # Errors
/// A file cannot be read, is no key, or the two do not belong together.
pub fn signing(named: Option<&Path>, given: Option<&Path>, out: &Path) -> Result<Signing> {
    let trusted = named.map(public).transpose()?;
    let key = given.map(private).transpose()?;
    match (trusted, key) {
        (Some(trusted), key) => {
            if let (Some(key), Some(given)) = (&key, given) {
                check(&trusted, key, given)?;
            }
            Ok(Signing { trusted, key })
        }
        (None, Some(key)) => {
            let data = ssh_key::public::Ed25519PublicKey(key.verifying_key().to_bytes());
            let trusted = ssh_key::PublicKey::new(data.into(), "").to_openssh()? + "\n";
            Ok(Signing {
                trusted,
                key: Some(key),
            })
        }
        (None, None) => {
            let (path, line) = identity::ensure(out, identity::UPDATES)?;
            Ok(Signing {
                trusted: line + "\n",
                key: Some(private(&path)?),
            })
        }
    }
}

/// A private key that opens without a passphrase.
///
/// # Errors
/// The file cannot be read, or is something else.
pub fn private(path: &Path) -> Result<SigningKey> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| {
        format!("{shown}: could not be read\nhint: name a private key; ssh-keygen -t ed25519 -N '' -f FILE makes one")
    })?;
    let key = PrivateKey::from_openssh(&text).with_context(|| {
        format!("{shown}: is no private key\nhint: ssh-keygen -t ed25519 -N '' -f FILE makes one, and the public one is FILE.pub")
    })?;
    ensure!(
        !key.is_encrypted(),
        "{shown}: needs a passphrase\nhint: ssh-keygen -p -N '' -f FILE takes it away, on a copy; or sign with another key"
    );
    match key.key_data().ed25519() {
        Some(pair) => Ok(SigningKey::from_bytes(&pair.private.to_bytes())),
        None => bail!(
            "{shown}: is a key of {}, and updates are signed with ed25519\nhint: ssh-keygen -t ed25519 -N '' -f FILE makes one",
            key.algorithm()
        ),
    }
}

fn public(path: &Path) -> Result<String> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .with_context(|| format!("{shown}: could not be read\nhint: correct `update: key` in the appliance file"))?;
    ensure!(
        !text.contains("PRIVATE KEY"),
        "{shown}: is a private key; it does not belong into an image\nhint: name the .pub file beside it"
    );
    match keys(&text) {
        Ok(found) if !found.is_empty() => Ok(text),
        Ok(_) => bail!("{shown}: there is no key in it\nhint: correct `update: key` in the appliance file"),
        Err(why) => bail!("{shown}: {why}\nhint: name the .pub file that ssh-keygen -t ed25519 makes"),
    }
}

/// An appliance would refuse what another key has signed.
fn check(trusted: &str, key: &SigningKey, given: &Path) -> Result<()> {
    let own = key.verifying_key().to_bytes();
    let known = keys(trusted).unwrap_or_default();
    ensure!(
        known.contains(&own),
        "{}: its public key is {}, and the appliance trusts {}: it would refuse the update\nhint: sign with the key that \
         `update: key` in the appliance file names, or name this one's .pub file there",
        given.display(),
        fingerprint(&own),
        known.iter().map(fingerprint).collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(result: Result<Signing>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn a_pair_is_made_when_nobody_names_one_and_both_halves_belong_together() {
        let out = tempfile::tempdir().unwrap();
        let first = signing(None, None, out.path()).unwrap();
        let own = first.key.unwrap().verifying_key().to_bytes();
        assert_eq!(keys(&first.trusted), Ok(vec![own]));
        let private = out.path().join("update_ed25519");
        let public = out.path().join("update_ed25519.pub");
        let given = signing(None, Some(&private), out.path()).unwrap();
        assert_eq!(keys(&given.trusted), Ok(vec![own]));
        let both = signing(Some(&public), Some(&private), out.path()).unwrap();
        assert_eq!(both.key.unwrap().verifying_key().to_bytes(), own);
        assert!(signing(Some(&public), None, out.path()).unwrap().key.is_none());
    }

    #[test]
    fn keys_that_do_not_fit_are_refused() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for out in [&one, &two] {
            signing(None, None, out.path()).unwrap();
        }
        let private = one.path().join("update_ed25519");
        let other = two.path().join("update_ed25519.pub");
        let rows = [
            (Some(&other), Some(&private), "it would refuse the update"),
            (Some(&private), None, "does not belong into an image"),
            (None, Some(&other), "is no private key"),
        ];
        for (named, given, text) in rows {
            let result = signing(named.map(AsRef::as_ref), given.map(AsRef::as_ref), one.path());
            let said = said(result);
            assert!(said.contains(text), "{said}");
        }
        let empty = one.path().join("empty.pub");
        fs::write(&empty, "# nothing\n").unwrap();
        assert!(said(signing(Some(&empty), None, one.path())).contains("there is no key in it"));
    }
}
