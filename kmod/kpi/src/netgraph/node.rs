//! Counted references to nodes and hooks.

use core::ffi::{CStr, c_uint};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::errno::{Errno, Result};
use crate::mutex::StaticMutex;
use crate::raw::netgraph as raw;
use crate::raw::ng_message::{NG_HOOKSIZ, NG_NODESIZ};
use crate::shared::field;

/// The name of a node: up to 31 bytes, empty for a node without one.
pub type NodeName = Name<NG_NODESIZ>;
/// The name of a hook: up to 31 bytes.
pub type HookName = Name<NG_HOOKSIZ>;

/// A C string in an array of fixed size.
#[derive(Debug, Clone, Copy)]
pub struct Name<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> PartialEq for Name<SIZE> {
    fn eq(&self, other: &Self) -> bool {
        // Byte by byte up to the NUL: comparing the arrays would import memcmp(9).
        self.as_bytes().iter().eq(other.as_bytes())
    }
}

impl<const SIZE: usize> Eq for Name<SIZE> {}

impl<const SIZE: usize> Name<SIZE> {
    /// Copies `text`, which may end with a NUL byte; what follows one does not count.
    ///
    /// # Errors
    /// `EINVAL`: `text` does not fit into `SIZE - 1` bytes.
    pub fn new(text: &[u8]) -> Result<Self> {
        let mut bytes = [0; SIZE];
        let text = text.iter().take_while(|byte| **byte != 0);
        let mut places = bytes.iter_mut().take(SIZE.saturating_sub(1));
        for byte in text {
            *places.next().ok_or(Errno::EINVAL)? = *byte;
        }
        Ok(Self(bytes))
    }

    /// The bytes before the NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let length = self.0.iter().take_while(|byte| **byte != 0).count();
        self.0.get(..length).unwrap_or(&[])
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The name with its NUL.
    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

/// Counts one more reference, as refcount(9) does: a counter that overflowed stays where no release can bring it to 0.
///
/// # Safety
/// `counter` is a live reference counter of the kernel.
unsafe fn acquire(counter: *mut c_uint) {
    const SATURATED: u32 = 0x8000_0000;
    const MIDDLE_OF_SATURATION: u32 = 0xc000_0000;
    // SAFETY: the counter is live (caller), aligned, and the kernel accesses it by atomic operations only.
    let counter = unsafe { AtomicU32::from_ptr(counter) };
    if counter.fetch_add(1, Ordering::Relaxed) & SATURATED != 0 {
        counter.store(MIDDLE_OF_SATURATION, Ordering::Relaxed);
    }
}

/// A reference to a node.
///
/// # Invariants
/// The pointer is a node's, and one of the node's references is this value's.
pub struct Node(NonNull<raw::ng_node>);

// SAFETY: references may be taken, used and released on any thread.
unsafe impl Send for Node {}
// SAFETY: as above; what is read of a node is read by atomic or volatile loads.
unsafe impl Sync for Node {}

impl Node {
    /// Takes over a reference that the kernel counted for us.
    ///
    /// # Safety
    /// `pointer` is a node with a reference that is nobody else's.
    pub(crate) unsafe fn from_counted(pointer: NonNull<raw::ng_node>) -> Self {
        // INVARIANT: the caller gives its reference away.
        Self(pointer)
    }

    /// Makes a reference of our own.
    ///
    /// # Safety
    /// `pointer` is a node that somebody else's reference keeps alive during the call.
    pub(crate) unsafe fn from_borrowed(pointer: NonNull<raw::ng_node>) -> Self {
        // SAFETY: the node is alive (caller), and its counter with it.
        unsafe { acquire(field!(pointer.as_ptr(), raw::ng_node, nd_refs)) };
        // INVARIANT: the reference just counted.
        Self(pointer)
    }

    pub(crate) fn as_ptr(&self) -> *mut raw::ng_node {
        self.0.as_ptr()
    }

    pub(crate) fn pointer(&self) -> NonNull<raw::ng_node> {
        self.0
    }

    /// The node's ID, never 0.
    #[must_use]
    pub fn id(&self) -> u32 {
        // SAFETY: the node is alive (invariant), and its ID does not change once it has been made.
        unsafe { (*self.0.as_ptr()).nd_ID }
    }

    /// The node's name, empty if it has none.
    ///
    /// The kernel renames without a lock that we could take, so that a name read while it changes may be a mixture.
    #[must_use]
    pub fn name(&self) -> NodeName {
        // SAFETY: the node is alive (invariant); every byte pattern is a valid array, and the volatile read makes no
        // assumption about concurrent writers.
        let mut bytes = unsafe { field!(self.0.as_ptr(), raw::ng_node, nd_name).read_volatile() };
        if let Some(last) = bytes.last_mut() {
            *last = 0;
        }
        Name(bytes)
    }

    /// Whether the node has not begun to shut down.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        // SAFETY: the node is alive (invariant).
        let flags = unsafe { field!(self.0.as_ptr(), raw::ng_node, nd_flags).read_volatile() };
        flags & raw::NGF_INVALID == 0
    }

    /// How many hooks the node has.
    #[must_use]
    pub fn hook_count(&self) -> usize {
        // SAFETY: the node is alive (invariant).
        let hooks = unsafe { field!(self.0.as_ptr(), raw::ng_node, nd_numhooks).read_volatile() };
        usize::try_from(hooks).unwrap_or(0)
    }

