//! `cargo xtask image --verify`: a second build in other circumstances must give the same bytes.
//!
//! It runs in a process of its own, in a copy of the repository at another path, with an empty target folder for module and
//! programs, unpacks the sets anew, on one thread, without a spare image, with another umask, time zone, language and home
//! folder, and as another user where the system allows it (user namespaces of Linux). Downloads are shared: their
//! checksums are checked either way. Of the first build it is given one thing, the key that the build made: a random one,
//! and an input of the image.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use ngforge_image::build::Built;
use ngforge_image::compare;
use tempfile::TempDir;
use xshell::{Shell, cmd};

use crate::util;
use crate::zig::{self, Zig};

/// Options of the first build that the second one has otherwise, and how many words each takes.
const OWN: [(&str, usize); 8] = [
    ("--verify", 0),
    ("--refresh", 0),
    ("--no-spare", 0),
    ("--out", 1),
    ("--cache", 1),
    ("--threads", 1),
    ("-j", 1),
    ("--measure", 1),
];
/// Becomes another user, if the system allows it.
const OTHER_USER: [&str; 4] = ["unshare", "--user", "--map-user=4711", "--map-group=4711"];
/// Folders of the cache that both builds share.
const DOWNLOADS: [&str; 3] = ["sets", "debian", "packages"];

/// Builds again in other circumstances, and compares every output.
///
/// # Errors
/// The second build fails, or anything differs; the message says where.
pub fn verify(first: &Built, cache: &Path) -> Result<()> {
    let shell = util::shell()?;
    let scratch = scratch()?;
    let place = Place::prepare(&shell, scratch.path(), first, cache)?;
    eprintln!("verify: building again in {}", scratch.path().display());
    let status = place
        .command(&shell)
        .status()
        .context("could not start the second build")?;
    ensure!(
        status.success(),
        "the second build failed ({status}), though the first did not\nhint: it saw a copy of what git tracks or would \
         add; is a file that is ignored needed?"
    );
    let name = first.manifest_path.file_name().context("a manifest has a name")?;
    let found = compare::builds(&first.manifest_path, &place.out.join(name))?;
    for output in &found.same {
        println!("verify: {}: the same bytes", output.display());
    }
    if found.differences.is_empty() {
        println!("verify: two builds, the same {} files", found.same.len());
        return Ok(());
    }
    let kept = scratch.keep();
    bail!(
        "two builds from the same inputs differ:\n  {}\nhint: the second build is kept in {}",
        found.differences.join("\n  "),
        kept.display()
    )
}

/// A folder far from the repository, on a disk if there is one.
fn scratch() -> Result<TempDir> {
    let disk = Path::new("/var/tmp");
    let parent = if disk.is_dir() && env::var_os("TMPDIR").is_none() {
        disk.to_path_buf()
    } else {
        env::temp_dir()
    };
    let folder = tempfile::Builder::new().prefix("ngforge-verify-").tempdir_in(&parent);
    folder.with_context(|| {
        format!(
            "could not make a folder in {}\nhint: name another with TMPDIR",
            parent.display()
        )
    })
}

/// Where the second build works.
struct Place {
    repository: PathBuf,
    target: PathBuf,
    home: PathBuf,
    cache: PathBuf,
    out: PathBuf,
}

impl Place {
    fn prepare(shell: &Shell, scratch: &Path, first: &Built, cache: &Path) -> Result<Self> {
        let place = Self {
            repository: scratch.join("another path/to the repository"),
            target: scratch.join("cargo"),
            home: scratch.join("home"),
            cache: scratch.join("cache"),
            out: scratch.join("image"),
        };
        for folder in [&place.repository, &place.target, &place.home, &place.cache, &place.out] {
            fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
        }
        copy_repository(shell, &place.repository)?;
        for name in DOWNLOADS {
            let shared = cache.join(name);
            if shared.is_dir() {
                symlink(std::path::absolute(&shared)?, place.cache.join(name))?;
            }
        }
        if let Some(identity) = &first.manifest.identity {
            let key = first.manifest_path.with_file_name(identity);
            let name = key.file_name().context("a key has a name")?;
            fs::copy(&key, place.out.join(name)).with_context(|| format!("could not copy {}", key.display()))?;
        }
        Ok(place)
    }

