//! The appliance to boot: which image, which key, how many network cards; and a throw-away layer over its disk.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use ngforge_image::manifest::{self, Manifest, OutputFile};
pub use ngforge_image::output::Format;
use xshell::{Shell, cmd};

use crate::base::Base;
use crate::{preflight, util};

/// A disk image and its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The file.
    pub path: PathBuf,
    /// How it is laid out.
    pub format: Format,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a disk when the machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays: what the guest flushes must reach it.
    Kept,
    /// It is removed: the host may take its time with writes.
    ThrownAway,
}

/// The format of this name.
fn format_named(name: &str) -> Option<Format> {
    [Format::Raw, Format::Qcow2]
        .into_iter()
        .find(|format| format.name() == name)
}

/// The format that a file's first bytes tell.
fn format_of(path: &Path) -> Result<Format> {
    let mut magic = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("could not open the image {}", path.display()))?;
    file.take(4).read_to_end(&mut magic)?;
    Ok(if magic == *b"QFI\xfb" {
        Format::Qcow2
    } else {
        Format::Raw
    })
}

/// An image with all that is known of it.
#[derive(Debug, Clone)]
pub struct Appliance {
    /// Its name, for reports.
    pub name: String,
    /// What it runs.
    pub base: Base,
    /// What a hosted base consists of.
    pub system: Option<String>,
    /// FreeBSD's release; of a hosted base, the one that its module is built for.
    pub release: String,
    /// The image itself.
    pub disk: Disk,
    /// Network cards it wants.
    pub nics: u8,
    /// The private key that opens it.
    pub identity: Option<PathBuf>,
}

impl Appliance {
    /// What a manifest describes.
    ///
    /// # Errors
    /// The manifest cannot be read, or the image beside it is missing or not as long as the manifest says.
    pub fn from_manifest(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read the image's manifest {}", path.display()))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .with_context(|| format!("{} is not the manifest of an image", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let (file, format) = bootable(&manifest.files)
            .with_context(|| format!("{} names no image that QEMU can boot (raw or qcow2)", path.display()))?;
        let disk = Disk {
            path: std::path::absolute(folder.join(&file.path))?,
            format,
            fate: Fate::Kept,
        };
        let base = base_of(&manifest, path)?;
        check_size(&disk.path, file.size, base)?;
        Ok(Self {
            name: manifest.name,
            base,
            system: manifest.system,
            release: manifest.release,
            disk,
            nics: manifest.nics,
            identity: manifest.identity.map(|identity| folder.join(identity)),
        })
    }

    /// An image that comes without a manifest: taken to have three network cards.
    ///
    /// # Errors
    /// The image cannot be read, or is empty or cut off, as far as that shows without a manifest.
    pub fn from_image(path: &Path, base: Base) -> Result<Self> {
        let format = format_of(path)?;
        if std::fs::metadata(path)?.len() == 0 {
            bail!("the image {} is empty", path.display());
        }
        if format == Format::Qcow2 {
            check_clusters(path)?;
        }
        Ok(Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            base,
            system: None,
            release: "(release unknown)".into(),
            disk: Disk {
                path: std::path::absolute(path)?,
                format,
                fate: Fate::Kept,
            },
            nics: 3,
            identity: None,
        })
    }

    /// What it is, in one line for people.
    pub fn introduction(&self) -> String {
        self.base.introduction(self.system.as_deref(), &self.release)
    }
}

fn base_of(manifest: &Manifest, path: &Path) -> Result<Base> {
    Base::named(&manifest.base).with_context(|| {
        format!(
            "{} is of the base `{}`, which is unknown here: {} and {} are known",
            path.display(),
            manifest.base,
            Base::Freebsd.name(),
            Base::Hosted.name()
        )
    })
}

/// The newest manifest under `target/image/`, of this base or of any.
///
/// # Errors
/// There is none: no such image was built.
pub fn newest_manifest(base: Option<Base>) -> Result<PathBuf> {
    newest_json(&util::target_dir().join("image"), base)
}

fn newest_json(folder: &Path, base: Option<Base>) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let manifests = entries.filter(|entry| is_manifest(&entry.file_name().to_string_lossy()));
    let wanted = manifests.filter(|entry| base.is_none_or(|base| tells(&entry.path(), base)));
    let newest = wanted.max_by_key(|entry| entry.metadata().and_then(|metadata| metadata.modified()).ok());
    newest.map(|entry| entry.path()).with_context(|| missing(folder, base))
}

