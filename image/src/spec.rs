//! The appliance file: what to build. Its fields are the schema; `overlay/appliance.yaml` is the documented example.

mod limits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::error::{Error, Result};
use crate::gpt;
use crate::output::Format;
use crate::profile::Profile;
use crate::ufs::superblock;

mod disk;
mod update;
pub use disk::{DiskSpec, Layout};
pub mod packages;
pub use update::UpdateSpec;

const DOCUMENTATION: &str = "see the comments in overlay/appliance.yaml";

/// An appliance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Stem of every output file: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Host name of the appliance.
    pub hostname: String,
    /// FreeBSD release, such as `14.3`.
    pub release: String,
    /// Distribution sets, in order; later ones win.
    #[serde(default = "default_sets")]
    pub sets: Vec<String>,
    /// Size of the disk.
    #[serde(default)]
    pub disk: DiskSpec,
    /// Label of the root partition and its file system, at most 31 letters, digits, `-` and `_`.
    #[serde(default = "default_label")]
    pub label: String,
    /// How many virtio NICs the machine has: vtnet0 is for DHCP and SSH, the rest for the graph.
    pub nics: u8,
    /// The netgraph graph, relative to this file; it goes to /usr/local/etc/ngforge/graph.yaml.
    pub graph: Option<PathBuf>,
    /// Who may log in, and as whom the appliance shows itself.
    #[serde(default)]
    pub ssh: SshSpec,
    /// How much of the sets goes into the image.
    #[serde(default)]
    pub profile: Profile,
    /// Paths to leave out of the sets, besides what the profile leaves out: `*` and `?` stay within a name, `**` does
    /// not. What lies below goes, too.
    #[serde(default)]
    pub prune: Vec<String>,
    /// Paths of the sets to keep, whatever profile and `prune` say, with all that lies below.
    #[serde(default)]
    pub keep: Vec<String>,
    /// Where the module goes; a file of the sets that is there stays beside it with `.stock` appended.
    #[serde(default = "default_module")]
    pub module: String,
    /// The folder that tools go to.
    #[serde(default = "default_tools")]
    pub tools: String,
    /// Settings for /etc/rc.conf, besides those that follow from the rest; these win.
    #[serde(default)]
    pub rc_conf: BTreeMap<String, String>,
    /// Settings for /boot/loader.conf.
    #[serde(default)]
    pub loader_conf: BTreeMap<String, String>,
    /// Further files.
    #[serde(default)]
    pub files: Vec<FileSpec>,
    /// FreeBSD packages to install.
    pub packages: Option<packages::PackagesSpec>,
    /// What FreeBSD is taken from instead of its distribution sets.
    pub base: Option<packages::BaseSpec>,
    /// The update file of an appliance with root slots.
    #[serde(default)]
    pub update: UpdateSpec,
    /// Image formats.
    #[serde(default = "default_formats")]
    pub formats: Vec<Format>,
}

/// SSH keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshSpec {
    /// Public keys that open root's account: `.pub` files, relative to this file. If there is none, the build makes a
    /// pair.
    #[serde(default)]
    pub authorized_keys: Vec<PathBuf>,
    /// Private host keys named `ssh_host_<type>_key`, relative to this file. If there is none, the appliance makes
    /// its own when it first boots.
    #[serde(default)]
    pub host_keys: Vec<PathBuf>,
}

/// A file to put into the appliance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Where it goes.
    pub path: String,
    /// What to put there, relative to this file.
    pub source: PathBuf,
    /// Permissions, such as `0640`; 0755 for what starts with `#!` or is an ELF program, else 0644.
    #[serde(default, deserialize_with = "octal")]
    pub mode: Option<u16>,
    /// Owner's number.
    #[serde(default)]
    pub uid: u32,
    /// Group's number.
    #[serde(default)]
    pub gid: u32,
}

