//! The message buffer, and panic(9).

mod c;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::VecDeque;
use std::io::Write;

pub use c::*;

use crate::kernel::Config;
use crate::slot::Slot;
use crate::sync::{Mutex, lock};
use crate::{faults, mutex, thread};

/// How many lines the message buffer keeps.
const LINES: usize = 1024;

static STATE: Slot<Mutex<Buffer>> = Slot::new();

/// How a FreeBSD kernel is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Build {
    /// As releases are: assertions are not there.
    #[default]
    Release,
    /// With `INVARIANTS`: an assertion that fails is a panic.
    Invariants,
}

#[derive(Default)]
struct Buffer {
    build: Build,
    lines: VecDeque<String>,
    /// What printf(9) wrote since the last end of a line.
    unfinished: String,
    console: Option<fn(&str)>,
}

impl Buffer {
    fn push(&mut self, line: String) {
        if let Some(console) = self.console {
            console(&line);
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn write(&mut self, text: &str) {
        self.unfinished.push_str(text);
        while let Some(end) = self.unfinished.find('\n') {
            let rest = self.unfinished.split_off(end + 1);
            let mut line = std::mem::replace(&mut self.unfinished, rest);
            line.pop();
            self.push(line);
        }
    }
}

pub(crate) fn boot(_config: &Config) {
    STATE.fill(Mutex::new(Buffer::default()));
}

pub(crate) fn halt() -> Vec<String> {
    drop(STATE.empty());
    Vec::new()
}

/// Keeps a line of the kernel's message buffer; without a kernel there is none.
pub fn note(line: &str) {
    if let Some(buffer) = STATE.try_get() {
        lock(buffer).push(line.to_owned());
    }
}

/// Says how the running kernel is compiled; after boot, as a release is.
pub fn set_build(build: Build) {
    if let Some(buffer) = STATE.try_get() {
        lock(buffer).build = build;
    }
}

/// KASSERT(9), failed: a panic where there are assertions, else a line in the message buffer.
pub(crate) fn failed_assertion(what: &str) {
    let build = STATE.try_get().map(|buffer| lock(buffer).build);
    match build {
        Some(Build::Invariants) => panic(what),
        _ => note(what),
    }
}

/// Keeps text as printf(9) writes it: lines may come in parts.
fn write(text: &str) {
    if let Some(buffer) = STATE.try_get() {
        lock(buffer).write(text);
    }
}

/// Has `console` show each line of the message buffer: those that are there, and from now on each as it comes.
///
/// It must not call the kernel.
pub fn set_console(console: fn(&str)) {
    let Some(buffer) = STATE.try_get() else { return };
    let mut buffer = lock(buffer);
    buffer.lines.iter().for_each(|line| console(line));
    buffer.console = Some(console);
}

/// The message buffer so far, oldest line first.
pub fn message_buffer() -> Vec<String> {
    STATE
        .try_get()
        .map_or_else(Vec::new, |buffer| lock(buffer).lines.iter().cloned().collect())
}

/// panic(9): reports what is wrong, where, and with which locks held, on standard error, and aborts the process.
///
/// Under shuttle it is a panic of Rust's, so that shuttle tells the schedule that led here.
pub fn panic(what: &str) -> ! {
    let report = describe("panic", what);
    #[cfg(feature = "shuttle")]
    std::panic!("{report}");
    #[cfg(not(feature = "shuttle"))]
    {
        print(&report);
        std::process::abort()
    }
}

/// What is wrong and the circumstances of the calling thread, a line each.
pub(crate) fn describe(kind: &str, what: &str) -> String {
    let mut text = format!("{kind}: {what}\n  thread: {}\n", thread::host_name());
    for held in mutex::held() {
        text.push_str(&format!("  holds: {held}\n"));
    }
    for fault in faults::struck() {
        text.push_str(&format!("  injected before: {fault}\n"));
    }
    text
}

/// Writes a report to standard error in one piece.
pub(crate) fn print(text: &str) {
    // A report that cannot be written has no other place to go.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::testing::{Kernel, death};
    use super::*;

    #[test]
    fn printf_collects_lines_from_parts() {
        let _kernel = Kernel::plain();
        // SAFETY: the formats take what is given.
        unsafe { hostkern_printf(c"%s: %d".as_ptr(), c"node".as_ptr() as usize, 7, 0, 0, 0) };
        assert_eq!(message_buffer(), Vec::<String>::new());
        // SAFETY: the format takes nothing.
        unsafe { hostkern_printf(c" gone\nnext\n".as_ptr(), 0, 0, 0, 0, 0) };
        assert_eq!(message_buffer(), ["node: 7 gone", "next"]);
    }

    #[test]
    fn printf_keeps_a_line_of_any_length() {
        let _kernel = Kernel::plain();
        let long = std::ffi::CString::new("x".repeat(5000)).unwrap_or_default();
        // SAFETY: the format takes one C string.
        let length = unsafe { hostkern_printf(c"%s\n".as_ptr(), long.as_ptr() as usize, 0, 0, 0, 0) };
        assert_eq!(length, 5001);
        assert_eq!(message_buffer()[0].len(), 5000);
    }

    #[test]
    fn console_shows_what_there_is_and_what_comes() {
        static SHOWN: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
        let _kernel = Kernel::plain();
        note("before");
        set_console(|line| SHOWN.lock().expect("no panic").push(line.to_owned()));
        note("after");
        assert_eq!(*SHOWN.lock().expect("no panic"), ["before", "after"]);
    }

    #[test]
    fn snprintf_cuts_and_says_how_long_it_would_be() {
        let mut buffer = [b'x'; 8];
        // SAFETY: the buffer has the size given, the format takes one int.
        let length = unsafe { hostkern_snprintf(buffer.as_mut_ptr().cast(), 4, c"[%x]".as_ptr(), 0xabc, 0, 0, 0, 0) };
        assert_eq!((length, &buffer[..5]), (5, &b"[ab\0x"[..]));
    }

    #[test]
    fn panic_reports_thread_and_text() {
        let report = death("report::tests::panic_reports_thread_and_text", || {
            // SAFETY: the format takes one int.
            unsafe { kernel_panic(c"bad %d".as_ptr(), 3, 0, 0, 0, 0) }
        });
        assert!(report.contains("panic: bad 3\n  thread: "), "{report}");
    }

    #[test]
    fn buffer_forgets_the_oldest_line() {
        let _kernel = Kernel::plain();
        for line in 0..=LINES {
            note(&line.to_string());
        }
        let lines = message_buffer();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES, "1"));
    }
}
