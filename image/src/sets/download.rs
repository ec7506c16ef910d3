//! Fetching a file over HTTP: into a partial file, resumed where it broke off, hashed on the way.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::hash::Hashing;
use crate::progress::Progress;

/// Tries in a row that bring nothing before the mirror is given up.
const TRIES: u32 = 4;
/// Bytes moved at a time.
const BUFFER: usize = 128 * 1024;

/// How long a server may keep silent.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until it is connected.
    pub connect: Duration,
    /// Until it answers; and how long one answer may take before what came is kept and the rest is asked for again, so
    /// that a server that falls silent midway is noticed.
    pub silence: Duration,
    /// Pause before another try; doubled each time.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            pause: Duration::from_millis(500),
        }
    }
}

/// Why one try ended.
enum Broken {
    /// It is no use to try again.
    Final(Error),
    /// The connection failed; what came so far is kept.
    Again(String),
}

/// Fetches `url` into `part`, going on from what is there, and returns the SHA-256 of the whole in hexadecimal.
///
/// # Errors
/// [`Error::Download`] with the server's answer, or what kept failing; `part` cannot be written.
pub fn fetch(url: &str, part: &Path, patience: &Patience, progress: &dyn Progress) -> Result<String> {
    let mut pause = patience.pause;
    let mut last = String::new();
    let mut fruitless = 0;
    while fruitless < TRIES {
        let before = part_len(part);
        match attempt_once(url, part, patience, progress) {
            Ok(hash) => return Ok(hash),
            Err(Broken::Final(error)) => return Err(error),
            Err(Broken::Again(cause)) => last = cause,
        }
        if part_len(part) > before {
            fruitless = 0;
            continue;
        }
        fruitless += 1;
        if fruitless < TRIES {
            progress.note(&format!("{url}: {last}; trying again"));
            std::thread::sleep(pause);
            pause *= 2;
        }
    }
    Err(Error::Download {
        url: url.into(),
        cause: format!("{last} (tried {TRIES} times)"),
        hint: "check the network or name another mirror with --mirror; what was fetched is kept for the next try"
            .into(),
    })
}

fn part_len(part: &Path) -> u64 {
    part.metadata().map_or(0, |metadata| metadata.len())
}

fn attempt_once(
    url: &str,
    part: &Path,
    patience: &Patience,
    progress: &dyn Progress,
) -> std::result::Result<String, Broken> {
    let failed = |error| Broken::Final(Error::io("write the download", part)(error));
    let open = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(part);
    let mut file = open.map_err(failed)?;
    let have = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut response = request(url, have, patience)?;
    let resumed = response.status().as_u16() == 206;
    if !resumed {
        file.set_len(0).map_err(failed)?;
    }
    let start = if resumed { have } else { 0 };
    let total = response.body().content_length().map(|rest| rest + start);
    let name = url.rsplit('/').next().unwrap_or(url);
    let task = progress.begin(&format!("fetch {name}"), total);
    task.advance(start);
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut hashing = Hashing::new(file.try_clone().map_err(failed)?.take(start));
    io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
    let mut out = hashing.continue_with(file);
    copy(response.body_mut().as_reader(), &mut out, part, &*task)?;
    let (hash, bytes) = out.finish();
    match total {
        Some(total) if bytes < total => Err(Broken::Again(format!(
            "the connection ended after {bytes} of {total} bytes"
        ))),
        _ => Ok(hash),
    }
}

fn copy(
    mut from: impl Read,
    to: &mut impl Write,
    part: &Path,
    task: &dyn crate::progress::Task,
) -> std::result::Result<(), Broken> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) => return Err(Broken::Again(format!("the connection broke: {error}"))),
        };
        let written = to.write_all(&buffer[..count]);
        written.map_err(|error| Broken::Final(Error::io("write the download", part)(error)))?;
        task.advance(count as u64);
    }
}

fn request(url: &str, have: u64, patience: &Patience) -> std::result::Result<ureq::http::Response<ureq::Body>, Broken> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.silence))
        .timeout_recv_body(Some(patience.silence))
        .user_agent("ngforge")
        .build()
        .into();
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    match request.call() {
        Ok(response) => Ok(response),
        Err(ureq::Error::StatusCode(416)) if have > 0 => start_over(url, patience),
        Err(ureq::Error::StatusCode(code)) => Err(status(url, code)),
        Err(ureq::Error::BadUri(cause)) => Err(Broken::Final(Error::Download {
            url: url.into(),
            cause: format!("is not an address: {cause}"),
            hint: "--mirror takes http://, https:// or file:// and the folder that holds MANIFEST".into(),
        })),
        Err(error) => Err(Broken::Again(error.to_string())),
    }
}

/// The partial file is longer than the real one: it is not a part of it.
fn start_over(url: &str, patience: &Patience) -> std::result::Result<ureq::http::Response<ureq::Body>, Broken> {
    request(url, 0, patience)
}

fn status(url: &str, code: u16) -> Broken {
    let (cause, hint) = match code {
        404 | 410 => (
            format!("the mirror has no such file (HTTP {code})"),
            "check `release` in the appliance file; old releases move to http://ftp-archive.freebsd.org, name that \
             with --mirror",
        ),
        500..=599 | 408 | 429 => return Broken::Again(format!("the mirror answered HTTP {code}")),
        _ => (
            format!("the mirror answered HTTP {code}"),
            "name another mirror with --mirror",
        ),
    };
    Broken::Final(Error::Download {
        url: url.into(),
        cause,
        hint: hint.into(),
    })
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
