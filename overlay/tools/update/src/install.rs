//! Writes an update into the slot that is not running.
//!
//! 1. The state says that the other slot is bad, and is on the disk.
//! 2. Each chunk is checked and written; one that is there already is left as it is.
//! 3. The slot is flushed, read back and held against the signed sums.
//! 4. The state says that the other slot is new and is booted once.
//!
//! Whatever ends this at whatever moment, the slot that is running is booted next, unless all of it was done.

use std::io::{self, Read};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::device::Device;
use crate::file::{self, About, CHUNK, Header, Reader};
use crate::state::{self, Objection, Slot, State};

#[cfg(test)]
mod tests;

/// Version of the disk's layout and of the state record that this program knows.
pub const DISK: u32 = 1;

/// What an update goes to.
pub struct Target<'a> {
    /// The appliance's name.
    pub appliance: &'a str,
    /// The machine, as `uname -m` calls it.
    pub machine: &'a str,
    /// The slot that is running.
    pub running: Slot,
    /// The partition with the state record.
    pub state: &'a mut dyn Device,
    /// The slot that is not running.
    pub slot: &'a mut dyn Device,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Bytes that are in the slot.
    Written(u64),
    /// Bytes that were read back.
    Verified(u64),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The slot that was written.
    pub slot: Slot,
    /// What is in it.
    pub about: About,
    /// Bytes that had to be written; the others were there.
    pub written: u64,
    /// The state from now on.
    pub state: State,
}

/// Why it was not done.
#[derive(Debug, Error)]
pub enum Error {
    /// The file is not what it should be.
    #[error(transparent)]
    File(#[from] file::Error),
    /// The file is for something else.
    #[error("{0}")]
    Misfit(String),
    /// The state does not allow it.
    #[error(transparent)]
    Objection(#[from] Objection),
    /// The state record could not be read or written.
    #[error("the state record: {0}")]
    State(io::Error),
    /// The slot could not be written or read.
    #[error("slot {slot}: {doing} at byte {at}: {error}")]
    Slot {
        /// Which one.
        slot: Slot,
        /// What was being done.
        doing: &'static str,
        /// Where.
        at: u64,
        /// What the system said.
        error: io::Error,
    },
    /// The slot does not hold what was written to it.
    #[error(
        "slot {slot} does not hold at byte {at} what was written to it\n  hint: the disk is failing; have it replaced"
    )]
    Verify {
        /// Which one.
        slot: Slot,
        /// Where.
        at: u64,
    },
}

/// Writes the other slot, and has it booted once.
///
/// # Errors
/// See [`Error`]; the running slot is booted next.
pub fn install<R: Read>(
    reader: &mut Reader<R>,
    target: &mut Target<'_>,
    progress: &mut dyn FnMut(Step),
) -> Result<Installed, Error> {
    check(&reader.header().about, target)?;
    let running = target.running;
    let found = current(target.state, running)?;
    let begun = found.begin_install(running)?;
    let begun = state::write(target.state, begun).map_err(Error::State)?;
    let mut slot = Other {
        device: target.slot,
        slot: running.other(),
    };
    let written = slot.fill(reader, progress)?;
    slot.verify(reader.header(), progress)?;
    let state = state::write(target.state, begun.end_install(running)).map_err(Error::State)?;
    Ok(Installed {
        slot: running.other(),
        about: reader.header().about.clone(),
        written,
        state,
    })
}

/// The state record, or what takes its place when no copy is valid.
///
/// # Errors
/// The device cannot be read.
pub fn current(device: &mut dyn Device, running: Slot) -> Result<State, Error> {
    let copies = state::read(device).map_err(Error::State)?;
    Ok(copies.valid().map_or(State::lost(running), |(_, state)| state))
}

/// Whether an update is for this appliance.
fn check(about: &About, target: &Target<'_>) -> Result<(), Error> {
    let misfit = |text: String| Err(Error::Misfit(text));
    let room = target.slot.size();
    if about.appliance != target.appliance {
        let (theirs, ours) = (&about.appliance, target.appliance);
        return misfit(format!("it is for the appliance `{theirs}`, and this one is `{ours}`"));
    }
    if about.needs.machine != target.machine {
        let (theirs, ours) = (&about.needs.machine, target.machine);
        return misfit(format!("it is for machines of {theirs}, and this one is of {ours}"));
    }
    if about.needs.disk != DISK {
        let theirs = about.needs.disk;
        return misfit(format!(
            "it needs a disk of layout {theirs}, and this one has layout {DISK}\n  hint: write the whole image to the disk"
        ));
    }
    if about.slot_bytes > room {
        let bytes = about.slot_bytes;
        return misfit(format!(
            "it needs a slot of {bytes} bytes, and this one has {room}\n  hint: build it with `disk: {{slot: ...}}` of that size"
        ));
    }
    Ok(())
}

/// The slot that is not running.
struct Other<'a> {
    device: &'a mut dyn Device,
    slot: Slot,
}

impl Other<'_> {
    fn failed(&self, doing: &'static str, at: u64) -> impl Fn(io::Error) -> Error + use<> {
        let slot = self.slot;
        move |error| Error::Slot { slot, doing, at, error }
    }

    /// Returns how many bytes had to be written.
    fn fill<R: Read>(&mut self, reader: &mut Reader<R>, progress: &mut dyn FnMut(Step)) -> Result<u64, Error> {
        let mut there = vec![0; CHUNK];
        let mut written = 0;
        while let Some(chunk) = reader.next_chunk()? {
            let there = &mut there[..chunk.bytes.len()];
            let read = self.device.read_at(chunk.at, there);
            if read.is_err() || there != chunk.bytes {
                let failed = self.failed("writing", chunk.at);
                self.device.write_at(chunk.at, chunk.bytes).map_err(failed)?;
                written += chunk.bytes.len() as u64;
            }
            progress(Step::Written(chunk.at + chunk.bytes.len() as u64));
        }
        let failed = self.failed("flushing", reader.header().about.slot_bytes);
        self.device.flush().map_err(failed)?;
        Ok(written)
    }

    fn verify(&mut self, header: &Header, progress: &mut dyn FnMut(Step)) -> Result<(), Error> {
        let mut bytes = vec![0; CHUNK];
        for (index, chunk) in header.chunks.iter().enumerate() {
            let at = index as u64 * CHUNK as u64;
            let bytes = &mut bytes[..header.about.chunk_len(index)];
            let failed = self.failed("reading", at);
            self.device.read_at(at, bytes).map_err(failed)?;
            if Sha256::digest(&*bytes)[..] != chunk.sum {
                let slot = self.slot;
                return Err(Error::Verify { slot, at });
            }
            progress(Step::Verified(at + bytes.len() as u64));
        }
        Ok(())
    }
}
