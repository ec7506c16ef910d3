//! The guest's serial console, read as it is written: the last lines for reports, and the signs that a guest has failed.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::timeline::{Beginnings, Stage};

/// Lines kept for reports.
const KEPT: usize = 400;
/// A line longer than this is cut: a guest must not fill the host's memory.
const LONGEST: usize = 2_000;

/// What a line on the console proves about the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happened.
    pub kind: Trouble,
    /// The line that says so.
    pub line: String,
}

/// The ways in which a console shows that a guest will not come up any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The kernel panicked.
    Panic,
    /// The kernel debugger waits for commands.
    Debugger,
    /// The kernel found no root file system.
    NoRoot,
    /// The boot loader did not find or could not start a kernel.
    Loader,
    /// The firmware found nothing to boot.
    Firmware,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Trouble::Panic => "the guest's kernel panicked",
            Trouble::Debugger => "the guest's kernel stopped in its debugger",
            Trouble::NoRoot => "the guest's kernel found no root file system",
            Trouble::Loader => "the guest's boot loader could not start a kernel",
            Trouble::Firmware => "the guest's firmware found nothing to boot",
        };
        write!(f, "{what}: {}", self.line)
    }
}

/// Where a sign must stand to count.
enum At {
    Start,
    Anywhere,
}

/// Each sign: where it must stand in a line, its text, and what it proves.
const SIGNS: &[(At, &str, Trouble)] = &[
    (At::Start, "panic: ", Trouble::Panic),
    (At::Start, "Fatal trap ", Trouble::Panic),
    (At::Start, "Fatal double fault", Trouble::Panic),
    (At::Anywhere, "Kernel panic - not syncing", Trouble::Panic),
    (At::Start, "KDB: enter:", Trouble::Debugger),
    (At::Start, "db> ", Trouble::Debugger),
    (At::Start, "mountroot> ", Trouble::NoRoot),
    (At::Anywhere, "can't load 'kernel'", Trouble::Loader),
    (At::Anywhere, "can't find 'kernel'", Trouble::Loader),
    (At::Start, "ERROR: cannot open", Trouble::Loader),
    (At::Start, "Failed to find bootable partition", Trouble::Loader),
    (At::Start, "Startup error in ", Trouble::Loader),
    (At::Start, "OK load", Trouble::Loader),
    (At::Anywhere, "UEFI Interactive Shell", Trouble::Firmware),
    (
        At::Anywhere,
        "No bootable option or device was found",
        Trouble::Firmware,
    ),
];

/// Reads a console byte by byte and remembers what matters.
#[derive(Debug)]
pub struct Watcher {
    partial: Vec<u8>,
    lines: VecDeque<String>,
    count: u64,
    trouble: Option<Verdict>,
    last_output: Instant,
    power_on: Instant,
    beginnings: Beginnings,
}

impl Watcher {
    /// A console that has been silent since `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            partial: Vec::new(),
            lines: VecDeque::new(),
            count: 0,
            trouble: None,
            last_output: now,
            power_on: now,
            beginnings: Beginnings::default(),
        }
    }

    /// Takes what the guest has written.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        self.last_output = now;
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => self.end_line(now),
                _ if self.partial.len() < LONGEST => self.partial.push(byte),
                _ => {}
            }
        }
        let prompt = clean(&self.partial);
        self.judge(&prompt);
        self.beginnings.line(&prompt, now);
    }

    fn end_line(&mut self, now: Instant) {
        let line = clean(&std::mem::take(&mut self.partial));
        if line.trim().is_empty() {
            return;
        }
        self.judge(&line);
        self.beginnings.line(&line, now);
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
        self.count += 1;
    }

    fn judge(&mut self, line: &str) {
        if self.trouble.is_none() {
            self.trouble = sign_in(line).map(|kind| Verdict {
                kind,
                line: line.trim().to_owned(),
            });
        }
    }

    /// The first sign of trouble seen, if any.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.trouble.as_ref()
    }

    /// Where the time went, if the guest was up at `end`.
    pub fn stages(&self, end: Instant) -> Vec<Stage> {
        self.beginnings.stages(self.power_on, end)
    }

    /// How long the console has been silent.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_output)
    }

    /// How many lines were finished so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The lines after the first `mark`, as far as they are kept, with an unfinished one at the end.
    pub fn since(&self, mark: u64) -> Vec<String> {
        let new = self.count.saturating_sub(mark);
        let unfinished = usize::from(!clean(&self.partial).trim().is_empty());
        self.tail(usize::try_from(new).unwrap_or(usize::MAX).saturating_add(unfinished))
    }

    /// The last `count` lines, oldest first, with an unfinished one at the end.
    pub fn tail(&self, count: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.lines.iter().cloned().collect();
        let unfinished = clean(&self.partial);
        if !unfinished.trim().is_empty() {
            lines.push(unfinished);
        }
        let from = lines.len().saturating_sub(count);
        lines.split_off(from)
    }
}