    /// Gives the node a name.
    ///
    /// # Errors
    /// `EINVAL`: the name is empty, has a `.` or `:` in it, or reads like an ID. `EADDRINUSE`: another node has it.
    pub fn set_name(&self, name: &NodeName) -> Result {
        // SAFETY: the node is alive (invariant) and the name ends with a NUL within its array.
        Errno::check(unsafe { raw::ng_name_node(self.0.as_ptr(), name.as_c_str().as_ptr()) })
    }

    /// Whether this is the only reference.
    fn is_unshared(&self) -> bool {
        let count: *const AtomicU32 = field!(self.0.as_ptr(), raw::ng_node, nd_refs).cast();
        // SAFETY: the node is alive (invariant), and its counter is changed atomically by everyone.
        unsafe { &*count }.load(Ordering::Acquire) == 1
    }

    /// Has the node removed: at once, or as soon as whoever works on it is done.
    ///
    /// # Errors
    /// `ENOMEM`: there was no item to queue the removal with.
    pub fn remove(&self) -> Result {
        // SAFETY: the node is alive (invariant).
        Errno::check(unsafe { raw::ng_rmnode_self(self.0.as_ptr()) })
    }
}

/// A node of our own, kept from being freed by anyone but us.
///
/// netgraph finds a node by name or ID without regard to whether its last reference has just been given up, and then
/// counts from 0 to 1 what is being freed. So the last reference of a node of ours is always this one, and it is given up
/// under [`LOOKUP`], under which our sockets look for nodes. (Lookups that netgraph makes itself, to send an answer to
/// an ID, are not covered.)
///
/// # Invariants
/// Holds a reference until [`Kept::retire`].
pub struct Kept(Node);

/// Guards the moment in which a node of ours is freed against the lookups of our sockets; also the type's count of its
/// nodes, which netgraph changes without a lock.
pub(crate) static LOOKUP: StaticMutex<()> = StaticMutex::new(());

/// A thousandth of a second in units of 2⁻³² s.
const MILLISECOND: i64 = (1 << 32) / 1000;
/// How long a node that nobody should hold any more is waited for, in milliseconds.
const PATIENCE: u32 = 5000;

impl Kept {
    /// Keeps `node`.
    #[must_use]
    pub fn new(node: Node) -> Self {
        Self(node)
    }

    /// Frees the node, which has been shut down, as soon as whoever still works on it is done. May sleep.
    ///
    /// Who keeps it for more than some seconds has it freed by his own last reference.
    pub fn retire(self) {
        let mut guard = LOOKUP.lock();
        for _ in 0..PATIENCE {
            if self.0.is_unshared() {
                break;
            }
            guard.pause(c"ngend", MILLISECOND);
        }
        // Before the guard, so that nobody finds the node between its last reference and its end.
        drop(self.0);
        drop(guard);
    }
}

impl Clone for Node {
    fn clone(&self) -> Self {
        // SAFETY: self's reference keeps the node alive.
        unsafe { Self::from_borrowed(self.0) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: the reference is ours (invariant) and given up here.
        unsafe { raw::ng_unref_node(self.0.as_ptr()) }
    }
}

/// A reference to a hook, which in turn keeps its node.
///
/// # Invariants
/// The pointer is a hook's, and one of the hook's references is this value's.
pub struct Hook(NonNull<raw::ng_hook>);

// SAFETY: references may be taken, used and released on any thread.
unsafe impl Send for Hook {}
// SAFETY: as above; a hook's name never changes.
unsafe impl Sync for Hook {}

impl Hook {
    /// Makes a reference of our own.
    ///
    /// # Safety
    /// `pointer` is a hook that somebody else's reference keeps alive during the call.
    pub(crate) unsafe fn from_borrowed(pointer: NonNull<raw::ng_hook>) -> Self {
        // SAFETY: the hook is alive (caller), and its counter with it.
        unsafe { acquire(field!(pointer.as_ptr(), raw::ng_hook, hk_refs)) };
        // INVARIANT: the reference just counted.
        Self(pointer)
    }

    pub(crate) fn as_ptr(&self) -> *mut raw::ng_hook {
        self.0.as_ptr()
    }

    /// The hook's name.
    #[must_use]
    pub fn name(&self) -> HookName {
        // SAFETY: the hook is alive (invariant), and its name was set before anyone could see it.
        let mut bytes = unsafe { (*self.0.as_ptr()).hk_name };
        if let Some(last) = bytes.last_mut() {
            *last = 0;
        }
        Name(bytes)
    }

    /// Whether both are references to the same hook.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Clone for Hook {
    fn clone(&self) -> Self {
        // SAFETY: self's reference keeps the hook alive.
        unsafe { Self::from_borrowed(self.0) }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: the reference is ours (invariant) and given up here.
        unsafe { raw::ng_unref_hook(self.0.as_ptr()) }
    }
}

/// Whether a node type of this name is registered.
#[must_use]
pub fn type_exists(name: &CStr) -> bool {
    // SAFETY: the kernel only compares the string.
    let found = unsafe { raw::ng_findtype(name.as_ptr()) };
    !found.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_or_are_refused() {
        assert_eq!(NodeName::new(b"wan").map(|name| name.as_bytes().len()), Ok(3));
        assert_eq!(NodeName::new(b"wan\0rest").map(|name| name.as_bytes().len()), Ok(3));
        assert!(NodeName::new(&[b'a'; 31]).is_ok());
        assert_eq!(NodeName::new(&[b'a'; 32]), Err(Errno::EINVAL));
        assert!(NodeName::new(b"").is_ok_and(|name| name.is_empty()));
    }
}
