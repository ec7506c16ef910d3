//! MANIFEST: one set per line, tab-separated: file name, SHA-256, number of files, short name, description, default.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A parsed MANIFEST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The file or address it came from, for messages.
    origin: PathBuf,
    /// SHA-256 of the text in hexadecimal.
    pub sha256: String,
    entries: Vec<(String, String)>,
}

/// One set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// File name, such as `base.txz`.
    pub file: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

impl List {
    /// Parses the text of a MANIFEST that came from `origin`.
    ///
    /// # Errors
    /// A line has no checksum.
    pub fn parse(text: &str, origin: &Path) -> Result<Self> {
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let entries = lines.map(|(line, number)| {
            let mut fields = line.split('\t').map(str::trim);
            let (file, sum) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            match sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                true => Ok((file.to_string(), sum.to_ascii_lowercase())),
                false => Err(Error::Input {
                    file: origin.to_path_buf(),
                    cause: format!("line {number} is not `<set><TAB><SHA-256>...`"),
                    hint: "take MANIFEST from the release's own folder".into(),
                }),
            }
        });
        Ok(Self {
            origin: origin.to_path_buf(),
            sha256: crate::hash::of_bytes(text.as_bytes()),
            entries: entries.collect::<Result<_>>()?,
        })
    }

    /// The checksum of a set, by the name `base` or `base.txz`.
    ///
    /// # Errors
    /// The set is not listed; the message says which are.
    pub fn find(&self, name: &str) -> Result<Listed> {
        let file = if name.contains('.') {
            name.to_string()
        } else {
            format!("{name}.txz")
        };
        let found = self.entries.iter().find(|(listed, _)| *listed == file);
        let Some((_, sha256)) = found else {
            let known: Vec<&str> = self.entries.iter().map(|(listed, _)| listed.as_str()).collect();
            return Err(Error::Input {
                file: self.origin.clone(),
                cause: format!("does not list {file}; it lists {}", known.join(", ")),
                hint: "correct `sets` in the appliance file, or take MANIFEST of the right release".into(),
            });
        };
        Ok(Listed {
            file,
            sha256: sha256.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn sets_are_found_with_and_without_extension() {
        let list = List::parse(
            &format!("base.txz\t{SUM}\t29000\tbase\t\"Base\"\ton\n\n"),
            Path::new("M"),
        )
        .unwrap();
        assert_eq!(list.find("base").unwrap(), list.find("base.txz").unwrap());
        assert_eq!(list.find("base").unwrap().sha256, SUM.to_lowercase());
    }

    #[test]
    fn an_unlisted_set_is_named_with_the_listed_ones() {
        let list = List::parse(&format!("base.txz\t{SUM}\n"), Path::new("dir/MANIFEST")).unwrap();
        let error = list.find("kernel").unwrap_err().to_string();
        assert!(
            error.starts_with("dir/MANIFEST: does not list kernel.txz; it lists base.txz"),
            "{error}"
        );
    }

    #[test]
    fn a_web_page_instead_of_a_list_is_noticed() {
        let error = List::parse("<html>", Path::new("M")).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
