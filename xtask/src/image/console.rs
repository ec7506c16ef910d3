//! Progress on the terminal: bars while something runs, one line with its time when it is done.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ngforge_image::progress::{Progress, Task};

/// Shows what a build does on standard error; without bars if that is no terminal.
pub struct Console {
    bars: MultiProgress,
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
        }
    }

    fn line(&self, line: &str) {
        self.bars.suspend(|| eprintln!("{line}"));
    }
}

impl Progress for Console {
    fn begin(&self, task: &str, total: Option<u64>) -> Box<dyn Task + '_> {
        let template = match total {
            Some(_) => "  {msg:24} {bar:30} {bytes:>10} of {total_bytes:10} {bytes_per_sec}",
            None => "  {msg:24} {spinner} {bytes:>10} {bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let bar = self.bars.add(bar.with_style(style).with_message(task.to_string()));
        Box::new(Running {
            console: self,
            task: task.into(),
            bar,
            done: AtomicU64::new(0),
            since: Instant::now(),
        })
    }

    fn note(&self, line: &str) {
        self.line(&format!("  {line}"));
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
        let mebibytes = self.done.load(Ordering::Relaxed) >> 20;
        let seconds = self.since.elapsed().as_secs_f64();
        self.console
            .line(&format!("  {:24} {mebibytes:6} MiB {seconds:7.2} s", self.task));
    }
}
