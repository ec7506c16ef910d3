//! Reports of a run: rows for people, JUnit XML and JSON for machines.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::record::{Outcome, Record, Run};
use crate::vm::timeline;

/// Output of a test that is shown in XML.
const SHOWN: usize = 16 * 1024;

/// The head of the table.
pub fn head() -> String {
    format!("{:<8} {:>8}  {:<10} {}", "result", "time", "file", "test")
}

/// One row of the table, and the reasons below it.
pub fn row(record: &Record) -> String {
    let mut row = format!(
        "{:<8} {:>6.1} s  {:<10} {}",
        record.outcome.word(),
        record.seconds,
        record.suite,
        record.name
    );
    let reasons = match &record.outcome {
        Outcome::Skipped(reason) => {
            row += &format!(" ({reason})");
            Vec::new()
        }
        // The reason is the same for every test that was not reached, and stands at the end of the report.
        Outcome::NotRun(_) => Vec::new(),
        outcome => outcome.reasons(),
    };
    for reason in reasons {
        row.push_str("\n                      - ");
        row.push_str(&reason);
    }
    row
}

/// The end of the report.
pub fn summary(run: &Run) -> String {
    let tally = run.tally();
    let mut text = format!("{}: {}\n", run.image, run.introduction);
    text += &match run.boot_seconds {
        Some(seconds) => format!(
            "power-on to SSH: {seconds:.1} s ({})\n  {}\n",
            run.accelerator,
            timeline::in_words(&run.timeline)
        ),
        None => format!("SSH was never reached ({})\n", run.accelerator),
    };
    if let Some(reason) = &run.ended_early {
        text += &format!("ended early: {reason}\n");
        if !run.console.is_empty() {
            text += &format!(
                "the last lines of its serial console:\n  | {}\n",
                run.console.join("\n  | ")
            );
        }
    }
    text += &format!(
        "{} passed, {} failed, {} skipped, {} not run, in {:.1} s",
        tally.passed, tally.failed, tally.skipped, tally.not_run, run.test_seconds
    );
    text
}

/// Writes `junit.xml` and `report.json` into a folder.
///
/// # Errors
/// They cannot be written.
pub fn write(run: &Run, folder: &Path) -> Result<()> {
    let save = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("could not write the report {}", path.display()))
    };
    save("junit.xml", junit(run))?;
    save("report.json", serde_json::to_string_pretty(run)? + "\n")
}

/// The run as JUnit XML: one suite for the boot, one for each file.
fn junit(run: &Run) -> String {
    let mut suites: Vec<(&str, Vec<String>)> = vec![("boot", vec![boot_case(run)])];
    for record in &run.tests {
        let suite = record.suite.as_str();
        if suites.last().is_none_or(|(name, _)| *name != suite) {
            suites.push((suite, Vec::new()));
        }
        if let Some((_, cases)) = suites.last_mut() {
            cases.push(case(record));
        }
    }
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml += &format!("<testsuites name=\"{}\">\n", escaped(&run.image));
    for (name, cases) in suites {
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
            cases.len(),
            count(&cases, "<failure"),
            count(&cases, "<error"),
            count(&cases, "<skipped")
        );
        xml += &format!(
            "  <testsuite name=\"{}\" {counts}>\n{}{}  </testsuite>\n",
            escaped(name),
            properties(run),
            cases.concat()
        );
    }
    xml + "</testsuites>\n"
}

/// What the guest is, which JUnit XML takes in suites only.
fn properties(run: &Run) -> String {
    let values = [("base", run.base.name()), ("introduction", &run.introduction)];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let stages = run.timeline.iter();
    let stages = stages.map(|stage| (format!("boot.{}.seconds", stage.name), format!("{:.3}", stage.seconds)));
    let property =
        |(name, value): (String, String)| format!("      <property name=\"{name}\" value=\"{}\"/>\n", escaped(&value));
    let all = values.into_iter().chain(stages).map(property).collect::<String>();
    format!("    <properties>\n{all}    </properties>\n")
}

fn count(cases: &[String], element: &str) -> usize {
    cases.iter().filter(|case| case.contains(element)).count()
}

/// Getting from power-on to a session is a test, too.
fn boot_case(run: &Run) -> String {
    let seconds = run.boot_seconds.unwrap_or_default();
    let body = match (&run.boot_seconds, &run.ended_early) {
        (None, Some(reason)) => element("failure", reason, &run.console.join("\n")),
        _ => String::new(),
    };
    testcase("boot", "the guest boots and opens SSH", seconds, &body)
}

fn case(record: &Record) -> String {
    let reasons = record.outcome.reasons();
    let first = reasons.first().map_or("", String::as_str);
    let mut body = match &record.outcome {
        Outcome::Passed => String::new(),
        Outcome::Failed(_) => element("failure", first, &reasons.join("\n")),
        Outcome::Skipped(_) => element("skipped", first, ""),
        Outcome::NotRun(_) => element("error", first, ""),
    };
    if let Outcome::Failed(_) = record.outcome {
        for (name, text) in [("system-out", &record.stdout), ("system-err", &record.stderr)] {
            // Writing to a string cannot fail.
            let _ = writeln!(body, "      <{name}>{}</{name}>", escaped(beginning(text)));
        }
    }
    testcase(&record.suite, &record.name, record.seconds, &body)
}

fn testcase(suite: &str, name: &str, seconds: f64, body: &str) -> String {
    let open = format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{seconds:.3}\"",
        escaped(suite),
        escaped(name)
    );
    if body.is_empty() {
        open + "/>\n"
    } else {
        format!("{open}>\n{body}    </testcase>\n")
    }
}