/// A number of bytes, written as such or with KiB, MiB, GiB or TiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = match serde_yaml::Value::deserialize(deserializer)? {
            serde_yaml::Value::Number(number) => number.to_string(),
            serde_yaml::Value::String(text) => text,
            _ => return Err(D::Error::custom("expected a size such as `2 GiB`")),
        };
        parse_bytes(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a size; write `2 GiB` or `512 MiB`")))
    }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let shift = match text[digits..].trim() {
        "" | "B" => 0,
        "KiB" | "K" => 10,
        "MiB" | "M" => 20,
        "GiB" | "G" => 30,
        "TiB" | "T" => 40,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn octal<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<u16>, D::Error> {
    let text = match serde_yaml::Value::deserialize(deserializer)? {
        serde_yaml::Value::Number(number) => number.to_string(),
        serde_yaml::Value::String(text) => text,
        _ => return Err(D::Error::custom("expected permissions such as `0644`")),
    };
    match u16::from_str_radix(text.trim_start_matches("0o"), 8) {
        Ok(mode) if mode <= 0o7777 => Ok(Some(mode)),
        _ => Err(D::Error::custom(format!("`{text}` are not permissions; write `0644`"))),
    }
}

fn default_sets() -> Vec<String> {
    vec!["base".into(), "kernel".into()]
}

fn default_label() -> String {
    "ngforge".into()
}

fn default_module() -> String {
    "boot/kernel/ng_socket.ko".into()
}

fn default_tools() -> String {
    "usr/local/sbin".into()
}

fn default_formats() -> Vec<Format> {
    vec![Format::Raw, Format::Qcow2]
}

impl Spec {
    /// Reads the appliance file.
    ///
    /// # Errors
    /// It is absent, or [`Error::Spec`] with line and column.
    pub fn load(path: &Path) -> Result<Self> {
        let text = limits::read(path).map_err(|error| Error::Input {
            file: path.to_path_buf(),
            cause: format!("could not be read: {error}"),
            hint: "name the appliance file with --spec".into(),
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of the appliance file `path`.
    ///
    /// # Errors
    /// [`Error::Spec`] with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        if let Some(line) = limits::too_deep(text) {
            return Err(Error::Spec {
                file: path.to_path_buf(),
                line,
                column: 1,
                cause: "lists or maps lie too deep in each other".into(),
                hint: DOCUMENTATION.into(),
            });
        }
        let spec: Self = serde_yaml::from_str(text)
            .map_err(|error| crate::suggest::spec_error(&error, text, path, DOCUMENTATION))?;
        spec.check().map_err(|(key, cause)| {
            let (line, column) = crate::suggest::find_key(text, key);
            Error::Spec {
                file: path.to_path_buf(),
                line,
                column,
                cause,
                hint: DOCUMENTATION.into(),
            }
        })?;
        Ok(spec)
    }

    /// What the types alone do not say.
    fn check(&self) -> std::result::Result<(), (&'static str, String)> {
        let plain = |text: &str, extra: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        };
        if !plain(&self.name, "-_.") || self.name.starts_with('.') {
            return Err((
                "name",
                format!("`{}` is not a file name of letters, digits, `-`, `_`, `.`", self.name),
            ));
        }
        if !plain(&self.hostname, "-.") || self.hostname.len() > 255 {
            return Err(("hostname", format!("`{}` is not a host name", self.hostname)));
        }
        let longest = superblock::LABEL_MAX.min(gpt::LABEL_MAX);
        if !plain(&self.label, "-_") || self.label.len() > longest {
            return Err((
                "label",
                format!(
                    "`{}` is not a label of 1 to {longest} letters, digits, `-`, `_`",
                    self.label
                ),
            ));
        }
        if !plain(&self.release, ".-") || !self.release.starts_with(|c: char| c.is_ascii_digit()) {
            return Err((
                "release",
                format!("`{}` is not a release such as \"14.3\"", self.release),
            ));
        }
        if self.nics == 0 {
            return Err(("nics", "an appliance without a NIC cannot be reached".into()));
        }
        self.disk.check(&self.label)?;
        if self.formats.is_empty() {
            return Err(("formats", "there is no format to write".into()));
        }
        limits::check(self)
    }
}

/// A use of an interface in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceUse {
    /// The node's name.
    pub node: String,
    /// The interface, such as `vtnet1`.
    pub interface: String,
    /// Line in the graph file, from 1.
    pub line: usize,
}

/// Checks that the machine has every virtio NIC the graph uses.
///
/// # Errors
/// [`Error::MissingNic`] for the first one it has not.
pub fn check_interfaces(uses: impl IntoIterator<Item = InterfaceUse>, nics: u8, graph: &Path) -> Result<()> {
    for used in uses {
        let number = used
            .interface
            .strip_prefix("vtnet")
            .and_then(|number| number.parse::<u32>().ok());
        if number.is_some_and(|number| number >= u32::from(nics)) {
            return Err(Error::MissingNic {
                file: graph.to_path_buf(),
                line: used.line,
                node: used.node,
                interface: used.interface,
                nics,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
