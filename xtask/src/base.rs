//! What an appliance runs: the names of the bases, and the line that says what each is.

use clap::ValueEnum;
use ngforge_image::{hosted, manifest};
use serde::{Deserialize, Serialize};

/// What an appliance runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// FreeBSD, from its distribution sets
    Freebsd,
    /// The hosted kernel on Linux, from Debian packages: a rehearsal, not FreeBSD
    Hosted,
}

impl Base {
    /// Its name, in manifests, tests, reports and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Freebsd => manifest::FREEBSD,
            Self::Hosted => manifest::HOSTED,
        }
    }

    /// The base of this name.
    pub fn named(name: &str) -> Option<Self> {
        { Self::value_variants().iter().copied() }.find(|base| base.name() == name)
    }

    /// The command that builds an image with it.
    pub fn build_command(self) -> &'static str {
        match self {
            Self::Freebsd => "cargo xtask image",
            Self::Hosted => "cargo xtask image --base hosted",
        }
    }

    /// Memory that a machine with it has unless another size is asked for, in MiB.
    pub fn memory(self) -> u32 {
        match self {
            Self::Freebsd => 1024,
            Self::Hosted => 256,
        }
    }

    /// What an appliance with it is, in one line for people.
    pub fn introduction(self, system: Option<&str>, release: &str) -> String {
        match self {
            Self::Freebsd => format!("FreeBSD {release}"),
            Self::Hosted => hosted::introduction(system.unwrap_or("Linux"), release),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_manifests_and_files_have_the_same_names() {
        for base in Base::value_variants() {
            let option = base.to_possible_value().unwrap();
            assert_eq!(option.get_name(), base.name());
            assert_eq!(serde_json::to_value(base).unwrap(), base.name());
            assert_eq!(Base::named(base.name()), Some(*base));
        }
        assert_eq!(Base::named("moon"), None);
    }

    #[test]
    fn a_hosted_base_never_passes_for_freebsd() {
        let said = Base::Hosted.introduction(Some("Debian 12, Linux 6.1"), "14.3");
        assert!(said.contains("Debian 12, Linux 6.1"), "{said}");
        assert!(said.contains("a rehearsal on Linux, not FreeBSD"), "{said}");
        assert_eq!(Base::Freebsd.introduction(None, "14.3"), "FreeBSD 14.3");
    }
}