fn element(name: &str, message: &str, text: &str) -> String {
    format!(
        "      <{name} message=\"{}\">{}</{name}>\n",
        escaped(message),
        escaped(text)
    )
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(SHOWN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Text as XML 1.0 takes it: markup as entities, characters it does not know at all as U+FFFD.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push('\t'),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            control if control < ' ' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Base;

    fn record(suite: &str, outcome: Outcome) -> Record {
        Record {
            suite: suite.into(),
            name: "a <name> & \"more\"".into(),
            outcome,
            seconds: 1.25,
            stdout: "\u{1b}[31m<out>\0\n".repeat(10_000),
            stderr: "]]>".into(),
        }
    }

    fn run(tests: Vec<Record>) -> Run {
        Run {
            image: "router".into(),
            base: Base::Hosted,
            introduction: "a rehearsal".into(),
            release: "14.3".into(),
            accelerator: "tcg (as asked)".into(),
            boot_seconds: Some(41.0),
            timeline: vec![crate::vm::timeline::Stage {
                name: "loader",
                seconds: 41.0,
            }],
            test_seconds: 12.0,
            ended_early: None,
            console: vec![],
            tests,
        }
    }

    #[test]
    fn the_xml_is_well_formed_and_counts_right() {
        let run = run(vec![
            record("a", Outcome::Passed),
            record("a", Outcome::Failed(vec!["<why>".into(), "too".into()])),
            record("b", Outcome::Skipped("other base".into())),
            record("b", Outcome::NotRun("panic".into())),
        ]);
        let xml = junit(&run);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suites: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("testsuite"))
            .map(|node| ["name", "tests", "failures", "errors", "skipped"].map(|name| node.attribute(name).unwrap()))
            .collect();
        assert_eq!(
            suites,
            [
                ["boot", "1", "0", "0", "0"],
                ["a", "2", "1", "0", "0"],
                ["b", "2", "0", "1", "1"]
            ]
        );
        let failure = document
            .descendants()
            .find(|node| node.has_tag_name("failure"))
            .unwrap();
        assert_eq!(failure.attribute("message"), Some("<why>"));
        assert_eq!(failure.text(), Some("<why>\ntoo"));
        let properties = document.descendants().filter(|node| node.has_tag_name("property"));
        let boot: Vec<_> = properties
            .take(3)
            .map(|node| node.attribute("value").unwrap())
            .collect();
        assert_eq!(boot, ["hosted", "a rehearsal", "41.000"]);
        assert!(xml.len() < 100_000, "output in XML is limited");
    }

    #[test]
    fn a_guest_that_never_came_up_is_a_failed_boot() {
        let mut run = run(vec![record("a", Outcome::NotRun("panic".into()))]);
        run.boot_seconds = None;
        run.ended_early = Some("the guest's kernel panicked: panic: x".into());
        run.console = vec!["panic: x".into(), "cpuid = 0".into()];
        let xml = junit(&run);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let failure = document
            .descendants()
            .find(|node| node.has_tag_name("failure"))
            .unwrap();
        assert_eq!(failure.text(), Some("panic: x\ncpuid = 0"));
        let summary = summary(&run);
        assert!(summary.starts_with("router: a rehearsal\n"), "{summary}");
        assert!(
            summary.contains("ended early: the guest's kernel panicked"),
            "{summary}"
        );
        assert!(summary.contains("  | cpuid = 0\n"), "{summary}");
        assert!(!run.is_proof());
    }

    #[test]
    fn only_a_complete_run_with_something_passed_is_a_proof() {
        assert!(run(vec![record("a", Outcome::Passed)]).is_proof());
        assert!(!run(vec![]).is_proof());
        assert!(!run(vec![record("a", Outcome::Skipped("x".into()))]).is_proof());
        let failed = Outcome::Failed(vec!["x".into()]);
        assert!(!run(vec![record("a", Outcome::Passed), record("a", failed)]).is_proof());
    }

    #[test]
    fn rows_carry_their_reasons() {
        let row = row(&record(
            "module",
            Outcome::Failed(vec!["exit status 1 instead of 0".into()]),
        ));
        assert!(row.starts_with("FAILED      1.2 s  module     a <name>"), "{row}");
        assert!(row.ends_with("- exit status 1 instead of 0"), "{row}");
    }

    #[test]
    fn a_test_for_another_base_is_not_counted_as_passed() {
        let skipped = Outcome::Skipped("only on freebsd; this is hosted".into());
        let row = row(&record("disk", skipped.clone()));
        assert!(row.starts_with("skipped "), "{row}");
        assert!(row.ends_with(" (only on freebsd; this is hosted)"), "{row}");
        let run = run(vec![record("a", Outcome::Passed), record("disk", skipped)]);
        assert!(summary(&run).contains("1 passed, 0 failed, 1 skipped, 0 not run"));
    }

    #[test]
    fn the_json_holds_outcome_and_reason() {
        let run = run(vec![record("a", Outcome::Failed(vec!["why".into()]))]);
        let json = serde_json::to_value(&run).unwrap();
        assert_eq!(
            (&json["base"], &json["introduction"]),
            (&"hosted".into(), &"a rehearsal".into())
        );
        assert_eq!(json["timeline"][0]["name"], "loader");
        assert_eq!(json["tests"][0]["outcome"], "failed");
        assert_eq!(json["tests"][0]["reason"][0], "why");
    }
}
