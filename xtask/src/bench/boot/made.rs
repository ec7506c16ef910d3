//! The images that are compared: the appliance file with another profile, and for the plain one without settings.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use ngforge_image::output::Format;
use serde_yaml::{Mapping, Value};
use xshell::cmd;

use crate::base::Base;
use crate::image::Image;
use crate::util;

/// What of loader.conf a plain image keeps: consoles, so that its boot can be watched, and the second to interrupt it.
const PLAIN_LOADER: [(&str, &str); 5] = [
    ("boot_multicons", "YES"),
    ("boot_serial", "YES"),
    ("console", "comconsole,efi"),
    ("autoboot_delay", "1"),
    ("beastie_disable", "YES"),
];
/// What of rc.conf it keeps, besides what the image builder sets itself: one kind of host key, no mail, no dumps.
const PLAIN_RC: [(&str, &str); 4] = [
    ("sshd_rsa_enable", "NO"),
    ("sshd_ecdsa_enable", "NO"),
    ("sendmail_enable", "NONE"),
    ("dumpdev", "NO"),
];

/// An image that was built.
pub struct Made {
    /// `plain`, `net` or `tiny`.
    pub name: &'static str,
    /// Its manifest.
    pub manifest: PathBuf,
    /// Bytes of the raw image that are not holes.
    pub used: u64,
    /// Bytes of the raw image after zstd.
    pub compressed: u64,
}

impl Made {
    /// Builds one.
    ///
    /// # Errors
    /// The appliance file cannot be read, or the build fails.
    pub fn build(image: &Image, folder: &Path, name: &'static str) -> Result<Self> {
        ensure!(
            image.base == Base::Freebsd,
            "profiles are of FreeBSD's sets, and a hosted base has none\nhint: leave out --base hosted"
        );
        let folder = folder.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("{}: could not be made", folder.display()))?;
        let spec = folder.join("appliance.yaml");
        let source = util::root().join(&image.spec);
        let text = appliance(&source, name)?;
        if fs::read_to_string(&spec).ok().as_deref() != Some(&text) {
            fs::write(&spec, text).with_context(|| format!("{}: could not be written", spec.display()))?;
        }
        let image = Image {
            spec,
            out: Some(folder),
            no_spare: true,
            ..image.clone()
        };
        let shell = util::shell()?;
        let built = image.build(&image.request(&shell)?)?;
        let raw = { built.manifest.files.iter() }
            .find(|file| file.format == Format::Raw.name())
            .context("no raw image was made")?;
        let raw = built.manifest_path.with_file_name(&raw.path);
        Ok(Self {
            name,
            manifest: built.manifest_path,
            used: used(&raw)?,
            compressed: compressed(&raw)?,
        })
    }

    /// One line of the table.
    pub fn row(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        format!(
            "{:<6} {:6.1} MiB in use, {:6.1} MiB compressed",
            self.name,
            mib(self.used),
            mib(self.compressed)
        )
    }
}

/// The text of the appliance file for an image.
fn appliance(source: &Path, name: &str) -> Result<String> {
    let text = fs::read_to_string(source).with_context(|| format!("{}: could not be read", source.display()))?;
    let mut spec: Mapping =
        serde_yaml::from_str(&text).with_context(|| format!("{}: is not an appliance file", source.display()))?;
    let beside = source.parent().unwrap_or(Path::new(""));
    if let Some(graph) = spec.get("graph").and_then(Value::as_str) {
        let graph = beside.join(graph).display().to_string();
        spec.insert("graph".into(), graph.into());
    }
    spec.insert("formats".into(), vec![Value::from("raw")].into());
    let profile = if name == "plain" { "full" } else { name };
    spec.insert("profile".into(), profile.into());
    if name == "plain" {
        for key in ["prune", "keep"] {
            spec.remove(key);
        }
        spec.insert("loader_conf".into(), mapping(&PLAIN_LOADER));
        spec.insert("rc_conf".into(), mapping(&PLAIN_RC));
    }
    Ok(serde_yaml::to_string(&spec)?)
}

fn mapping(settings: &[(&str, &str)]) -> Value {
    let pairs = settings
        .iter()
        .map(|(key, value)| (Value::from(*key), Value::from(*value)));
    Value::Mapping(pairs.collect())
}

/// Bytes of the blocks that a file takes on this machine's disk.
fn used(raw: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let metadata = File::open(raw)
        .and_then(|file| file.metadata())
        .with_context(|| format!("{}: could not be read", raw.display()))?;
    Ok(metadata.blocks() * 512)
}

fn compressed(raw: &Path) -> Result<u64> {
    let shell = util::shell()?;
    let size = cmd!(shell, "sh -c 'zstd -q -9 -T0 -c -- \"$0\" | wc -c' {raw}")
        .quiet()
        .read();
    let size = size.context("could not run zstd, which sizes are measured with\nhint: apt-get install zstd")?;
    size.trim().parse().context("zstd did not say how big the image is")
}
