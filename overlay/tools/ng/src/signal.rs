//! Being asked to end.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Failure, Result};

/// How often the process was asked to end.
static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// How often the process had been asked to end.
#[derive(Debug)]
pub struct Count(usize);

impl Count {
    /// Whether it was asked again since.
    pub fn has_changed(&self) -> bool {
        REQUESTS.load(Ordering::Relaxed) != self.0
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP do not end the process, but are counted.
pub fn count_requests_to_end() -> Result<Count> {
    requests_to_end().map(|_| Count(REQUESTS.load(Ordering::Relaxed)))
}

/// From now on SIGINT, SIGTERM and SIGHUP do not end the process, but make the stream readable.
pub fn requests_to_end() -> Result<UnixStream> {
    let what = "could not prepare for signals";
    told().map_err(|error| Failure::Io { what, error })
}

/// The stream, without what came before.
fn told() -> io::Result<UnixStream> {
    // The handler cannot be taken back, so there is one stream for all who wait.
    static TOLD: Mutex<Option<UnixStream>> = Mutex::new(None);
    let mut kept = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let stream = match kept.take() {
        Some(stream) => stream,
        None => handled()?,
    };
    let mut before = [0; 64];
    while (&stream).read(&mut before).is_ok_and(|length| length > 0) {}
    let told = stream.try_clone();
    *kept = Some(stream);
    told
}

fn handled() -> io::Result<UnixStream> {
    let (told, teller) = UnixStream::pair()?;
    told.set_nonblocking(true)?;
    teller.set_nonblocking(true)?;
    let handled = ctrlc::set_handler(move || {
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        // One byte is enough; more than fit say nothing new.
        let _ = (&teller).write(&[0]);
    });
    handled.map(|()| told).map_err(io::Error::other)
}

/// From now on SIGINT, SIGTERM and SIGHUP do nothing.
pub fn ignore_requests_to_end() -> Result<()> {
    let what = "could not prepare for signals";
    ctrlc::set_handler(|| {}).map_err(|error| Failure::Io {
        what,
        error: io::Error::other(error),
    })
}