fn sign_in(line: &str) -> Option<Trouble> {
    let line = line.trim_start();
    let stands = |at: &At, text: &str| match at {
        At::Start => line.starts_with(text),
        At::Anywhere => line.contains(text),
    };
    let sign = SIGNS.iter().find(|(at, text, _)| stands(at, text));
    sign.map(|(_, _, kind)| *kind)
}

/// Text without terminal control sequences: firmware and loader paint menus with them.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\t' => plain.push(' '),
            other if other.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Skips what follows an ESC: `[` parameters and a final letter, or a single character.
fn skip_escape(characters: &mut std::str::Chars<'_>) {
    if characters.next() == Some('[') {
        characters.find(|character| ('@'..='~').contains(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(log: &str) -> Watcher {
        let mut watcher = Watcher::new(Instant::now());
        watcher.feed(log.as_bytes(), Instant::now());
        watcher
    }

    fn trouble(log: &str) -> Option<Trouble> {
        watch(log).verdict().map(|verdict| verdict.kind)
    }

    #[test]
    fn signs_of_trouble_are_recognised() {
        let cases = [
            ("panic: page fault\r\ncpuid = 0\r\n", Trouble::Panic),
            ("\r\nFatal trap 12: page fault while in kernel mode\r\n", Trouble::Panic),
            ("Fatal double fault\nrip = 0x0\n", Trouble::Panic),
            ("[    1.2] Kernel panic - not syncing: VFS: no root\n", Trouble::Panic),
            ("some line\r\ndb> ", Trouble::Debugger),
            ("KDB: enter: panic\n", Trouble::Debugger),
            (
                "Trying to mount root from ufs:/dev/gpt/x []...\r\nmountroot> ",
                Trouble::NoRoot,
            ),
            (
                "\u{1b}[1;1Hcan't load 'kernel'\r\n\r\nType '?' for a list",
                Trouble::Loader,
            ),
            ("UEFI Interactive Shell v2.2\r\n", Trouble::Firmware),
            ("BdsDxe: No bootable option or device was found.\r\n", Trouble::Firmware),
        ];
        for (log, expected) in cases {
            assert_eq!(trouble(log), Some(expected), "{log:?}");
        }
    }

    #[test]
    fn a_healthy_boot_raises_no_alarm() {
        let log = "BdsDxe: starting Boot0002 \"UEFI Misc Device\"\r\n\u{1b}[2JConsoles: EFI console\r\n\
                   Loading kernel...\r\nFreeBSD 14.0-STABLE\r\nsysctl debug.panic: 0\r\n\
                   savecore: no panic: nothing to do\r\nStarting sshd.\r\nFreeBSD/amd64 (ngforge) (ttyu0)\r\n\r\nlogin: ";
        assert_eq!(trouble(log), None);
    }

    #[test]
    fn a_sign_split_over_two_reads_is_seen() {
        let mut watcher = watch("pan");
        assert_eq!(watcher.verdict(), None);
        watcher.feed(b"ic: oops\n", Instant::now());
        assert_eq!(watcher.verdict().unwrap().line, "panic: oops");
    }

    #[test]
    fn the_first_verdict_stays() {
        let log = "panic: first\nKDB: enter: panic\ndb> ";
        assert_eq!(watch(log).verdict().unwrap().line, "panic: first");
    }

    #[test]
    fn the_tail_holds_the_last_lines_without_control_sequences() {
        let watcher = watch("one\r\n\r\n\u{1b}[31mtwo\u{1b}[0m\r\nthree\r\nlogin: ");
        assert_eq!(watcher.tail(3), ["two", "three", "login: "]);
    }

    #[test]
    fn what_is_new_since_a_mark_is_told_apart() {
        let mut watcher = watch("one\ntwo\n");
        let mark = watcher.count();
        assert!(watcher.since(mark).is_empty());
        watcher.feed(b"three\nfour", Instant::now());
        assert_eq!(watcher.since(mark), ["three", "four"]);
    }

    #[test]
    fn endless_output_stays_within_bounds() {
        let mut watcher = watch("");
        for _ in 0..1_000 {
            watcher.feed(&[b'x'; 1_000], Instant::now());
            watcher.feed(b"y\n", Instant::now());
        }
        assert_eq!(watcher.tail(usize::MAX).len(), KEPT);
        watcher.feed(&vec![b'z'; 1 << 20], Instant::now());
        assert_eq!(watcher.tail(1)[0].len(), LONGEST);
    }

    #[test]
    fn silence_is_counted_from_the_last_output() {
        let start = Instant::now();
        let mut watcher = Watcher::new(start);
        let later = start + Duration::from_secs(10);
        assert_eq!(watcher.silence(later), Duration::from_secs(10));
        watcher.feed(b".", later);
        assert_eq!(watcher.silence(later), Duration::ZERO);
    }
}