/// By its name: the accounts of files and components beside it are JSON, too.
fn is_manifest(name: &str) -> bool {
    name.ends_with(".json") && !manifest::ACCOUNTS.iter().any(|end| name.ends_with(end))
}

/// Whether a file is a manifest of this base; what cannot be read is none.
fn tells(path: &Path, base: Base) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str::<Manifest>(&text).is_ok_and(|manifest| manifest.base == base.name())
}

fn missing(folder: &Path, base: Option<Base>) -> String {
    let (which, command) = match base {
        Some(base) => (format!(" of the base {}", base.name()), base.build_command()),
        None => (String::new(), "cargo xtask image [--base hosted]"),
    };
    format!(
        "there is no image{which} to boot: {} holds no manifest{which}\n\
         hint: build one with `{command}`, or name one with --manifest or --image",
        folder.display()
    )
}

fn bootable(files: &[OutputFile]) -> Option<(&OutputFile, Format)> {
    files.iter().find_map(|file| Some((file, format_named(&file.format)?)))
}

fn check_size(path: &Path, expected: u64, base: Base) -> Result<()> {
    let actual = std::fs::metadata(path)
        .with_context(|| format!("could not read the image {}", path.display()))?
        .len();
    if actual != expected {
        bail!(
            "the image {} has {actual} bytes, but its manifest says {expected}: it is incomplete or was changed\n\
             hint: build it again with `{}`",
            path.display(),
            base.build_command()
        );
    }
    Ok(())
}

/// A qcow2 image tells where each of its parts lies, so that it shows when some are missing.
fn check_clusters(path: &Path) -> Result<()> {
    let qemu_img = preflight::need("qemu-img")?;
    let check = Command::new(qemu_img)
        .args(["check", "-q", "-f", Format::Qcow2.name()])
        .arg(path)
        .output()?;
    // 3 tells of parts that nobody uses: a waste, but no damage.
    if matches!(check.status.code(), Some(0 | 3)) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    bail!(
        "the image {} is incomplete or damaged; `qemu-img check` says: {}\nhint: copy it again, or build it again",
        path.display(),
        said.lines().next().unwrap_or("nothing")
    );
}

