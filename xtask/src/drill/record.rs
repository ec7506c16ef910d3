//! What became of each update.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// What was going on when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum During {
    /// The update was being installed.
    Installation,
    /// The machine had restarted, and was booting the update.
    Boot,
}

/// One update that was cut off, after which the machine was what it should be.
#[derive(Debug, Serialize)]
pub struct Record {
    pub number: u32,
    pub during: During,
    /// Seconds from the start of the installation to the cut.
    pub cut_after: f64,
    /// The slot that ran before.
    pub before: String,
    /// The slot that runs after it.
    pub after: String,
    /// Seconds from switching on to being healthy.
    pub healthy_after: f64,
}

impl Record {
    /// A line of the table.
    pub fn row(&self) -> String {
        let during = match self.during {
            During::Installation => "during installation",
            During::Boot => "during the first boot",
        };
        let outcome = match self.after == self.before {
            true => "as before",
            false => "the update",
        };
        format!(
            "update {:>3}: cut after {:>6.1} s, {during:<21}; slot {}, {outcome}, healthy after {:>5.1} s",
            self.number, self.cut_after, self.after, self.healthy_after
        )
    }
}

/// How many were what they should be.
pub fn summary(records: &[Record], wanted: u32) -> String {
    let booting = records.iter().filter(|record| record.during == During::Boot).count();
    let updated = records.iter().filter(|record| record.after != record.before).count();
    format!(
        "{} of {wanted}: healthy, with the configuration that was saved \
         ({} cut during installation, {booting} during the first boot; {updated} ran the update afterwards)",
        records.len(),
        records.len() - booting
    )
}

/// Writes all of it as JSON.
///
/// # Errors
/// The file cannot be written.
pub fn write(records: &[Record], path: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(records)?;
    std::fs::write(path, text + "\n").with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_summary_say_what_happened() {
        let record = |number, during, after: &str| Record {
            number,
            during,
            cut_after: 12.34,
            before: "a".into(),
            after: after.into(),
            healthy_after: 40.0,
        };
        let records = [record(1, During::Installation, "a"), record(2, During::Boot, "b")];
        assert_eq!(
            records[0].row(),
            "update   1: cut after   12.3 s, during installation  ; slot a, as before, healthy after  40.0 s"
        );
        assert!(
            records[1]
                .row()
                .contains("during the first boot; slot b, the update, healthy")
        );
        assert_eq!(
            summary(&records, 50),
            "2 of 50: healthy, with the configuration that was saved \
             (1 cut during installation, 1 during the first boot; 1 ran the update afterwards)"
        );
    }
}
