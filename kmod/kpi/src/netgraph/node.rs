//! Counted references to nodes and hooks.

use core::ffi::{CStr, c_uint};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering, fence};

use crate::errno::{Errno, Result};
use crate::mutex::StaticMutex;
use crate::raw::netgraph as raw;
use crate::raw::ng_message::{NG_HOOKSIZ, NG_NODESIZ, NG_TYPESIZ};
use crate::shared::{field, yield_point};

/// The name of a node: up to 31 bytes, empty for a node without one.
pub type NodeName = Name;
/// The name of a hook: up to 31 bytes.
pub type HookName = Name;
/// The name of a node type: up to 31 bytes.
pub type TypeName = Name;

const SIZE: usize = 32;
const _: () = assert!(NG_NODESIZ == SIZE && NG_HOOKSIZ == SIZE && NG_TYPESIZ == SIZE);

/// A C string in its 32 bytes.
///
/// # Invariants
/// The last byte is 0, and so is every byte behind the first 0: so names are equal if their bytes are.
#[derive(Debug, Clone, Copy)]
#[repr(align(8))]
pub struct Name([u8; SIZE]);

impl PartialEq for Name {
    /// Four words, without a branch; comparing the arrays would import memcmp(9).
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.words().into_iter().zip(other.words());
        pairs.fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
    }
}

impl Eq for Name {}

impl Name {
    /// No name.
    pub const EMPTY: Self = Self([0; SIZE]);

    /// Copies `text`, which may end with a NUL byte; what follows one does not count.
    ///
    /// # Errors
    /// `EINVAL`: `text` does not fit into 31 bytes.
    pub fn new(text: &[u8]) -> Result<Self> {
        let mut bytes = [0; SIZE];
        let mut places = bytes.iter_mut().take(SIZE - 1);
        for byte in text {
            if *byte == 0 {
                break;
            }
            *places.next().ok_or(Errno::EINVAL)? = *byte;
        }
        // INVARIANT: what was not copied is 0.
        Ok(Self(bytes))
    }

    /// The name in a member of a structure, of which nobody knows what follows the NUL.
    #[must_use]
    #[inline(never)]
    pub fn of_field(mut field: [u8; SIZE]) -> Self {
        let mut ended = false;
        for byte in &mut field {
            ended |= *byte == 0;
            *byte = if ended { 0 } else { *byte };
        }
        // INVARIANT: nothing is left behind the first 0.
        Self::of_padded(field)
    }

    /// The name in a member that is 0 from the NUL on.
    #[must_use]
    pub const fn of_padded(mut field: [u8; SIZE]) -> Self {
        // INVARIANT: the caller knows about the rest.
        field[SIZE - 1] = 0;
        Self(field)
    }

    /// The bytes as a member of a structure holds them.
    #[must_use]
    pub const fn field(&self) -> [u8; SIZE] {
        self.0
    }

    /// The bytes, eight at a time.
    #[must_use]
    pub fn words(&self) -> [u64; SIZE / 8] {
        let mut words = [0; SIZE / 8];
        for (word, bytes) in words.iter_mut().zip(self.0.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words
    }

    /// How many bytes the name has.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut length = 0usize;
        for word in self.words() {
            let zeros = zero_bytes(word);
            if zeros != 0 {
                return length.saturating_add((zeros.trailing_zeros() / 8) as usize);
            }
            length = length.saturating_add(8);
        }
        length
    }

    /// The bytes before the NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.get(..self.len()).unwrap_or(&[])
    }

    /// Whether there is no name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0[0] == 0
    }

    /// The name with its NUL.
    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

/// Bit 7 of a byte is set where `word` has a byte 0; above the lowest such byte there may be wrong ones.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080
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
        Name::of_field(unsafe { field!(self.0.as_ptr(), raw::ng_node, nd_name).read_volatile() })
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
/// under [`LOOKUP`], under which our sockets look for nodes. (Lookups that netgraph makes itself, for an answer's
/// address or the path in a connect message, are not covered: it makes them inside of whatever handles the message, in no
/// epoch that could be waited for.)
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

