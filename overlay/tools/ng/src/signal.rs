//! Being asked to end.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;

use crate::failure::{Failure, Result};

/// From now on SIGINT, SIGTERM and SIGHUP do not end the process, but make the stream readable.
pub fn requests_to_end() -> Result<UnixStream> {
    let what = "could not prepare for signals";
    let failed = |error| Failure::Io { what, error };
    let (told, teller) = UnixStream::pair().map_err(failed)?;
    teller.set_nonblocking(true).map_err(failed)?;
    let handled = ctrlc::set_handler(move || {
        // One byte is enough; more than fit say nothing new.
        let _ = (&teller).write(&[0]);
    });
    handled.map_err(|error| failed(io::Error::other(error)))?;
    Ok(told)
}

/// From now on SIGINT, SIGTERM and SIGHUP do nothing.
pub fn ignore_requests_to_end() -> Result<()> {
    let what = "could not prepare for signals";
    ctrlc::set_handler(|| {}).map_err(|error| Failure::Io {
        what,
        error: io::Error::other(error),
    })
}
