//! `update:` in the appliance file: the update file beside an image with root slots, and who signs it.

use std::path::PathBuf;

use serde::Deserialize;

/// The update file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateSpec {
    /// Whether it is written; `true` if absent.
    #[serde(default = "yes")]
    pub file: bool,
    /// Public keys that the appliance trusts, as ssh-keygen(1) writes them to a `.pub` file, relative to the appliance
    /// file. If there is none, the build makes a pair.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

impl Default for UpdateSpec {
    fn default() -> Self {
        Self { file: true, key: None }
    }
}

fn yes() -> bool {
    true
}
