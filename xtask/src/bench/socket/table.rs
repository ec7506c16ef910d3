//! Results side by side.

use std::fmt::Write;

/// What one operation takes with one module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Instructions of the module itself; `None` where they cannot be told from the kernel's.
    pub module: Option<f64>,
    /// The module's calls of the kernel.
    pub calls: Option<f64>,
    /// Instructions of everything, from the process's call to its return.
    pub total: f64,
}

impl Cost {
    /// What the goals are about: the module's own instructions, or all where those are unknown.
    pub fn judged(&self) -> f64 {
        self.module.unwrap_or(self.total)
    }
}

/// A case with our module and, if there is one, the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The case, for people.
    pub case: &'static str,
    /// Our module.
    pub ours: Cost,
    /// The reference.
    pub reference: Option<Cost>,
}

impl Row {
    /// Ours by the reference.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.ours.judged() / self.reference?.judged())
    }
}

/// The table, a line for each row, with what is known.
pub fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<44}{:>26}{:>26}{:>7}\n{:<44}{:>10}{:>6}{:>10}{:>10}{:>6}{:>10}{:>7}\n",
        "", "ours", "reference", "", "an operation", "module", "calls", "all", "module", "calls", "all", "ratio"
    );
    for row in rows {
        let _ = write!(text, "{:<44}{}", row.case, columns(Some(&row.ours)));
        let _ = writeln!(text, "{}{}", columns(row.reference.as_ref()), number(row.ratio(), 7, 2));
    }
    text
}

fn columns(cost: Option<&Cost>) -> String {
    let part = |of: fn(&Cost) -> Option<f64>, width| number(cost.and_then(of), width, 0);
    let (module, calls) = (part(|cost| cost.module, 10), part(|cost| cost.calls, 6));
    format!("{module}{calls}{}", part(|cost| Some(cost.total), 10))
}

fn number(value: Option<f64>, width: usize, digits: usize) -> String {
    match value {
        Some(value) => format!("{value:>width$.digits$}"),
        None => format!("{:>width$}", "-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(module: f64) -> Cost {
        Cost {
            module: Some(module),
            calls: Some(7.0),
            total: 1000.0,
        }
    }

    #[test]
    fn rows_are_as_wide_as_the_head() {
        let row = Row {
            case: "open and close",
            ours: cost(45.0),
            reference: Some(cost(90.0)),
        };
        let alone = Row {
            reference: None,
            ..row.clone()
        };
        let text = table(&[row, alone]);
        let widths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(widths, [103; 4]);
        assert!(text.lines().nth(2).unwrap().ends_with("   0.50"), "{text}");
        assert!(text.lines().nth(3).unwrap().ends_with(" -"), "{text}");
    }

    #[test]
    fn the_module_counts_where_it_is_known() {
        let guest = Cost {
            module: None,
            calls: None,
            total: 900.0,
        };
        let row = Row {
            case: "",
            ours: guest,
            reference: Some(Cost { total: 1000.0, ..guest }),
        };
        assert_eq!(row.ratio(), Some(0.9));
    }
}
