//! Who signed an update file, and whether that is somebody to trust.

use std::io::Read;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{Error, fill};

/// Bytes of key and signature.
pub(super) const SEAL: usize = 96;

/// Key and signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// The ed25519 public key.
    pub key: [u8; 32],
    /// The signature over everything before it.
    pub signature: [u8; 64],
}

/// Whose files are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust<'a> {
    /// Those that one of these keys signed.
    Keys(&'a [[u8; 32]]),
    /// Anybody's, or nobody's: for somebody who sits at the console and said so.
    Anyone,
}

/// Why a file is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Nobody signed it.
    #[error("it is not signed")]
    Unsigned,
    /// Somebody else signed it.
    #[error("it is signed with the key {found}, but this appliance trusts {}", trusted(.known))]
    Foreign {
        /// The fingerprint of the key.
        found: String,
        /// Those that are trusted.
        known: Vec<String>,
    },
    /// It is not what was signed.
    #[error("its signature does not hold: it was changed after it was signed with the key {0}, or is damaged")]
    Broken(String),
}

fn trusted(known: &[String]) -> String {
    match known {
        [] => "no key at all".into(),
        known => known.join(", "),
    }
}

/// A key's name for people: what `ssh-keygen -l` shows is made of more, this is SHA-256 of the 32 bytes, its first half.
#[must_use]
pub fn fingerprint(key: &[u8; 32]) -> String {
    let sum = Sha256::digest(key);
    sum[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The ed25519 keys in the text of a `.pub` file of ssh-keygen(1): one in each line; `#` begins a comment.
///
/// # Errors
/// A line is something else; the text says which and why.
pub fn keys(text: &str) -> Result<Vec<[u8; 32]>, String> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| key(line).map_err(|why| format!("line {number}: {why}")))
        .collect()
}

fn key(line: &str) -> Result<[u8; 32], String> {
    let key = ssh_key::PublicKey::from_openssh(line).map_err(|error| format!("is no public key: {error}"))?;
    let ed25519 = key.key_data().ed25519();
    let key = ed25519.ok_or_else(|| format!("is a key of {}, and updates are signed with ed25519", key.algorithm()))?;
    VerifyingKey::from_bytes(&key.0).map_err(|_| "is no point of the curve".to_owned())?;
    Ok(key.0)
}

impl Seal {
    /// Of a file that nobody signed.
    pub const NONE: Self = Self {
        key: [0; 32],
        signature: [0; 64],
    };

    pub(super) fn read(source: &mut dyn Read) -> Result<Self, Error> {
        let mut seal = Self::NONE;
        fill(source, &mut seal.key, || "signature".into())?;
        fill(source, &mut seal.signature, || "signature".into())?;
        Ok(seal)
    }

    pub(super) fn print(&self) -> [u8; SEAL] {
        let mut bytes = [0; SEAL];
        bytes[..32].copy_from_slice(&self.key);
        bytes[32..].copy_from_slice(&self.signature);
        bytes
    }

    /// Holds it against the bytes before it.
    ///
    /// # Errors
    /// Nobody that is trusted signed these bytes.
    pub fn check(&self, bytes: &[u8], trust: Trust<'_>) -> Result<(), Distrust> {
        let Trust::Keys(keys) = trust else {
            return Ok(());
        };
        if *self == Self::NONE {
            return Err(Distrust::Unsigned);
        }
        let found = fingerprint(&self.key);
        if !keys.contains(&self.key) {
            let known = keys.iter().map(fingerprint).collect();
            return Err(Distrust::Foreign { found, known });
        }
        let broken = || Distrust::Broken(found.clone());
        let key = VerifyingKey::from_bytes(&self.key).map_err(|_| broken())?;
        let signed = [bytes, &self.key].concat();
        key.verify_strict(&signed, &Signature::from_bytes(&self.signature))
            .map_err(|_| broken())
    }
}
