//! The two copies on the state partition: which one counts, and where the next write goes.

use std::io;

use super::PLACES;
use super::record::{Fault, SECTOR, State};
use crate::device::Device;

/// One of the two copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// At the first of [`PLACES`].
    First,
    /// At the second one.
    Second,
}

impl Copy {
    /// Where it is, in bytes from the start of the state partition.
    #[must_use]
    pub fn at(self) -> u64 {
        match self {
            Self::First => PLACES[0],
            Self::Second => PLACES[1],
        }
    }

    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Both copies, as they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// At the first of [`PLACES`].
    pub first: Result<State, Fault>,
    /// At the second one.
    pub second: Result<State, Fault>,
}

impl Copies {
    /// The copy that counts, if there is one.
    #[must_use]
    pub fn valid(&self) -> Option<(Copy, State)> {
        match (&self.first, &self.second) {
            (Ok(first), Ok(second)) if second.seq > first.seq => Some((Copy::Second, *second)),
            (Ok(first), _) => Some((Copy::First, *first)),
            (Err(_), Ok(second)) => Some((Copy::Second, *second)),
            (Err(_), Err(_)) => None,
        }
    }

    /// Where the next write goes, and its `seq`.
    #[must_use]
    pub fn next(&self) -> (Copy, u64) {
        self.valid()
            .map_or((Copy::First, 1), |(copy, state)| (copy.other(), state.seq + 1))
    }
}

/// Reads both copies.
///
/// # Errors
/// The device cannot be read.
pub fn read(device: &mut dyn Device) -> io::Result<Copies> {
    let mut copy = |copy: Copy| {
        let mut sector = [0; SECTOR];
        device.read_at(copy.at(), &mut sector)?;
        io::Result::Ok(State::parse(&sector))
    };
    Ok(Copies {
        first: copy(Copy::First)?,
        second: copy(Copy::Second)?,
    })
}

/// Writes a state over the copy that does not count, flushes, reads it back, and returns it with its new `seq`.
///
/// # Errors
/// The device cannot be read or written, or holds another record afterwards; the copy that counted counts still.
pub fn write(device: &mut dyn Device, state: State) -> io::Result<State> {
    let (copy, seq) = read(device)?.next();
    let state = State { seq, ..state };
    let sector = state.print();
    if State::parse(&sector).as_ref() != Ok(&state) {
        return Err(io::Error::other("its counter is at its end"));
    }
    device.write_at(copy.at(), &sector)?;
    device.flush()?;
    let mut back = [0; SECTOR];
    device.read_at(copy.at(), &mut back)?;
    match back == sector {
        true => Ok(state),
        false => Err(io::Error::other("what was written to it does not come back")),
    }
}
