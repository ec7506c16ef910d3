//! Tables for people: columns as wide as what stands in them.

use std::env;
use std::io::{self, IsTerminal, Write};

/// How output looks that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// In ngctl(8)'s form, which scripts take apart.
    Plain,
    /// In tables.
    Table,
    /// In tables with headings that stand out.
    Coloured,
}

impl Style {
    /// Tables on a terminal, ngctl's form elsewhere; coloured unless NO_COLOR is set or the terminal is a dumb one.
    pub fn fitting() -> Self {
        if io::stdout().is_terminal() {
            Self::table()
        } else {
            Self::Plain
        }
    }

    /// Tables wherever output goes; coloured as for [`Style::fitting`].
    pub fn table() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb {
            Self::Coloured
        } else {
            Self::Table
        }
    }

    /// Text that stands out.
    pub fn strong(self, text: &str) -> String {
        match self {
            Self::Coloured => format!("\x1b[1m{text}\x1b[0m"),
            Self::Plain | Self::Table => text.to_owned(),
        }
    }
}

/// Rows below a heading.
#[derive(Debug)]
pub struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with that heading.
    pub fn new(heading: &[&'static str]) -> Self {
        Self {
            heading: heading.to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more row, of as many cells as the heading has.
    pub fn row<const CELLS: usize>(&mut self, cells: [String; CELLS]) {
        self.rows.push(cells.to_vec());
    }

    /// Writes it; columns of numbers alone stand right.
    pub fn write(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let columns: Vec<(usize, bool)> = (0..self.heading.len()).map(|column| self.measure(column)).collect();
        let heading: Vec<String> = self.heading.iter().map(|&cell| cell.to_owned()).collect();
        writeln!(out, "{}", style.strong(&line(&heading, &columns)))?;
        self.rows
            .iter()
            .try_for_each(|row| writeln!(out, "{}", line(row, &columns)))
    }

    /// How wide a column is, in characters, and whether it holds numbers.
    fn measure(&self, column: usize) -> (usize, bool) {
        let cells = || self.rows.iter().filter_map(|row| row.get(column));
        let widest = cells().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let numbers = cells().all(|cell| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit()));
        (widest.max(self.heading[column].len()), numbers && !self.rows.is_empty())
    }
}

fn line(cells: &[String], columns: &[(usize, bool)]) -> String {
    let padded = cells.iter().zip(columns).map(|(cell, &(width, right))| {
        if right {
            format!("{cell:>width$}")
        } else {
            format!("{cell:width$}")
        }
    });
    let line = padded.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_needed() {
        let mut table = Table::new(&["NAME", "HOOKS", "TYPE"]);
        table.row(["größe".into(), "2".into(), "tee".into()]);
        table.row(["a".into(), "12".into(), "bridge".into()]);
        let mut text = Vec::new();
        table.write(&mut text, Style::Table).unwrap();
        let expected = "NAME   HOOKS  TYPE\ngröße      2  tee\na         12  bridge\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_heading_stands_out_when_coloured() {
        let mut text = Vec::new();
        Table::new(&["NAME"]).write(&mut text, Style::Coloured).unwrap();
        assert_eq!(text, b"\x1b[1mNAME\x1b[0m\n");
    }
}
