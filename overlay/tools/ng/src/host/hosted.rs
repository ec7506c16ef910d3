//! A hosted kernel, around which there is no machine: it has no interfaces but those in its graph.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use graph::{Mac, NetworkInterface};

use super::Host;
use crate::failure::{Failure, Result};

/// The hosted kernel that is served at a Unix socket.
#[derive(Debug, Clone)]
pub struct Hosted(pub PathBuf);

impl Host for Hosted {
    fn arguments(&self) -> Result<Vec<OsString>> {
        let path = std::path::absolute(&self.0).map_err(|error| Failure::File {
            path: self.0.display().to_string(),
            error,
        })?;
        Ok(vec!["--hosted".into(), path.into()])
    }

    fn interfaces(&self) -> Result<Vec<NetworkInterface>> {
        Ok(Vec::new())
    }

    fn rename(&self, _: &str, _: &str) -> Result<()> {
        Err(absent("give interfaces other names"))
    }

    fn set_mac(&self, _: &str, _: Mac) -> Result<()> {
        Err(absent("give interfaces other hardware addresses"))
    }

    fn move_to_jail(&self, _: &str, _: &str) -> Result<()> {
        Err(absent("move interfaces to jails"))
    }

    fn in_jail(&self, _: &str, _: &str) -> Result<Option<NetworkInterface>> {
        Ok(None)
    }

    /// The daemon makes its socket when it starts.
    fn instance(&self) -> Result<String> {
        let socket = fs::metadata(&self.0).map_err(|error| Failure::File {
            path: self.0.display().to_string(),
            error,
        })?;
        Ok(format!("{}:{}.{}", socket.ino(), socket.ctime(), socket.ctime_nsec()))
    }
}

fn absent(what: &str) -> Failure {
    Failure::Usage(format!("a hosted kernel cannot {what}; this works on FreeBSD only"))
}
