//! Profiles: what is left out of the distribution sets, as lists of patterns in overlay/profiles/.

mod rules;

use serde::Deserialize;

pub use rules::{Rules, Selected};

/// How much of the sets goes into the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// All but debug files.
    Full,
    /// What a network appliance needs.
    #[default]
    Net,
    /// The kernel, the modules that the appliance names, rescue, sshd and ng.
    Tiny,
}

/// The patterns of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// What goes, with all that lies below.
    #[serde(default)]
    pub prune: Vec<String>,
    /// What stays all the same, with all that lies below.
    #[serde(default)]
    pub keep: Vec<String>,
}

impl Profile {
    /// Its file, for messages.
    pub fn file(self) -> &'static str {
        match self {
            Self::Full => "overlay/profiles/full.yaml",
            Self::Net => "overlay/profiles/net.yaml",
            Self::Tiny => "overlay/profiles/tiny.yaml",
        }
    }

    /// Its text.
    pub fn text(self) -> &'static str {
        match self {
            Self::Full => include_str!("../../overlay/profiles/full.yaml"),
            Self::Net => include_str!("../../overlay/profiles/net.yaml"),
            Self::Tiny => include_str!("../../overlay/profiles/tiny.yaml"),
        }
    }

    /// Its patterns.
    ///
    /// # Errors
    /// The file that was compiled in is wrong, and how.
    pub fn lists(self) -> crate::Result<Lists> {
        let file = std::path::Path::new(self.file());
        serde_yaml::from_str(self.text())
            .map_err(|error| crate::suggest::spec_error(&error, self.text(), file, "known keys: prune, keep"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_can_be_read() {
        for profile in [Profile::Full, Profile::Net, Profile::Tiny] {
            assert!(!profile.lists().unwrap().prune.is_empty(), "{profile:?}");
        }
    }
}
