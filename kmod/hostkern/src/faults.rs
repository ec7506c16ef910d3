//! Faults on demand.

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
    /// Registering the node type.
    NewType,
}

/// Arms one fault: the `nth` occasion from now on (1 is the next) fails, once. `even_if_it_may_sleep` also fails
/// allocations with `M_WAITOK`, which FreeBSD never does.
pub fn arm(_site: Site, _nth: u64, _even_if_it_may_sleep: bool) {
    todo!()
}

/// Disarms, and says whether the fault has struck.
pub fn disarm() -> bool {
    todo!()
}

/// Whether this occasion is to fail. `may_sleep` as the caller says.
pub fn strikes(_site: &Site, _may_sleep: bool) -> bool {
    todo!()
}
