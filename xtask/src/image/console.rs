//! Progress on the terminal: bars while something runs, one line with its time when it is done. Elsewhere, such as in CI, the
//! lines alone.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ngforge_image::areas::Area;
use ngforge_image::progress::{Progress, Task};

/// How often a bar moves though nothing is reported.
const TICK: Duration = Duration::from_millis(200);

/// Shows what a build does on standard error; without bars if that is no terminal.
pub struct Console {
    bars: MultiProgress,
    since: Instant,
}

impl Console {
    /// For this process's standard error.
    pub fn new() -> Self {
        let target = match stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            since: Instant::now(),
        }
    }

    /// A line that stays, with the time since the beginning before it.
    fn line(&self, line: &str) {
        let since = self.since.elapsed().as_secs_f64();
        self.bars.suspend(|| eprintln!("{since:7.1} s  {line}"));
    }
}

/// A task's line: what, how much, how long.
fn row(task: &str, bytes: u64, elapsed: Duration) -> String {
    let mebibytes = bytes >> 20;
    format!("{task:28} {mebibytes:6} MiB {:7.2} s", elapsed.as_secs_f64())
}

impl Progress for Console {
    fn begin(&self, task: &str, total: Option<u64>) -> Box<dyn Task + '_> {
        let template = match total {
            Some(_) => "  {msg:28} {bar:30} {bytes:>10} of {total_bytes:10} {bytes_per_sec}, {eta} left",
            None => "  {msg:28} {spinner} {bytes:>10} {bytes_per_sec} {elapsed}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = self.bars.add(bar.with_style(style).with_message(task.to_string()));
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Box::new(Running {
            console: self,
            task: task.into(),
            bar,
            done: AtomicU64::new(0),
            since: Instant::now(),
        })
    }

    fn note(&self, line: &str) {
        self.line(line);
    }

    fn cached(&self, task: &str) {
        self.line(&format!("{task:28}  in the cache"));
    }
}

struct Running<'a> {
    console: &'a Console,
    task: String,
    bar: ProgressBar,
    done: AtomicU64,
    since: Instant,
}

impl Task for Running<'_> {
    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        let done = self.done.load(Ordering::Relaxed);
        self.console.line(&row(&self.task, done, self.since.elapsed()));
    }
}

/// The summary at the end: what the space goes to. Empty without areas.
pub fn summary(areas: &[Area]) -> String {
    let total: u64 = areas.iter().map(|area| area.bytes).sum();
    let row = |area: &Area| {
        let share = area.bytes * 100 / total.max(1);
        format!(
            "  {:14} {:>10} {share:3} %  {} files\n",
            area.name,
            size(area.bytes),
            area.files
        )
    };
    areas.iter().map(row).collect()
}

/// Bytes for people.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_sizes_and_shares() {
        let area = |name: &str, bytes| Area {
            name: name.into(),
            files: 2,
            bytes,
            largest: Vec::new(),
        };
        let text = summary(&[area("kernel", 3 << 20), area("programs", 1 << 20)]);
        let rows = [
            "  kernel            3.0 MiB  75 %  2 files",
            "  programs          1.0 MiB  25 %  2 files",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), rows);
        assert_eq!(summary(&[]), "");
        assert_eq!((size(9), size(2048)), ("9 B".into(), "2 KiB".into()));
    }

    #[test]
    fn a_task_has_one_line() {
        assert_eq!(
            row("unpack base.txz", 5 << 20, Duration::from_millis(1500)),
            "unpack base.txz                   5 MiB    1.50 s"
        );
    }
}
