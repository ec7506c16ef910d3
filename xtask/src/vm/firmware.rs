//! UEFI firmware for QEMU: where distributions keep it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Places of OVMF, code and variables, each with whose it is. The first pair that exists is taken.
const PLACES: &[(&str, &str, &str)] = &[
    (
        "Debian, Ubuntu",
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "Debian, Fedora",
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
    (
        "Fedora",
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "Arch",
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "Arch, older",
        "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
        "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd",
    ),
    (
        "openSUSE",
        "/usr/share/qemu/ovmf-x86_64-code.bin",
        "/usr/share/qemu/ovmf-x86_64-vars.bin",
    ),
    (
        "FreeBSD",
        "/usr/local/share/edk2-qemu/QEMU_UEFI_CODE-x86_64.fd",
        "/usr/local/share/edk2-qemu/QEMU_UEFI_VARS-x86_64.fd",
    ),
    (
        "FreeBSD's QEMU",
        "/usr/local/share/qemu/edk2-x86_64-code.fd",
        "/usr/local/share/qemu/edk2-i386-vars.fd",
    ),
    (
        "QEMU's own",
        "/usr/share/qemu/edk2-x86_64-code.fd",
        "/usr/share/qemu/edk2-i386-vars.fd",
    ),
];

/// Code and variables in every place that is known.
pub fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLACES.iter().map(|(_, code, variables)| (*code, *variables))
}

/// Firmware for a machine: its code, and the variables it starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// Read-only code.
    pub code: PathBuf,
    /// Template of the variables; each machine writes to a copy. A file given by `--firmware` may hold both.
    pub variables: Option<PathBuf>,
}

impl Firmware {
    /// The file given, or the first one that a distribution has installed.
    ///
    /// # Errors
    /// The file given does not exist, or none is installed; the message says how to get one.
    pub fn find(given: Option<&Path>) -> Result<Self> {
        match given {
            Some(code) => Self::given(code),
            None => Self::installed(Path::new("/")),
        }
    }

    fn given(code: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(code)
            .with_context(|| format!("could not read the firmware {} that --firmware names", code.display()))?;
        if !metadata.is_file() {
            bail!("--firmware needs a file; {} is none", code.display());
        }
        let known = PLACES.iter().find(|(_, place, _)| Path::new(place) == code);
        Ok(Self {
            code: code.to_owned(),
            variables: known.map(|(_, _, variables)| variables.into()),
        })
    }

    fn installed(root: &Path) -> Result<Self> {
        let below = |place: &str| root.join(place.trim_start_matches('/'));
        let pairs = PLACES
            .iter()
            .map(|(_, code, variables)| (below(code), below(variables)));
        let mut complete = pairs.filter(|(code, variables)| code.is_file() && variables.is_file());
        match complete.next() {
            Some((code, variables)) => Ok(Self {
                code,
                variables: Some(variables),
            }),
            None => bail!(
                "could not find UEFI firmware (OVMF), which is needed to boot the image in QEMU\n\
                 hint: install it with `{}`, or name a file with --firmware",
                crate::preflight::install_command("ovmf")
            ),
        }
    }

    /// A copy of the variables in `dir` that a machine may write to.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub fn copy_variables(&self, dir: &Path) -> Result<Option<PathBuf>> {
        let Some(template) = &self.variables else {
            return Ok(None);
        };
        let copy = dir.join("firmware-variables.fd");
        let bytes = std::fs::read(template)
            .with_context(|| format!("could not read the firmware's variables {}", template.display()))?;
        std::fs::write(&copy, bytes).with_context(|| format!("could not write {}", copy.display()))?;
        Ok(Some(copy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(root: &Path, place: &str) {
        let path = root.join(place.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }

    #[test]
    fn every_distribution_s_place_is_found() {
        for (name, code, variables) in PLACES {
            let root = tempfile::tempdir().unwrap();
            touch(root.path(), code);
            assert!(
                Firmware::installed(root.path()).is_err(),
                "{name}: code alone is not enough"
            );
            touch(root.path(), variables);
            let found = Firmware::installed(root.path()).unwrap();
            assert!(found.code.ends_with(code.trim_start_matches('/')), "{name}");
        }
    }

    #[test]
    fn missing_firmware_says_what_it_is_for_and_how_to_get_it() {
        let root = tempfile::tempdir().unwrap();
        let error = Firmware::installed(root.path()).unwrap_err().to_string();
        assert!(error.contains("needed to boot the image in QEMU"), "{error}");
        assert!(error.contains("--firmware"), "{error}");
        let error = Firmware::find(Some(Path::new("/nonexistent.fd"))).unwrap_err();
        assert!(error.to_string().contains("/nonexistent.fd"), "{error}");
    }

    #[test]
    fn variables_are_copied_so_that_the_template_stays_clean() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), "vars");
        let firmware = Firmware {
            code: "code".into(),
            variables: Some(dir.path().join("vars")),
        };
        let copy = firmware.copy_variables(dir.path()).unwrap().unwrap();
        assert_ne!(copy, dir.path().join("vars"));
        assert_eq!(std::fs::read(copy).unwrap(), b"x");
    }
}
