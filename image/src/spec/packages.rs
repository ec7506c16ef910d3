//! `packages:` and `base:` of the appliance file: which FreeBSD packages, and where they come from.

use std::path::PathBuf;

use serde::Deserialize;

/// FreeBSD packages to install.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackagesSpec {
    /// Where packages come from; of equal versions, the one of the earlier source is taken.
    pub from: Vec<SourceSpec>,
    /// What to install, with all it depends on: names (`mpd5`), names with version (`mpd5-5.9_18`) or origins
    /// (`net/mpd5`).
    pub install: Vec<String>,
}

/// What FreeBSD itself is taken from, if not from distribution sets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseSpec {
    /// Packages of the base system (FreeBSD 15 and later).
    pub pkgbase: PkgbaseSpec,
}

/// The base system as packages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PkgbaseSpec {
    /// Where they come from.
    pub from: Vec<SourceSpec>,
    /// Which ones, with all they depend on; `FreeBSD-set-minimal` and `FreeBSD-kernel-generic` if absent.
    #[serde(default = "default_base")]
    pub packages: Vec<String>,
}

fn default_base() -> Vec<String> {
    ["FreeBSD-set-minimal", "FreeBSD-kernel-generic"]
        .map(String::from)
        .to_vec()
}

/// A place that packages come from: a repository or a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawSource")]
pub struct SourceSpec {
    /// Where it is.
    pub place: Place,
    /// How its catalogue is signed.
    pub trust: Trust,
}

/// Where packages lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Address of the folder with `meta.conf`: http, https or file.
    Repository(String),
    /// A folder of .pkg files, relative to the appliance file.
    Directory(PathBuf),
}

impl Default for Place {
    fn default() -> Self {
        Self::Directory(PathBuf::new())
    }
}

/// What a repository's catalogue is checked with (pkg.conf(5), `SIGNATURE_TYPE`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// A folder with `trusted/` and perhaps `revoked/`, as /usr/share/keys/pkg is one; relative to the appliance file.
    Fingerprints(PathBuf),
    /// A public key in PEM, relative to the appliance file.
    Key(PathBuf),
    /// Nothing: for a directory, or because the appliance file says `signature: none`.
    #[default]
    Unsigned,
}

/// [`SourceSpec`] as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    repository: Option<String>,
    directory: Option<PathBuf>,
    fingerprints: Option<PathBuf>,
    key: Option<PathBuf>,
    signature: Option<String>,
}

impl TryFrom<RawSource> for SourceSpec {
    type Error = String;

    fn try_from(raw: RawSource) -> Result<Self, String> {
        let trust = match (raw.fingerprints, raw.key, raw.signature.as_deref()) {
            (Some(folder), None, None) => Some(Trust::Fingerprints(folder)),
            (None, Some(key), None) => Some(Trust::Key(key)),
            (None, None, Some("none")) => Some(Trust::Unsigned),
            (None, None, None) => None,
            (None, None, Some(other)) => return Err(format!("`signature: {other}` is not known; only `none` is")),
            _ => return Err("a repository has one of `fingerprints`, `key` and `signature: none`".into()),
        };
        match (raw.repository, raw.directory) {
            (Some(address), None) => Self::repository(address, trust),
            (None, Some(folder)) if trust.is_none() => Ok(Self {
                place: Place::Directory(folder),
                trust: Trust::Unsigned,
            }),
            (None, Some(_)) => Err("a directory of packages has no catalogue that could be signed".into()),
            _ => Err("packages come from one of `repository` (an address) and `directory` (a folder)".into()),
        }
    }
}

impl SourceSpec {
    fn repository(address: String, trust: Option<Trust>) -> Result<Self, String> {
        let known = ["http://", "https://", "file://"];
        if !known.iter().any(|scheme| address.starts_with(scheme)) {
            return Err(format!("`{address}` is not an address of http, https or file"));
        }
        let trust = trust.ok_or(
            "a repository needs `fingerprints: <folder>` or `key: <file>`, or `signature: none` if nobody signs it",
        )?;
        let address = address.trim_end_matches('/').to_string();
        Ok(Self {
            place: Place::Repository(address),
            trust,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<SourceSpec, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn good_sources() {
        let signed =
            source("{repository: \"https://pkg.example.org/FreeBSD:14:amd64/latest/\", fingerprints: keys}").unwrap();
        assert_eq!(
            signed.place,
            Place::Repository("https://pkg.example.org/FreeBSD:14:amd64/latest".into())
        );
        assert_eq!(signed.trust, Trust::Fingerprints("keys".into()));
        assert_eq!(source("{directory: pkgs}").unwrap().trust, Trust::Unsigned);
        let unsigned = source("{repository: \"file:///r\", signature: none}").unwrap();
        assert_eq!(unsigned.trust, Trust::Unsigned);
    }

    #[test]
    fn bad_sources() {
        for (text, cause) in [
            ("{repository: \"https://x\"}", "needs `fingerprints"),
            ("{repository: \"ftp://x\", key: k}", "is not an address"),
            (
                "{repository: \"https://x\", key: k, fingerprints: f}",
                "one of `fingerprints`",
            ),
            ("{repository: \"https://x\", signature: maybe}", "`signature: maybe`"),
            ("{directory: d, key: k}", "no catalogue"),
            (
                "{repository: \"https://x\", directory: d, key: k}",
                "one of `repository`",
            ),
            ("{}", "one of `repository`"),
            ("{repo: x}", "unknown field `repo`"),
        ] {
            let error = source(text).unwrap_err();
            assert!(error.contains(cause), "{text}: {error}");
        }
    }
}
