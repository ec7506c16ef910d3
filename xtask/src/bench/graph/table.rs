//! Results, one below the other.

use std::fmt::Write;

/// What something takes.
pub struct Row {
    /// What it is, for people.
    pub what: &'static str,
    /// Milliseconds from start to end.
    pub wall: f64,
    /// Milliseconds of processors.
    pub processor: f64,
    /// Instructions, without the kernel's, where they are known.
    pub instructions: Option<u64>,
}

/// The table, a line for each row.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<30}{:>12}{:>15}{:>15}\n",
        "", "time, ms", "processor, ms", "instructions"
    );
    for row in rows {
        let count = row
            .instructions
            .map_or_else(|| "-".to_owned(), |count| count.to_string());
        let _ = writeln!(
            text,
            "{:<30}{:>12.1}{:>15.1}{count:>15}",
            row.what, row.wall, row.processor
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_wide_as_the_head() {
        let row = |instructions| Row {
            what: "ng apply",
            wall: 61.25,
            processor: 12.5,
            instructions,
        };
        let text = table(&[row(Some(123_456_789)), row(None)]);
        let widths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(widths, [72; 3], "{text}");
        assert!(text.lines().nth(1).unwrap().ends_with("123456789"), "{text}");
    }
}
