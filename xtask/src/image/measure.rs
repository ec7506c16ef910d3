//! What a build cost.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Time and memory of one build.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Seconds from inputs to image.
    pub seconds: f64,
    /// Most memory held at any time, in KiB (VmHWM of proc_pid_status(5)).
    pub peak_kib: u64,
}

impl Measured {
    /// Of this process, whose build began at `since`.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn of_this_process(since: Instant) -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("/proc/self/status: could not be read")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        Ok(Self {
            seconds: since.elapsed().as_secs_f64(),
            peak_kib: number.context("/proc/self/status: has no VmHWM")?,
        })
    }

    /// Writes it to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, file: &Path) -> Result<()> {
        fs::write(file, serde_json::to_vec(self)?).with_context(|| format!("{}: could not be written", file.display()))
    }

    /// Reads what [`Measured::save`] wrote.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("{}: could not be read", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }
}