/// A layer over `disk` in `dir` that takes all writes, so that the image stays as it was built.
///
/// # Errors
/// `qemu-img` is missing or fails.
pub fn overlay(shell: &Shell, disk: &Disk, dir: &Path) -> Result<Disk> {
    let path = dir.join("overlay.qcow2");
    let qemu_img = preflight::need("qemu-img")?;
    let (backing, format) = (&disk.path, disk.format.name());
    cmd!(shell, "{qemu_img} create -q -f qcow2 -F {format} -b {backing} {path}")
        .quiet()
        .run()
        .with_context(|| {
            format!(
                "could not lay a throw-away layer over {}: it may be damaged, or {} is full",
                disk.path.display(),
                dir.display()
            )
        })?;
    Ok(Disk {
        path,
        format: Format::Qcow2,
        fate: Fate::ThrownAway,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(dir: &Path, size: u64) -> PathBuf {
        manifest_of("freebsd", dir, size)
    }

    fn manifest_of(base: &str, dir: &Path, size: u64) -> PathBuf {
        let manifest = serde_json::json!({
            "name": "router",
            "base": base,
            "system": (base == "hosted").then_some("Debian 12, Linux 6.1"),
            "release": "14.3",
            "hostname": "router",
            "nics": 3,
            "files": [{"path": "router.raw", "format": "raw", "size": size, "sha256": ""}],
            "identity": "router.key",
            "inputs": {},
        });
        let path = dir.join("router.json");
        std::fs::write(&path, manifest.to_string()).unwrap();
        std::fs::write(dir.join("router.raw"), [0; 1024]).unwrap();
        path
    }

    #[test]
    fn paths_in_a_manifest_are_relative_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let appliance = Appliance::from_manifest(&manifest(dir.path(), 1024)).unwrap();
        assert_eq!(appliance.disk.path, dir.path().join("router.raw"));
        assert_eq!(appliance.identity, Some(dir.path().join("router.key")));
        assert_eq!(appliance.nics, 3);
    }

    #[test]
    fn a_truncated_image_is_refused_before_it_boots() {
        let dir = tempfile::tempdir().unwrap();
        let error = Appliance::from_manifest(&manifest(dir.path(), 4096))
            .unwrap_err()
            .to_string();
        assert!(error.contains("has 1024 bytes, but its manifest says 4096"), "{error}");
    }

    #[test]
    fn a_missing_or_foreign_manifest_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = newest_json(dir.path(), None).unwrap_err().to_string();
        assert!(error.contains("`cargo xtask image [--base hosted]`"), "{error}");
        let other = dir.path().join("other.json");
        std::fs::write(&other, "{}").unwrap();
        let error = Appliance::from_manifest(&other).unwrap_err().to_string();
        assert!(error.contains("other.json is not the manifest"), "{error}");
    }

    #[test]
    fn the_newest_manifest_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("a.json");
        std::fs::write(&old, "").unwrap();
        let before = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
        std::fs::File::options()
            .write(true)
            .open(&old)
            .unwrap()
            .set_modified(before)
            .unwrap();
        std::fs::write(dir.path().join("b.json"), "").unwrap();
        std::fs::write(dir.path().join("c.raw"), "").unwrap();
        assert_eq!(newest_json(dir.path(), None).unwrap(), dir.path().join("b.json"));
    }

    #[test]
    fn the_newest_manifest_of_a_base_is_found_among_others() {
        let dir = tempfile::tempdir().unwrap();
        let hosted = dir.path().join("hosted.json");
        std::fs::rename(manifest_of("hosted", dir.path(), 1024), &hosted).unwrap();
        std::fs::write(dir.path().join("foreign.json"), "{}").unwrap();
        let error = newest_json(dir.path(), Some(Base::Freebsd)).unwrap_err().to_string();
        assert!(error.contains("no image of the base freebsd"), "{error}");
        assert!(error.contains("`cargo xtask image`"), "{error}");
        let freebsd = manifest(dir.path(), 1024);
        assert_eq!(newest_json(dir.path(), Some(Base::Hosted)).unwrap(), hosted);
        assert_eq!(newest_json(dir.path(), Some(Base::Freebsd)).unwrap(), freebsd);
    }

    #[test]
    fn a_manifest_says_what_the_image_is() {
        let dir = tempfile::tempdir().unwrap();
        let appliance = Appliance::from_manifest(&manifest_of("hosted", dir.path(), 1024)).unwrap();
        let said = appliance.introduction();
        assert!(said.contains("hosted base (Debian 12, Linux 6.1; "), "{said}");
        let error = Appliance::from_manifest(&manifest_of("moon", dir.path(), 1024)).unwrap_err();
        assert!(error.to_string().contains("freebsd and hosted are known"), "{error}");
    }

    #[test]
    fn the_format_of_a_bare_image_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.img");
        std::fs::write(&path, b"anything").unwrap();
        assert_eq!(
            Appliance::from_image(&path, Base::Freebsd).unwrap().disk.format,
            Format::Raw
        );
        std::fs::write(&path, b"").unwrap();
        assert!(
            Appliance::from_image(&path, Base::Freebsd)
                .unwrap_err()
                .to_string()
                .contains("is empty")
        );
    }

    #[test]
    fn a_bare_qcow2_image_is_looked_through() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.qcow2");
        let shell = Shell::new().unwrap();
        cmd!(shell, "qemu-img create -q -f qcow2 -o preallocation=full {path} 1M")
            .run()
            .unwrap();
        let appliance = Appliance::from_image(&path, Base::Freebsd).unwrap();
        assert_eq!(appliance.disk.format, Format::Qcow2);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        for size in [800 << 10, 100] {
            file.set_len(size).unwrap();
            let error = Appliance::from_image(&path, Base::Freebsd).unwrap_err().to_string();
            assert!(error.contains("is incomplete or damaged"), "{error}");
        }
    }

    #[test]
    fn writes_go_to_the_overlay() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("disk.raw");
        std::fs::write(&image, [0; 4096]).unwrap();
        let disk = Disk {
            path: image,
            format: Format::Raw,
            fate: Fate::Kept,
        };
        let shell = Shell::new().unwrap();
        let layer = overlay(&shell, &disk, dir.path()).unwrap();
        assert_eq!(format_of(&layer.path).unwrap(), Format::Qcow2);
    }
}
