//! Whether a catalogue is signed by whom the appliance file trusts (pkg-repo(8), pkg.conf(5)).
//!
//! What is signed is the SHA-256 of the catalogue, written in hexadecimal: RSA, PKCS #1 v1.5, with SHA-256 over those
//! 64 letters. With `key`, the archive holds one `signature`. With `fingerprints`, it holds any number of pairs `x.sig`
//! and `x.pub`, and a public key counts if the SHA-256 of its file is among the trusted fingerprints.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::Sha256;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha2::Digest as _;

use super::settings;
use crate::error::{Error, Result};
use crate::hash;

/// What may stand before a signature to say of what kind it is: `$PKGSIGN:<kind>$`.
const KIND: &[u8] = b"$PKGSIGN:";

/// A signature and the key beside it, of one signer.
#[derive(Debug, Default, Clone)]
pub struct Signer {
    /// Contents of `x.sig`, or of `signature`.
    pub signature: Vec<u8>,
    /// Contents of `x.pub`.
    pub key: Vec<u8>,
}

/// Fingerprints of public keys.
#[derive(Debug, Default)]
pub struct Fingerprints {
    trusted: BTreeSet<String>,
    revoked: BTreeSet<String>,
}

impl Fingerprints {
    /// Reads the folders `trusted` and, if there is one, `revoked`, of `folder`.
    ///
    /// # Errors
    /// No key is trusted, or a file is none of fingerprints.
    pub fn load(folder: &Path) -> Result<Self> {
        let trusted = fingerprints(&folder.join("trusted"))?;
        if trusted.is_empty() {
            return Err(Error::Input {
                file: folder.join("trusted"),
                cause: "holds no fingerprint, so nobody is trusted".into(),
                hint: "name a folder such as FreeBSD's /usr/share/keys/pkg with `fingerprints`".into(),
            });
        }
        let revoked = folder.join("revoked");
        let revoked = if revoked.is_dir() {
            fingerprints(&revoked)?
        } else {
            BTreeSet::new()
        };
        Ok(Self { trusted, revoked })
    }

    /// Checks that one of `signers` is trusted and signed what has the SHA-256 `sum` (in hexadecimal).
    ///
    /// # Errors
    /// Why not, in words that follow the catalogue's name.
    pub fn check(&self, signers: &BTreeMap<String, Signer>, sum: &str) -> std::result::Result<(), String> {
        let mut whys = Vec::new();
        for (name, signer) in signers {
            let fingerprint = hash::of_bytes(&signer.key);
            if self.revoked.contains(&fingerprint) {
                return Err(format!("is signed by `{name}`, whose key is revoked ({fingerprint})"));
            }
            if !self.trusted.contains(&fingerprint) {
                whys.push(format!("the key of `{name}` is not trusted ({fingerprint})"));
                continue;
            }
            match verify(&signer.key, &signer.signature, sum) {
                Ok(()) => return Ok(()),
                Err(why) => whys.push(format!("`{name}` {why}")),
            }
        }
        match whys.is_empty() {
            true => Err("is not signed".into()),
            false => Err(format!("is not signed by anyone trusted: {}", whys.join("; "))),
        }
    }
}

/// The fingerprints in the files of a folder.
fn fingerprints(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| Error::Input {
        file: folder.to_path_buf(),
        cause: format!("could not be read: {error}"),
        hint: "`fingerprints` names a folder that has a folder `trusted`".into(),
    })?;
    let files = entries
        .iter()
        .map(std::fs::DirEntry::path)
        .filter(|path| path.is_file());
    files
        .map(|path| {
            let text = fs::read_to_string(&path).map_err(Error::io("read the fingerprint", &path))?;
            fingerprint(&text).ok_or_else(|| Error::Input {
                file: path,
                cause: "is not a fingerprint: `function: \"sha256\"` and `fingerprint: \"<64 digits>\"`".into(),
                hint: "take it from /usr/share/keys/pkg of a FreeBSD, or from whoever signs the repository".into(),
            })
        })
        .collect()
}

/// The fingerprint in a text of `key: "value"` or `key = value;` lines.
pub fn fingerprint(text: &str) -> Option<String> {
    let table = settings::parse(text);
    let sum = table.get("fingerprint")?.to_ascii_lowercase();
    let whole = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    (table
        .get("function")
        .is_some_and(|function| function.eq_ignore_ascii_case("sha256"))
        && whole)
        .then_some(sum)
}

/// Checks that the owner of `key` (PEM) signed what has the SHA-256 `sum` (in hexadecimal).
///
/// # Errors
/// Why not, in words that follow the signer's name.
pub fn verify(key: &[u8], signature: &[u8], sum: &str) -> std::result::Result<(), String> {
    let signature = rsa_signature(signature)?;
    let pem = std::str::from_utf8(key).map_err(|_| "has a key that is not PEM".to_string())?;
    let key = RsaPublicKey::from_public_key_pem(pem.trim_end_matches('\0').trim())
        .map_err(|error| format!("has no RSA key in PEM: {error}"))?;
    let digest = Sha256::digest(sum.as_bytes());
    let verify = |signature: &[u8]| key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature);
    // Some versions of pkg(8) wrote a zero byte behind the signature.
    let verified = verify(signature).or_else(|error| match signature.split_last() {
        Some((0, rest)) => verify(rest),
        _ => Err(error),
    });
    verified.map_err(|_| "has a signature that does not fit the catalogue".into())
}

/// The signature without what says that it is RSA.
fn rsa_signature(signature: &[u8]) -> std::result::Result<&[u8], String> {
    let Some(rest) = signature.strip_prefix(KIND) else {
        return Ok(signature);
    };
    let end = rest.iter().position(|byte| *byte == b'$').unwrap_or(rest.len());
    match &rest[..end] {
        b"rsa" => Ok(rest.get(end + 1..).unwrap_or_default()),
        kind => Err(format!(
            "has a signature of kind `{}`; only `rsa`, which FreeBSD's own repositories have, can be checked here",
            String::from_utf8_lossy(kind).escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_as_freebsd_writes_them() {
        let sum = "b0170035af3acc5f3f3ae1859dc717101b4e6c1d0a794ad554928ca0cbb2f438";
        assert_eq!(
            fingerprint(&format!("function: \"sha256\"\nfingerprint: \"{sum}\"\n")).as_deref(),
            Some(sum)
        );
        assert_eq!(
            fingerprint(&format!("function = sha256; fingerprint = {sum};")).as_deref(),
            Some(sum)
        );
        assert_eq!(
            fingerprint(&format!("function: \"sha1\"\nfingerprint: \"{sum}\"\n")),
            None
        );
        assert_eq!(fingerprint("function: sha256\nfingerprint: ab"), None);
    }

    #[test]
    fn other_kinds_are_named() {
        let error = verify(b"", b"$PKGSIGN:ecc$xyz", "").unwrap_err();
        assert!(error.contains("kind `ecc`"), "{error}");
        assert!(verify(b"no key", b"xyz", "").unwrap_err().contains("no RSA key in PEM"));
    }
}
