//! Where the time from power-on to SSH goes, as the serial console shows it.

use std::time::Instant;

use serde::Serialize;

/// A stretch of a boot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stage {
    /// `firmware`, `loader`, `kernel`, `rc` or `ssh`.
    pub name: &'static str,
    /// How long it took.
    pub seconds: f64,
}

/// The stages, in order. Each begins with the first line that has one of the texts in it; `firmware` begins at power-on.
const STAGES: [(&str, &[&str]); 5] = [
    ("firmware", &[]),
    (
        "loader",
        &[
            "FreeBSD EFI boot block",
            "FreeBSD/amd64 EFI loader",
            "Consoles: ",
            "BdsDxe: starting Boot",
        ],
    ),
    ("kernel", &["---<<BOOT>>---", "Copyright (c) 1992-", "Linux version "]),
    ("rc", &["Trying to mount root from", "Run /init as init process"]),
    ("ssh", &["Starting sshd.", "Server listening on"]),
];

/// When each stage began, as far as it has been seen.
#[derive(Debug, Clone, Default)]
pub struct Beginnings([Option<Instant>; STAGES.len()]);

impl Beginnings {
    /// Takes a line of the console. A stage that was passed over is not looked for any more.
    pub fn line(&mut self, line: &str, now: Instant) {
        let next = self.0.iter().rposition(Option::is_some).map_or(1, |last| last + 1);
        let found = (next..STAGES.len()).find(|stage| STAGES[*stage].1.iter().any(|text| line.contains(text)));
        if let Some(stage) = found {
            self.0[stage] = Some(now);
        }
    }

    /// The stages of a boot from `power_on` to `end`; one whose beginning was not seen is part of the one before it.
    pub fn stages(&self, power_on: Instant, end: Instant) -> Vec<Stage> {
        let mut begun = vec![(STAGES[0].0, power_on)];
        let seen = STAGES.iter().zip(self.0).skip(1);
        begun.extend(seen.filter_map(|((name, _), at)| Some((*name, at?))));
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([end]);
        let pairs = begun.iter().zip(ends);
        pairs
            .map(|(&(name, begin), end)| Stage {
                name,
                seconds: end.saturating_duration_since(begin).as_secs_f64(),
            })
            .collect()
    }
}

/// One line for people: `firmware 3.1 s, loader 2.0 s, …`.
pub fn in_words(stages: &[Stage]) -> String {
    let words: Vec<String> = stages
        .iter()
        .map(|stage| format!("{} {:.1} s", stage.name, stage.seconds))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LOG: [&str; 6] = [
        "BdsDxe: starting Boot0002",
        "Consoles: EFI console",
        "---<<BOOT>>---",
        "Copyright (c) 1992-2023 The FreeBSD Project.",
        "Trying to mount root from ufs:/dev/gpt/x [rw]...",
        "Starting sshd.",
    ];

    fn watched(lines: &[&str], start: Instant) -> Beginnings {
        let mut beginnings = Beginnings::default();
        for (second, line) in lines.iter().enumerate() {
            beginnings.line(line, start + Duration::from_secs(second as u64 + 1));
        }
        beginnings
    }

    #[test]
    fn a_boot_is_cut_where_its_lines_say() {
        let start = Instant::now();
        let stages = watched(&LOG, start).stages(start, start + Duration::from_secs(10));
        assert_eq!(
            in_words(&stages),
            "firmware 1.0 s, loader 2.0 s, kernel 2.0 s, rc 1.0 s, ssh 4.0 s"
        );
    }

    #[test]
    fn a_stage_that_was_not_seen_belongs_to_the_one_before() {
        let start = Instant::now();
        let stages = watched(&LOG[2..4], start).stages(start, start + Duration::from_secs(5));
        assert_eq!(in_words(&stages), "firmware 1.0 s, kernel 4.0 s");
        let none = Beginnings::default().stages(start, start + Duration::from_secs(5));
        assert_eq!(in_words(&none), "firmware 5.0 s");
    }

    #[test]
    fn what_a_test_prints_later_begins_nothing() {
        let start = Instant::now();
        let mut beginnings = watched(&LOG, start);
        beginnings.line("Consoles: again", start + Duration::from_secs(50));
        let stages = beginnings.stages(start, start + Duration::from_secs(60));
        assert_eq!(stages[1].seconds, 2.0);
    }
}