/// What is at the other end of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The hook's name there.
    pub hook: HookName,
    /// The node's ID.
    pub id: u32,
    /// The node's type.
    pub kind: TypeName,
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
        // The kernel writes a hook's name once, into zeroed memory.
        // SAFETY: the hook is alive (invariant), and its name was set before anyone could see it.
        Name::of_padded(unsafe { (*self.0.as_ptr()).hk_name })
    }

    /// Whether the hook can be used: it has been connected, and not been removed since.
    ///
    /// A node's hook that is valid is the node's hook of that name, since names are unique and do not change.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        // SAFETY: the hook is alive (invariant); the kernel reads this word without a lock, too.
        let flags = unsafe { field!(self.0.as_ptr(), raw::ng_hook, hk_flags).read_volatile() };
        flags & raw::HK_INVALID == 0
    }

    /// What is at the other end, as long as there is something.
    ///
    /// For the node's connect method, where the hook is not valid yet, so that netgraph has no function that would give
    /// a reference. The peer pointer changes once, from the peer to a dummy, before the reference it stands for is given
    /// up: whatever was read while it was the same before and after was read from a living hook and node.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        let peer = self.peer_pointer();
        // SAFETY: memory of malloc(9) this small lies in the direct map, where it can be read even if it has been freed
        // since; then the check that follows fails, and the result is not used.
        let name = unsafe { field!(peer, raw::ng_hook, hk_name).read_volatile() };
        // SAFETY: as above.
        let node = unsafe { field!(peer, raw::ng_hook, hk_node).read_volatile() };
        self.still(peer)?;
        // SAFETY: as above: the hook was alive just now, and keeps its node.
        let id = unsafe { field!(node, raw::ng_node, nd_ID).read_volatile() };
        // SAFETY: as above.
        let kind = unsafe { field!(node, raw::ng_node, nd_type).read_volatile() };
        self.still(peer)?;
        // SAFETY: a node of this type was alive just now, and a type is a static of a module that is in use as long.
        let kind = unsafe { (*kind).name };
        // SAFETY: the name of a type is a C string.
        let kind = TypeName::new(unsafe { CStr::from_ptr(kind) }.to_bytes()).ok()?;
        let hook = Name::of_field(name);
        // The dummies have ID 0.
        (id != 0).then_some(Peer { hook, id, kind })
    }

    fn peer_pointer(&self) -> *mut raw::ng_hook {
        // SAFETY: the hook is alive (invariant); the kernel writes the word at once.
        unsafe { field!(self.0.as_ptr(), raw::ng_hook, hk_peer).read_volatile() }
    }

    /// Whether the peer is still `peer`, after everything that was read of it.
    fn still(&self, peer: *mut raw::ng_hook) -> Option<()> {
        fence(Ordering::Acquire);
        core::ptr::eq(self.peer_pointer(), peer).then_some(())
    }

    /// Whether both are references to the same hook.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Clone for Hook {
    fn clone(&self) -> Self {
        yield_point();
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
        assert!(NodeName::new(&[b'a'; 31]).is_ok_and(|name| name.len() == 31));
        assert_eq!(NodeName::new(&[b'a'; 32]), Err(Errno::EINVAL));
        assert!(NodeName::new(b"").is_ok_and(|name| name.is_empty() && name.as_bytes().is_empty()));
    }

    #[test]
    fn a_field_is_what_lies_before_its_nul() {
        for length in 0..32 {
            let mut field = [b'\x01'; 32];
            field[..length].fill(b'n');
            field[length] = 0;
            let name = Name::of_field(field);
            assert_eq!(Ok(name), Name::new(&field[..length]), "{length}");
            assert_eq!(name.as_bytes(), &field[..length]);
        }
        assert_eq!(Name::of_field([b'n'; 32]).len(), 31);
    }

    #[test]
    fn names_differ_by_any_byte() {
        for place in 0..31 {
            let mut other = [b'n'; 31];
            other[place] = b'm';
            assert_ne!(Name::new(&other), Name::new(&[b'n'; 31]), "{place}");
        }
    }
}
