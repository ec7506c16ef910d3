//! Debian packages, fetched and checked by apt with its own folders: no root, and nothing of this machine's changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use ngforge_image::hosted::Packages;
use xshell::{Cmd, Shell, cmd};

use crate::{preflight, util};

/// Where packages come from unless another mirror is named.
pub const DEFAULT_MIRROR: &str = "http://deb.debian.org";
/// Debian's keys: what the indexes must be signed with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The hosted base is for this architecture only.
const ARCHITECTURE: &str = "amd64";

/// Debian's archive, and the packages of it that are at hand.
#[derive(Debug)]
pub struct Apt {
    mirror: String,
    folder: PathBuf,
    /// Whether the indexes are to be fetched anew, and packages of which there is a newer version.
    refresh: Refresh,
    /// Whether they have been fetched by this process.
    updated: Mutex<bool>,
}

/// Whether to look for newer packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// Take the packages that are in the cache; ask the mirror only for others.
    Missing,
    /// Ask the mirror for every package.
    All,
}

impl Apt {
    /// The archive at `mirror`, with packages and indexes kept below `cache`.
    pub fn new(mirror: &str, cache: &Path, refresh: Refresh) -> Self {
        Self {
            mirror: mirror.trim_end_matches('/').to_owned(),
            folder: cache.join("debian"),
            refresh,
            updated: Mutex::new(false),
        }
    }

    fn obtain(&self, suite: &str, names: &[String]) -> Result<Vec<PathBuf>> {
        let packages = self.folder.join(suite);
        fs::create_dir_all(&packages).with_context(|| format!("could not make the folder {}", packages.display()))?;
        let mut updated = self.updated.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let wanted =
            { names.iter() }.filter(|name| self.refresh == Refresh::All || !packages.join(file(name)).is_file());
        let wanted: Vec<&str> = wanted.map(String::as_str).collect();
        if !wanted.is_empty() {
            let archive = Archive::prepare(self, suite)?;
            if !*updated {
                archive.update()?;
                *updated = true;
            }
            archive.download(&wanted, &packages)?;
        }
        Ok(names.iter().map(|name| packages.join(file(name))).collect())
    }
}

impl Packages for Apt {
    fn get(&self, suite: &str, names: &[String]) -> ngforge_image::Result<Vec<PathBuf>> {
        self.obtain(suite, names)
            .map_err(|error| ngforge_image::Error::Packages {
                suite: suite.to_owned(),
                names: names.join(", "),
                cause: format!("{error:#}"),
            })
    }
}

/// A package's file in the cache.
fn file(name: &str) -> String {
    format!("{name}.deb")
}

/// apt-get with folders of its own.
struct Archive {
    shell: Shell,
    program: PathBuf,
    options: Vec<String>,
}

impl Archive {
    /// Lays the folders out and writes the list of sources.
    fn prepare(apt: &Apt, suite: &str) -> Result<Self> {
        let program = preflight::need("apt-get")?;
        ensure!(
            Path::new(KEYRING).is_file(),
            "could not find {KEYRING}, which is needed to check Debian's signatures\n\
             hint: install the package debian-archive-keyring"
        );
        let state = apt.folder.join(".apt").join(suite);
        for folder in ["lists/partial", "cache/archives/partial"] {
            let folder = state.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("could not make the folder {}", folder.display()))?;
        }
        let sources = state.join("sources.list");
        fs::write(&sources, source_lines(&apt.mirror, suite))
            .and_then(|()| fs::write(state.join("status"), ""))
            .with_context(|| format!("could not write to {}", state.display()))?;
        let state = state.display();
        let settings = [
            format!("Dir::State={state}"),
            format!("Dir::State::lists={state}/lists"),
            format!("Dir::State::status={state}/status"),
            format!("Dir::Cache={state}/cache"),
            format!("Dir::Etc::SourceList={}", sources.display()),
            "Dir::Etc::SourceParts=/nonexistent".into(),
            format!("APT::Architecture={ARCHITECTURE}"),
            format!("APT::Architectures={ARCHITECTURE}"),
            // As root, apt would become _apt, who may not look into root's folders.
            "APT::Sandbox::User=root".into(),
            "Acquire::Languages=none".into(),
            "Acquire::Retries=3".into(),
        ];
        Ok(Self {
            shell: util::shell()?,
            program,
            options: settings
                .into_iter()
                .flat_map(|setting| ["-o".into(), setting])
                .collect(),
        })
    }

    /// Fetches the indexes, whose signatures apt checks.
    fn update(&self) -> Result<()> {
        let (program, options) = (&self.program, &self.options);
        run(cmd!(self.shell, "{program} -qq {options...} update")
            // A mirror that cannot be reached must not pass for one without news.
            .args(["-o", "APT::Update::Error-Mode=any"]))
    }

    /// Fetches packages into a folder, each under its plain name; apt compares them with the indexes.
    fn download(&self, names: &[&str], into: &Path) -> Result<()> {
        let fresh = tempfile::Builder::new().prefix(".fetching-").tempdir_in(into)?;
        let (program, options) = (&self.program, &self.options);
        let _here = self.shell.push_dir(fresh.path());
        eprintln!("  fetching from Debian: {}", names.join(" "));
        run(cmd!(self.shell, "{program} -qq {options...} download {names...}"))?;
        for entry in fs::read_dir(fresh.path())? {
            let entry = entry?.path();
            let long = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Name, version and architecture, with `_` between them, which none of them has in it.
            let name = long.split('_').next().unwrap_or_default();
            fs::rename(&entry, into.join(file(name)))?;
        }
        Ok(())
    }
}

/// What apt is to read: the suite itself, its updates, and its security updates.
fn source_lines(mirror: &str, suite: &str) -> String {
    let line = |archive: &str, suite: &str| format!("deb [signed-by={KEYRING}] {mirror}/{archive} {suite} main\n");
    line("debian", suite)
        + &line("debian", &format!("{suite}-updates"))
        + &line("debian-security", &format!("{suite}-security"))
}

/// Runs apt-get quietly; what it wrote is in the error.
fn run(command: Cmd<'_>) -> Result<()> {
    let output = command
        .quiet()
        .ignore_status()
        .output()
        .context("could not run apt-get")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "apt-get failed ({}):\n{}",
        output.status,
        said.trim()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_at_hand_are_taken_without_a_network() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("debian/moon");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("sh.deb"), "").unwrap();
        let apt = Apt::new("http://127.0.0.1:1", cache.path(), Refresh::Missing);
        assert_eq!(apt.get("moon", &["sh".into()]).unwrap(), [folder.join("sh.deb")]);
    }

    #[test]
    fn a_mirror_that_is_not_there_is_named() {
        let cache = tempfile::tempdir().unwrap();
        let apt = Apt::new("http://127.0.0.1:1/", cache.path(), Refresh::All);
        let error = apt.get("moon", &["sh".into()]).unwrap_err().to_string();
        assert!(error.contains("Debian moon: sh: "), "{error}");
        assert!(error.contains("127.0.0.1:1"), "{error}");
        assert!(error.contains("hint: "), "{error}");
    }

    #[test]
    fn security_updates_come_from_their_own_archive() {
        let lines = source_lines("http://mirror", "bookworm");
        assert!(
            lines.contains("] http://mirror/debian-security bookworm-security main\n"),
            "{lines}"
        );
        assert_eq!(lines.lines().count(), 3);
    }
}
