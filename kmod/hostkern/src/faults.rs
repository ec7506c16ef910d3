//! Faults on demand.

use crate::kernel::Config;
use crate::slot::Slot;
use crate::sync::{Mutex, lock};

static STATE: Slot<Mutex<State>> = Slot::new();

/// Something that can fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// malloc(9) of the type with this short description, `None` for any.
    Malloc(Option<String>),
    /// An allocation of a zone, `None` for any.
    Zone(Option<crate::memory::Zone>),
    /// Any allocation at all.
    Allocation,
    /// `sbappendaddr_locked`: the buffer is full.
    SocketBuffer,
    /// `_sleep` with `PCATCH`: a signal.
    Sleep,
    /// Registering a node type: as if its name were taken.
    NewType,
}

impl Site {
    /// Whether a fault armed for this site is meant for `occasion`, which is as particular as it can be.
    fn covers(&self, occasion: &Self) -> bool {
        match (self, occasion) {
            (Self::Allocation, _) => occasion.is_allocation(),
            (Self::Malloc(None), Self::Malloc(_)) | (Self::Zone(None), Self::Zone(_)) => true,
            _ => self == occasion,
        }
    }

    fn is_allocation(&self) -> bool {
        matches!(self, Self::Malloc(_) | Self::Zone(_) | Self::Allocation)
    }
}

#[derive(Default)]
struct State {
    armed: Option<Armed>,
    /// Every fault that has struck, for reports.
    struck: Vec<String>,
}

struct Armed {
    site: Site,
    /// Occasions that pass before the one that fails.
    before: u64,
    even_if_it_may_sleep: bool,
    struck: bool,
}

impl Armed {
    /// Counts an occasion; whether it fails.
    fn strikes(&mut self, occasion: &Site, may_sleep: bool) -> bool {
        let spared = may_sleep && occasion.is_allocation() && !self.even_if_it_may_sleep;
        if self.struck || spared || !self.site.covers(occasion) {
            return false;
        }
        self.struck = self.before == 0;
        self.before = self.before.saturating_sub(1);
        self.struck
    }
}

pub(crate) fn boot(_config: &Config) {
    STATE.fill(Mutex::new(State::default()));
}

pub(crate) fn halt() -> Vec<String> {
    drop(STATE.empty());
    Vec::new()
}

/// Arms one fault, in place of any other: the `nth` occasion from now on (1 is the next) fails, once.
/// `even_if_it_may_sleep` also fails allocations with `M_WAITOK`, which FreeBSD never does.
pub fn arm(site: Site, nth: u64, even_if_it_may_sleep: bool) {
    assert!(nth > 0, "the first occasion is number 1");
    lock(STATE.get()).armed = Some(Armed {
        site,
        before: nth - 1,
        even_if_it_may_sleep,
        struck: false,
    });
}

/// Disarms, and says whether the fault has struck.
pub fn disarm() -> bool {
    lock(STATE.get()).armed.take().is_some_and(|armed| armed.struck)
}

/// Whether this occasion is to fail. `may_sleep` as the caller says; it matters to allocations only.
pub fn strikes(site: &Site, may_sleep: bool) -> bool {
    let Some(state) = STATE.try_get() else { return false };
    let mut state = lock(state);
    let strikes = state.armed.as_mut().is_some_and(|armed| armed.strikes(site, may_sleep));
    if strikes {
        state
            .struck
            .push(format!("{site:?}, in thread {}", crate::thread::name()));
    }
    strikes
}

/// Every fault that has struck since the kernel was booted, oldest first.
pub fn struck() -> Vec<String> {
    STATE
        .try_get()
        .map_or_else(Vec::new, |state| lock(state).struck.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Zone;
    use crate::report::testing::Kernel;

    fn malloc(name: &str) -> Site {
        Site::Malloc(Some(name.to_owned()))
    }

    #[test]
    fn nth_occasion_fails_once() {
        let _kernel = Kernel::plain();
        arm(malloc("a"), 2, false);
        let occasions = ["b", "a", "b", "a", "a"];
        let failed = occasions.map(|name| strikes(&malloc(name), false));
        assert_eq!(failed, [false, false, false, true, false]);
        assert!(disarm());
        assert!(!disarm());
        assert_eq!(struck().len(), 1);
    }

    #[test]
    fn any_allocation_covers_both_kinds_and_nothing_else() {
        let _kernel = Kernel::plain();
        arm(Site::Allocation, 3, false);
        let occasions = [
            Site::Zone(Some(Zone::Item)),
            Site::Sleep,
            malloc("a"),
            Site::NewType,
            malloc("a"),
        ];
        let failed = occasions.map(|site| strikes(&site, false));
        assert_eq!(failed, [false, false, false, false, true]);
    }

    #[test]
    fn allocation_that_may_sleep_is_spared_unless_asked_for() {
        let _kernel = Kernel::plain();
        arm(Site::Malloc(None), 1, false);
        assert!(!strikes(&malloc("a"), true));
        assert!(strikes(&malloc("a"), false));
        arm(Site::Zone(None), 1, true);
        assert!(strikes(&Site::Zone(Some(Zone::Node)), true));
        arm(Site::Sleep, 1, false);
        assert!(strikes(&Site::Sleep, true));
    }

    #[test]
    fn disarmed_or_halted_kernel_has_no_faults() {
        let kernel = Kernel::plain();
        arm(Site::Sleep, 1, false);
        assert!(!disarm());
        assert!(!strikes(&Site::Sleep, true));
        drop(kernel);
        assert!(!strikes(&Site::Sleep, true));
    }
}
