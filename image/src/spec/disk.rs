//! `disk:` in the appliance file: how the disk is divided, and how big the parts are.

use serde::Deserialize;

use super::Bytes;
use crate::gpt;

/// What a slot's label has behind the appliance's own, at most: `-state`.
const LONGEST_SUFFIX: usize = 6;
/// Room left free if the spec does not say.
const DEFAULT_FREE: u64 = 256 << 20;
/// Least bytes in a partition for files.
const LEAST: u64 = 16 << 20;

/// How the disk is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One root file system, which can be written.
    #[default]
    Single,
    /// Two root file systems that are only read, of which one is updated while the other one runs; what the owner saves
    /// is on a third one, and data on a fourth.
    Slots,
}

/// How the disk is divided, and how big it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskSpec {
    /// How it is divided; `single` if absent.
    #[serde(default)]
    pub layout: Layout,
    /// The size, such as `2 GiB`; what does not fit is an error. Without it the disk is as big as it needs to be.
    #[serde(default)]
    pub size: Option<Bytes>,
    /// Room to leave free in a root file system whose size is computed; 256 MiB if absent.
    #[serde(default)]
    pub free: Option<Bytes>,
    /// Size of each root slot; computed if absent.
    #[serde(default)]
    pub slot: Option<Bytes>,
    /// Size of the file system for what the owner saves; 32 MiB if absent.
    #[serde(default)]
    pub cfg: Option<Bytes>,
    /// Size of the data partition in the image, at least; 64 MiB if absent. It grows to the end of the disk when the
    /// appliance first boots.
    #[serde(default)]
    pub data: Option<Bytes>,
}

impl DiskSpec {
    /// Bytes to leave free in a root file system.
    pub fn free(&self) -> u64 {
        self.free.map_or(DEFAULT_FREE, |free| free.0)
    }

    /// Bytes in the partition for what the owner saves.
    pub fn cfg(&self) -> u64 {
        self.cfg.map_or(32 << 20, |cfg| cfg.0)
    }

    /// Least bytes in the data partition.
    pub fn data(&self) -> u64 {
        self.data.map_or(64 << 20, |data| data.0)
    }

    /// What the types alone do not say; `label` is the appliance's.
    pub(super) fn check(&self, label: &str) -> Result<(), (&'static str, String)> {
        let parts = [("slot", self.slot), ("cfg", self.cfg), ("data", self.data)];
        for (key, size) in parts {
            let Some(Bytes(size)) = size else { continue };
            if self.layout == Layout::Single {
                return Err((
                    key,
                    format!("`{key}` is a part of a disk with `layout: slots`; this one is `single`"),
                ));
            }
            if size < LEAST {
                return Err((
                    key,
                    format!(
                        "{size} bytes are too few for `{key}`; {} MiB are the least",
                        LEAST >> 20
                    ),
                ));
            }
            if size > 1 << 50 {
                return Err((
                    key,
                    format!("{size} bytes are too many for `{key}`; 1024 TiB are the most"),
                ));
            }
        }
        let longest = gpt::LABEL_MAX - LONGEST_SUFFIX;
        if self.layout == Layout::Slots && label.len() > longest {
            return Err((
                "label",
                format!("`{label}` is too long for a disk with slots; {longest} characters are the most"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::Spec;
    use std::path::Path;

    fn complaint(extra: &str) -> String {
        let text = format!("name: gate\nhostname: gate\nrelease: \"14.3\"\nnics: 3\n{extra}");
        Spec::parse(&text, Path::new("appliance.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn sizes_that_cannot_be_are_refused_with_their_line() {
        let cases = [
            ("disk: {slot: 1 GiB}", "`slot` is a part of a disk with `layout: slots`"),
            ("disk: {layout: slots, slot: 0}", "0 bytes are too few for `slot`"),
            ("disk: {layout: slots, cfg: 4 KiB}", "4096 bytes are too few for `cfg`"),
            (
                "disk: {layout: slots, data: 15 MiB}",
                "too few for `data`; 16 MiB are the least",
            ),
            ("disk: {layout: slots, data: 2048 TiB}", "too many for `data`"),
            ("disk: {layout: slots, slot: -1}", "`-1` is not a size"),
            ("disk: {layout: slots, slot: 99999999999999 TiB}", "is not a size"),
            ("disk: {layout: three}", "unknown variant `three`"),
            ("disk: {layout: slots, slots: 1 GiB}", "unknown key `slots`"),
            ("disk: {layout: slots, cfg: [1]}", "expected a size"),
            (
                "disk: {layout: slots}\nlabel: a-name-of-more-than-thirty-byte",
                "too long for a disk with slots; 30 characters",
            ),
        ];
        for (extra, expected) in cases {
            let complaint = complaint(extra);
            assert!(complaint.contains(expected), "{extra}: {complaint}");
            assert!(complaint.contains("appliance.yaml:"), "{complaint}");
        }
    }
}
