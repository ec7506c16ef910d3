//! Results, one below the other.

use std::fmt::Write;

/// What something takes.
pub struct Row {
    /// What it is, for people.
    pub what: &'static str,
    /// Milliseconds from start to end, the least of all rounds.
    pub least: f64,
    /// The same in the middle of the rounds.
    pub wall: f64,
    /// Milliseconds of processors, in the middle of the rounds.
    pub processor: f64,
    /// Instructions, without the kernel's, where they are known.
    pub instructions: Option<u64>,
}

/// The table, a line for each row.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<28}{:>11}{:>10}{:>15}{:>15}\n",
        "", "least, ms", "median", "processor, ms", "instructions"
    );
    for row in rows {
        let count = row
            .instructions
            .map_or_else(|| "-".to_owned(), |count| count.to_string());
        let (least, wall, processor) = (row.least, row.wall, row.processor);
        let _ = writeln!(
            text,
            "{:<28}{least:>11.1}{wall:>10.1}{processor:>15.1}{count:>15}",
            row.what
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
            least: 58.0,
            wall: 61.25,
            processor: 12.5,
            instructions,
        };
        let text = table(&[row(Some(123_456_789)), row(None)]);
        let widths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(widths, [79; 3], "{text}");
        assert!(text.lines().nth(1).unwrap().ends_with("123456789"), "{text}");
    }
}
