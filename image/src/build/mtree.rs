//! Metadata of the overlay that git does not keep: a few keywords of mtree(5), one path per line.
//!
//! ```text
//! ./root/.ssh mode=0700
//! ./etc/secret mode=0600 uid=0 gid=0 flags=schg
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::fflags;
use crate::ufs::inode::Attributes;

/// What a line says; what it does not say is left as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keywords {
    mode: Option<u16>,
    uid: Option<u32>,
    gid: Option<u32>,
    flags: Option<u32>,
}

impl Keywords {
    /// Attributes with what the line says.
    pub fn apply(&self, mut attributes: Attributes) -> Attributes {
        attributes.mode = self.mode.unwrap_or(attributes.mode);
        attributes.uid = self.uid.unwrap_or(attributes.uid);
        attributes.gid = self.gid.unwrap_or(attributes.gid);
        attributes.flags = self.flags.unwrap_or(attributes.flags);
        attributes
    }
}

/// Parses the text of `file`; paths come out relative to the root.
///
/// # Errors
/// [`Error::Spec`] with line and column of what is not understood.
pub fn parse(text: &str, file: &Path) -> Result<BTreeMap<String, Keywords>> {
    let mut found = BTreeMap::new();
    for (line, number) in text.lines().zip(1..) {
        let mut words = line.split_whitespace();
        let Some(path) = words.next().filter(|word| !word.starts_with('#')) else {
            continue;
        };
        let mut keywords = Keywords::default();
        for word in words {
            keyword(word, &mut keywords).ok_or_else(|| Error::Spec {
                file: file.to_path_buf(),
                line: number,
                column: line.find(word).unwrap_or(0) + 1,
                cause: format!("`{word}` is not understood"),
                hint: "known are mode=, uid=, gid= and flags=".into(),
            })?;
        }
        let path = path.trim_start_matches("./").trim_end_matches('/');
        found.insert(path.to_string(), keywords);
    }
    Ok(found)
}

fn keyword(word: &str, keywords: &mut Keywords) -> Option<()> {
    let (key, value) = word.split_once('=')?;
    match key {
        "mode" => keywords.mode = Some(u16::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o7777)?),
        "uid" => keywords.uid = Some(value.parse().ok()?),
        "gid" => keywords.gid = Some(value.parse().ok()?),
        "flags" => keywords.flags = Some(fflags::parse(value).ok()?),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let found = parse("# x\n./a/b mode=0640 flags=schg\n\nc/ uid=5\n", Path::new("m")).unwrap();
        let both = Attributes {
            mode: 0o644,
            ..Attributes::default()
        };
        let applied = found["a/b"].apply(both);
        assert_eq!((applied.mode, applied.flags, applied.uid), (0o640, 0x2_0000, 0));
        assert_eq!(found["c"].apply(both).uid, 5);
    }

    #[test]
    fn what_is_not_understood_is_located() {
        let error = parse("./a mode=0640\n./b mode=9\n", Path::new("rootfs.mtree"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("rootfs.mtree:2:5: `mode=9`"), "{error}");
    }
}
