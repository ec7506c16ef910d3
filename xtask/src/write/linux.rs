//! Linux: sysfs tells what a disk is, /proc what uses it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::drive::{Drive, Kind, Removable, Use};

/// sysfs counts in these, whatever the disk's sectors are.
const UNIT: u64 = 512;

/// Where sysfs and proc are.
#[derive(Debug, Clone)]
pub struct System {
    /// /sys, or what stands for it in a test.
    pub sys: PathBuf,
    /// /proc, likewise.
    pub proc: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
        }
    }
}

impl System {
    /// What is known of the block device `path`, whose links are resolved.
    ///
    /// # Errors
    /// sysfs does not know it.
    pub fn drive(&self, path: &Path) -> Result<Drive> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = self.folder(&name)?;
        let partition = folder.join("partition").exists();
        let disk = match partition {
            true => folder.parent().context("a partition lies in a disk")?.to_path_buf(),
            false => folder.clone(),
        };
        let parts = parts(&folder);
        let mut uses = self.uses_of(&folder)?;
        for part in &parts {
            uses.extend(self.uses_of(part)?);
        }
        Ok(Drive {
            path: path.to_path_buf(),
            kind: if partition { Kind::Partition } else { Kind::Disk },
            size: number(&folder.join("size")).context("the device's size is unknown")? * UNIT,
            sector: number(&disk.join("queue/logical_block_size")).unwrap_or(UNIT),
            model: model(&disk),
            removable: removable(&disk),
            read_only: number(&folder.join("ro")) == Some(1),
            parts: parts.iter().map(|part| describe(part)).collect(),
            uses,
        })
    }

    /// Loop devices that show a regular file.
    pub fn uses_of_file(&self, path: &Path) -> Vec<Use> {
        let entries = fs::read_dir(self.sys.join("class/block"))
            .into_iter()
            .flatten()
            .flatten();
        let shows = |name: &str| {
            let backing = text(&self.sys.join("class/block").join(name).join("loop/backing_file"));
            backing.is_some_and(|backing| Path::new(&backing) == path)
        };
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        { names.filter(|name| shows(name)) }
            .map(|name| Use {
                device: path.display().to_string(),
                what: format!("shown as /dev/{name}"),
            })
            .collect()
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let link = self.sys.join("class/block").join(name);
        match fs::canonicalize(&link) {
            Ok(folder) => Ok(folder),
            Err(error) => bail!(
                "{}: could not be read: {error}\nhint: name a disk, such as /dev/sdb",
                link.display()
            ),
        }
    }

    /// What uses a disk or partition itself.
    fn uses_of(&self, folder: &Path) -> Result<Vec<Use>> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let device = format!("/dev/{name}");
        let mut what = self.mounts(&name, &text(&folder.join("dev")).unwrap_or_default())?;
        what.extend(self.swaps(&device)?);
        for holder in names(&folder.join("holders")) {
            let kind = text(&self.sys.join("class/block").join(&holder).join("dm/name"));
            let kind = kind.map_or_else(String::new, |kind| format!(" ({kind})"));
            what.push(format!("part of {holder}{kind}"));
        }
        Ok({ what.into_iter() }
            .map(|what| Use {
                device: device.clone(),
                what,
            })
            .collect())
    }

    /// Mounts of a device, by its number and, for file systems that hide it, by name.
    fn mounts(&self, name: &str, number: &str) -> Result<Vec<String>> {
        let table = self.proc.join("self/mountinfo");
        let table = fs::read_to_string(&table).with_context(|| format!("{}: could not be read", table.display()))?;
        Ok(table.lines().filter_map(|line| mount_of(line, name, number)).collect())
    }

    /// A kernel without swap has no table of it.
    fn swaps(&self, device: &str) -> Result<Vec<String>> {
        let table = fs::read_to_string(self.proc.join("swaps")).unwrap_or_default();
        let is_it = |line: &&str| line.split_whitespace().next() == Some(device);
        Ok(table
            .lines()
            .filter(is_it)
            .map(|_| "used for swap".to_owned())
            .collect())
    }
}

/// The use that a line of mountinfo (proc_pid_mountinfo(5)) tells of, if it is of this device.
fn mount_of(line: &str, name: &str, number: &str) -> Option<String> {
    let (fields, source) = line.split_once(" - ")?;
    let mut fields = fields.split(' ');
    let its_number = fields.nth(2)?;
    let place = fields.nth(1)?;
    let its_name = source.split(' ').nth(1)?.strip_prefix("/dev/");
    let same = its_name == Some(name) || !number.is_empty() && its_number == number;
    same.then(|| format!("mounted on {}", place.replace("\\040", " ")))
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.parse().ok()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The partitions in a disk.
fn parts(folder: &Path) -> Vec<PathBuf> {
    let below = names(folder).into_iter().map(|name| folder.join(name));
    below.filter(|path| path.join("partition").exists()).collect()
}

fn describe(part: &Path) -> String {
    let name = part.file_name().unwrap_or_default().to_string_lossy();
    let size = number(&part.join("size")).unwrap_or_default() * UNIT;
    let event = text(&part.join("uevent")).unwrap_or_default();
    let label = event.lines().find_map(|line| line.strip_prefix("PARTNAME="));
    let label = label.map_or_else(String::new, |label| format!(" `{label}`"));
    format!("{name}{label}: {:.1} GB", size as f64 / 1e9)
}

fn model(disk: &Path) -> String {
    let parts = ["device/vendor", "device/model", "device/name", "loop/backing_file"];
    let found: Vec<_> = parts.iter().filter_map(|part| text(&disk.join(part))).collect();
    match found.is_empty() {
        true => "of unknown make".into(),
        false => found.join(" "),
    }
}

/// USB enclosures of ordinary disks say that their medium is not removable; that they are at USB tells.
fn removable(disk: &Path) -> Removable {
    let at_usb = disk
        .components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with("usb"));
    match at_usb || number(&disk.join("removable")) == Some(1) {
        true => Removable::Yes,
        false => Removable::No,
    }
}
