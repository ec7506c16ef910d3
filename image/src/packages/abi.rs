//! Whether a package is for the appliance's system.

use super::manifest::Manifest;

/// The system: release and processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abi {
    major: u32,
    minor: u32,
}

impl Abi {
    /// Of a release such as `14.3`, on amd64.
    pub fn of(release: &str) -> Option<Self> {
        let numbers = release.split('-').next()?;
        let (major, minor) = numbers.split_once('.').unwrap_or((numbers, "0"));
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }

    /// Its name, such as `FreeBSD:14:amd64`.
    pub fn name(&self) -> String {
        format!("FreeBSD:{}:amd64", self.major)
    }

    /// Checks that a package is for this system, or for any processor, and for no later release.
    ///
    /// # Errors
    /// Why not, in words that follow the package's name.
    pub fn check(&self, manifest: &Manifest) -> Result<(), String> {
        let said = match manifest.abi.as_str() {
            "" => &manifest.arch,
            abi => abi,
        };
        let fitting = [":amd64", ":x86:64", ":*"].map(|processor| format!("freebsd:{}{processor}", self.major));
        let any = ["freebsd:*", "freebsd:*:*", "*"];
        let lower = said.to_ascii_lowercase();
        if !fitting.contains(&lower) && !any.contains(&lower.as_str()) {
            return Err(format!("is for {}, not for {}", said.escape_debug(), self.name()));
        }
        self.check_version(manifest)
    }

    /// `FreeBSD_version` is `__FreeBSD_version` of where it was built: release 14.3 has 1403000 (sys/param.h).
    fn check_version(&self, manifest: &Manifest) -> Result<(), String> {
        let Some(version) = manifest.annotations.get("FreeBSD_version") else {
            return Ok(());
        };
        let text = version.as_str().map_or_else(|| version.to_string(), String::from);
        match text.parse::<u64>() {
            Ok(number) if number / 1000 > u64::from(self.major) * 100 + u64::from(self.minor) => Err(format!(
                "was built on a later FreeBSD ({number}) than {}.{}",
                self.major, self.minor
            )),
            Ok(_) => Ok(()),
            Err(_) => Err(format!(
                "says it was built on FreeBSD `{}`, which is no version",
                text.escape_debug()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(abi: &str, version: &str) -> Result<(), String> {
        let manifest = Manifest {
            abi: abi.into(),
            annotations: [("FreeBSD_version".into(), version.into())].into(),
            ..Manifest::default()
        };
        Abi::of("14.3-RELEASE").unwrap().check(&manifest)
    }

    #[test]
    fn systems_that_fit_and_that_do_not() {
        for abi in ["FreeBSD:14:amd64", "freebsd:14:x86:64", "FreeBSD:14:*", "*"] {
            assert_eq!(check(abi, "1403000"), Ok(()));
        }
        assert_eq!(
            check("FreeBSD:14:aarch64", "1400097").unwrap_err(),
            "is for FreeBSD:14:aarch64, not for FreeBSD:14:amd64"
        );
        assert!(
            check("FreeBSD:15:amd64", "1")
                .unwrap_err()
                .contains("not for FreeBSD:14:amd64")
        );
        assert!(check("", "1").is_err());
        assert!(
            check("*", "1404000")
                .unwrap_err()
                .contains("later FreeBSD (1404000) than 14.3")
        );
        assert!(check("*", "x").unwrap_err().contains("no version"));
    }
}
