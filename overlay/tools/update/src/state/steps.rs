//! What changes the state, and when it must not be changed. Nothing here reads or writes a disk.

use thiserror::Error;

use super::record::{Mark, Slot, State};

/// Why a step is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Objection {
    /// The running slot may have to give way to the other one.
    #[error(
        "slot {0} is running and has not reported healthy yet, so that slot {1} may still be needed\n  \
         hint: `ng-update check` says what is missing; `ng-update healthy` marks the running slot"
    )]
    Unproven(Slot, Slot),
    /// There is nothing to go back to.
    #[error("slot {0} is {1}: only one that has been healthy can be gone back to")]
    NotGood(Slot, Mark),
}

/// A slot that was booted and never reported healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed {
    /// The slot.
    pub slot: Slot,
    /// What it was marked before.
    pub was: Mark,
}

impl State {
    /// The state of a disk on which no valid record was found, of which that slot is running.
    #[must_use]
    pub fn lost(running: Slot) -> Self {
        let other = running.other();
        Self {
            seq: 0,
            boot: running,
            ..Self::fresh().with(running, Mark::New).with(other, Mark::Bad)
        }
    }

    /// The slot that is running has not reported healthy.
    #[must_use]
    pub fn is_on_trial(&self, running: Slot) -> bool {
        self.mark(running) != Mark::Good || self.tried == Some(running) || self.boot != running
    }

    /// Before the first byte goes into the other slot: nobody boots that from now on.
    ///
    /// # Errors
    /// The running slot is not proven.
    pub fn begin_install(self, running: Slot) -> Result<Self, Objection> {
        let other = running.other();
        if self.is_on_trial(running) {
            return Err(Objection::Unproven(running, other));
        }
        let state = Self {
            boot: running,
            once: None,
            tried: None,
            ..self
        };
        Ok(state.with(other, Mark::Bad))
    }

    /// After the other slot was written and verified: it is booted once.
    #[must_use]
    pub fn end_install(self, running: Slot) -> Self {
        let other = running.other();
        let state = Self {
            once: Some(other),
            ..self
        };
        state.with(other, Mark::New)
    }

    /// The running slot is healthy: it is the one to boot.
    #[must_use]
    pub fn healthy(self, running: Slot) -> Self {
        let state = Self {
            boot: running,
            tried: None,
            starts: 0,
            ..self.note(running).0
        };
        state.with(running, Mark::Good)
    }

    /// Marks the slot that should be running and is not.
    #[must_use]
    pub fn note(self, running: Slot) -> (Self, Option<Failed>) {
        let other = running.other();
        let failed = self.tried == Some(other) || (self.boot == other && self.tried != Some(running));
        if !failed {
            return (self, None);
        }
        let was = self.mark(other);
        let state = Self {
            boot: running,
            tried: None,
            ..self
        };
        (state.with(other, Mark::Bad), Some(Failed { slot: other, was }))
    }

    /// The other slot is booted once, and from then on if it is healthy.
    ///
    /// # Errors
    /// It has never been healthy.
    pub fn rollback(self, running: Slot) -> Result<Self, Objection> {
        let other = running.other();
        match self.mark(other) {
            Mark::Good => Ok(Self {
                once: Some(other),
                ..self
            }),
            mark => Err(Objection::NotGood(other, mark)),
        }
    }
}
