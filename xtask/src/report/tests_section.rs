//! The tests of a smoke run: what failed is open, with what it wrote.

use super::html::{escaped, folded};
use super::run::{SmokeRun, Test};

/// Characters of a test's output, at most.
const SHOWN: usize = 20_000;

/// The table, after the tests that failed.
pub fn section(run: &SmokeRun) -> String {
    let bad = |test: &&Test| !matches!(test.outcome.as_str(), "passed" | "skipped");
    let mut text: String = run.tests.iter().filter(bad).map(failed).collect();
    let rows: String = run.tests.iter().map(row).collect();
    let table = format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Tests\"><table>\n<thead><tr><th scope=\"col\">Result</th>\
         <th scope=\"col\">Test</th><th scope=\"col\">File</th><th scope=\"col\">Seconds</th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n"
    );
    let head = format!("All {} tests", run.tests.len());
    text += &folded(&head, &table, false);
    text
}

fn word(outcome: &str) -> &'static str {
    match outcome {
        "passed" => "passed",
        "failed" => "failed",
        "skipped" => "skipped",
        _ => "not run",
    }
}

fn row(test: &Test) -> String {
    let word = word(&test.outcome);
    let reason = match word {
        "skipped" => format!(
            " <span class=\"quiet\">({})</span>",
            escaped(&test.reason.all().join("; "))
        ),
        _ => String::new(),
    };
    format!(
        "<tr><td class=\"{}\">{word}</td><td>{}{reason}</td><td>{}</td><td class=\"number\">{:.1}</td></tr>\n",
        word.replace(' ', "-"),
        escaped(&test.name),
        escaped(&test.suite),
        test.seconds
    )
}

fn failed(test: &Test) -> String {
    let word = word(&test.outcome);
    let reasons: String = { test.reason.all().iter() }
        .map(|reason| format!("<li>{}</li>\n", escaped(reason)))
        .collect();
    let mut body = format!("<ul>\n{reasons}</ul>\n");
    for (name, output) in [("standard output", &test.stdout), ("standard error", &test.stderr)] {
        if !output.is_empty() {
            let shown: String = output.chars().take(SHOWN).collect();
            body += &format!("<p>{name}:</p>\n<pre tabindex=\"0\">{}</pre>\n", escaped(&shown));
        }
    }
    let class = word.replace(' ', "-");
    let head = format!(
        "<strong class=\"{class}\">{word}</strong> {}: {}",
        escaped(&test.suite),
        escaped(&test.name)
    );
    folded(&head, &body, word == "failed")
}
