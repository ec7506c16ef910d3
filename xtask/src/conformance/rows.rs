//! The lines of the behaviour tables, `tests/conformance/rows.yaml`.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::util;

/// One line of the tables.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its letter and number.
    pub row: String,
    /// What it says.
    pub what: String,
    /// Tests of other lines that show this one as well.
    #[serde(default)]
    pub also: Vec<String>,
    /// Why it holds where no test can tell.
    #[serde(default)]
    pub construction: Option<String>,
}

impl Row {
    /// Whether a test is one of this line's.
    pub fn has(&self, test: &str) -> bool {
        row_of(test).as_deref() == Some(&self.row) || self.also.iter().any(|also| also == test)
    }
}

/// The line that a test's name begins with: `B4` for `b04_bind_names_the_node`.
fn row_of(test: &str) -> Option<String> {
    let (head, _) = test.split_once('_')?;
    let (letter, number) = head.split_at_checked(1)?;
    let number: u32 = number.parse().ok()?;
    Some(format!("{}{number}", letter.to_uppercase()))
}

/// Reads them.
///
/// # Errors
/// The file cannot be read, or says something unknown.
pub fn load() -> Result<Vec<Row>> {
    let path = util::root().join("tests/conformance/rows.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    serde_yaml::from_str(&text).with_context(|| format!("in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_belongs_to_the_line_its_name_begins_with() {
        assert_eq!(row_of("b04_bind_names_the_node").as_deref(), Some("B4"));
        assert_eq!(row_of("x01_no_event").as_deref(), Some("X1"));
        assert_eq!(row_of("signals_arrive"), None);
    }

    #[test]
    fn every_line_has_a_test_or_a_reason_and_every_test_a_line() {
        let (rows, records) = (load().unwrap(), super::super::Record::load_all().unwrap());
        let tests: std::collections::BTreeSet<_> = records.iter().flat_map(|record| record.tests.keys()).collect();
        let bare = rows
            .iter()
            .find(|row| row.construction.is_none() && !tests.iter().any(|test| row.has(test)));
        assert_eq!(bare.map(|row| &row.row), None);
        assert_eq!(tests.iter().find(|test| !rows.iter().any(|row| row.has(test))), None);
    }

    #[test]
    fn the_lines_are_readable_and_there_once() {
        let rows = load().unwrap();
        let names: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.row).collect();
        assert_eq!(names.len(), rows.len());
    }
}