    /// The second build.
    fn command(&self, shell: &Shell) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if other_user_works() {
            words.extend(OTHER_USER.map(Into::into));
        } else {
            eprintln!("verify: another user cannot be had here; the second build runs as this one");
        }
        words.extend(["sh", "-c", "umask 077; exec \"$@\"", "sh"].map(Into::into));
        words.push(env::current_exe().unwrap_or_else(|_| "xtask".into()).into());
        words.extend(without_own(env::args_os().skip(1)));
        words.extend([OsString::from("--out"), self.out.clone().into()]);
        words.extend([OsString::from("--cache"), self.cache.clone().into()]);
        words.extend(["--threads", "1", "--no-spare"].map(Into::into));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        self.set_environment(shell, &mut command);
        command
    }

    fn set_environment(&self, shell: &Shell, command: &mut Command) {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let or = |variable: &str, folder: &str| env::var_os(variable).unwrap_or_else(|| home.join(folder).into());
        command
            .env(util::ROOT, &self.repository)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_HOME", or("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", or("RUSTUP_HOME", ".rustup"))
            .env("HOME", &self.home)
            .env("ZIG_GLOBAL_CACHE_DIR", self.home.join("zig"))
            .env("ZIG_LOCAL_CACHE_DIR", self.home.join("zig"))
            .env("TZ", "Pacific/Kiritimati")
            .env("LC_ALL", "C")
            .env("USER", "somebody")
            .env("LOGNAME", "somebody");
        // Found by the first build already; without it, the second one would fetch it again.
        if let Some(zig) = Zig::find(shell, zig::LINKING) {
            command.env(zig::OVERRIDE, zig.exe);
        }
    }
}

fn other_user_works() -> bool {
    let tried = Command::new(OTHER_USER[0]).args(&OTHER_USER[1..]).arg("true").output();
    tried.is_ok_and(|output| output.status.success())
}

/// The words of the command line but those that the second build has otherwise.
fn without_own(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut skip = 0;
    for word in words {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        match OWN.iter().find(|(name, _)| is_option(&word, name)) {
            Some((name, count)) => skip = if word == *name { *count } else { 0 },
            None => kept.push(word),
        }
    }
    kept
}

/// Whether a word is the option, alone or with its value behind it.
fn is_option(word: &OsStr, name: &str) -> bool {
    let text = word.to_string_lossy();
    text.strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('=') || !name.starts_with("--"))
}

/// Copies what git tracks or would add, as the work tree has it. Modes are left behind.
fn copy_repository(shell: &Shell, into: &Path) -> Result<()> {
    let list = cmd!(shell, "git ls-files -z --cached --others --exclude-standard");
    let list = { list.quiet().read() }.context("git cannot list the repository's files, which --verify copies")?;
    for name in list.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (util::root().join(name), into.join(name));
        let Ok(metadata) = from.symlink_metadata() else {
            continue;
        };
        fs::create_dir_all(to.parent().unwrap_or(into))?;
        let copied = if metadata.is_symlink() {
            fs::read_link(&from).and_then(|target| symlink(target, &to))
        } else {
            fs::read(&from).and_then(|bytes| fs::write(&to, bytes))
        };
        copied.with_context(|| format!("could not copy {}", from.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_build_gets_what_is_not_its_own() {
        let line = "image --verify --base hosted --out x --cache=y -j 4 -j4 --measure m --sets s --no-spare";
        let words = without_own(line.split(' ').map(OsString::from));
        assert_eq!(words.join(OsStr::new(" ")), "image --base hosted --sets s");
    }

    #[test]
    fn the_copy_has_every_file_that_git_tracks() {
        let folder = tempfile::tempdir().unwrap();
        copy_repository(&util::shell().unwrap(), folder.path()).unwrap();
        for name in ["Cargo.toml", "overlay/appliance.yaml", ".cargo/config.toml"] {
            assert!(folder.path().join(name).is_file(), "{name}");
        }
        assert!(!folder.path().join("target").exists());
    }
}
