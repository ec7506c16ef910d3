//! The parts file: what the hosted base takes from Debian.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::suggest;

/// What the hosted base takes from Debian.
///
/// With each program come the libraries that it needs, with each module those that it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// Debian's release, such as `bookworm`.
    pub suite: String,
    /// A package with a Linux kernel, or one that depends on it.
    pub kernel: String,
    /// The kernel's command line.
    pub cmdline: String,
    /// The EFI program that starts the kernel.
    pub stub: Stub,
    /// Linux kernel modules to load at boot, in this order.
    pub modules: Vec<String>,
    /// By package, the programs to take from it: paths relative to the root.
    pub programs: BTreeMap<String, Vec<String>>,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stub {
    /// The package.
    pub package: String,
    /// The file's path relative to the root.
    pub file: String,
}

impl Parts {
    /// Reads a parts file.
    ///
    /// # Errors
    /// It is absent, or [`Error::Spec`] with line and column.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| Error::Input {
            file: path.to_path_buf(),
            cause: format!("could not be read: {error}"),
            hint: "name the parts file of the hosted base with --parts".into(),
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of the parts file `path`.
    ///
    /// # Errors
    /// [`Error::Spec`] with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let parts: Self =
            serde_yaml::from_str(text).map_err(|error| suggest::spec_error(&error, text, path, DOCUMENTATION))?;
        parts
            .check()
            .map_err(|(key, cause)| {
                let (line, column) = suggest::find_key(text, key);
                Error::Spec {
                    file: path.to_path_buf(),
                    line,
                    column,
                    cause,
                    hint: DOCUMENTATION.into(),
                }
            })
            .map(|()| parts)
    }

    /// Names go into the command line of apt-get.
    fn check(&self) -> std::result::Result<(), (&'static str, String)> {
        let packages = { self.programs.keys() }.map(|name| ("programs", name));
        let others = [
            ("suite", &self.suite),
            ("kernel", &self.kernel),
            ("stub", &self.stub.package),
        ];
        match packages.chain(others).find(|(_, name)| !is_name(name)) {
            None => Ok(()),
            Some((key, name)) => Err((
                key,
                format!("`{name}` is not a name of lower-case letters, digits, `+`, `-`, `.`"),
            )),
        }
    }
}

const DOCUMENTATION: &str = "see the comments in overlay/hosted.yaml";

/// Whether this may be the name of a package (Debian policy, 5.6.1).
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.bytes().next().is_some_and(plain) && name.bytes().all(|byte| plain(byte) || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "suite: bookworm\nkernel: linux\ncmdline: quiet\nstub: {package: boot, file: stub.efi}\nmodules: []\n\
                        programs:\n  busybox: [bin/busybox]\n";

    fn error(text: &str) -> String {
        Parts::parse(text, Path::new("hosted.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn a_parts_file_is_understood() {
        let parts = Parts::parse(GOOD, Path::new("hosted.yaml")).unwrap();
        assert_eq!(parts.programs["busybox"], ["bin/busybox"]);
    }

    #[test]
    fn mistakes_are_shown_with_their_place() {
        let misspelt = error(&GOOD.replace("modules", "moduls"));
        assert!(
            misspelt.starts_with("hosted.yaml:5:1: unknown key `moduls`"),
            "{misspelt}"
        );
        assert!(misspelt.contains("did you mean `modules`?"), "{misspelt}");
        let option = error(&GOOD.replace("kernel: linux", "kernel: -oDir=x"));
        assert!(
            option.starts_with("hosted.yaml:2:1: `-oDir=x` is not a name"),
            "{option}"
        );
    }
}
