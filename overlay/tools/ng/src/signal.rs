//! Being asked to end.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::failure::{Failure, Result};

/// The signals by which a process is asked to end.
const REQUESTS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Becomes set when the process is asked to end; it does not end by itself from then on, also when this is gone.
#[derive(Debug)]
pub struct Flag {
    is_set: Arc<AtomicBool>,
    actions: Vec<SigId>,
}

impl Flag {
    /// One that is not set yet.
    pub fn new() -> Result<Self> {
        let is_set = Arc::new(AtomicBool::new(false));
        let actions = REQUESTS.map(|signal| flag::register(signal, Arc::clone(&is_set)));
        let actions = actions.into_iter().collect::<io::Result<_>>().map_err(unprepared)?;
        Ok(Self { is_set, actions })
    }

    /// Whether the process was asked.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        for action in self.actions.drain(..) {
            low_level::unregister(action);
        }
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP do not end the process, but make the stream readable.
pub fn requests_to_end() -> Result<UnixStream> {
    told().map_err(unprepared)
}

/// The stream, without what came before.
fn told() -> io::Result<UnixStream> {
    // One stream for all who wait.
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
    for signal in REQUESTS {
        // One byte is enough; more than fit say nothing new.
        low_level::pipe::register(signal, teller.try_clone()?)?;
    }
    Ok(told)
}

/// From now on SIGINT, SIGTERM and SIGHUP do nothing.
pub fn ignore_requests_to_end() -> Result<()> {
    Flag::new().map(drop)
}

fn unprepared(error: io::Error) -> Failure {
    let what = "could not prepare for signals";
    Failure::Io { what, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_to_all_who_asked_and_ends_nothing() {
        let (one, stream, other) = (Flag::new().unwrap(), requests_to_end().unwrap(), Flag::new().unwrap());
        assert!(!one.is_set());
        low_level::raise(SIGTERM).unwrap();
        assert!(one.is_set() && other.is_set());
        let mut told = [0; 8];
        assert_eq!((&stream).read(&mut told).unwrap(), 1);
        assert!(!Flag::new().unwrap().is_set());
        assert!(
            (&requests_to_end().unwrap()).read(&mut told).is_err(),
            "nothing came since"
        );
    }
}
