//! Statics that the kernel writes to.

use core::cell::UnsafeCell;

/// A value that lives in writable memory and is handed to the kernel by pointer.
///
/// Rust code never makes a reference to the value: the kernel is its only reader and writer once it has the pointer.
#[repr(transparent)]
pub struct SyncCell<T>(UnsafeCell<T>);

// SAFETY: there is no way to the value but a raw pointer; whoever uses it answers for the access.
unsafe impl<T> Sync for SyncCell<T> {}

impl<T> SyncCell<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The pointer for the kernel.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}

/// A constant that holds pointers, for the kernel to read.
#[repr(transparent)]
pub struct SyncConst<T>(pub T);

// SAFETY: never written after it is compiled (it is no cell), so that any thread may read it; what its pointers lead to
// is the kernel's business.
unsafe impl<T> Sync for SyncConst<T> {}

/// The address of a member of a structure that C owns, without a look at the structure: `field!(pointer, type, member)`.
macro_rules! field {
    ($pointer:expr, $type:ty, $field:ident) => {
        $crate::shared::member($pointer, core::mem::offset_of!($type, $field), |all: &$type| {
            &all.$field
        })
    };
}
pub(crate) use field;

/// The address `offset` bytes into the structure behind `pointer`; `_member` says what lies there.
pub(crate) fn member<T, F>(pointer: *mut T, offset: usize, _member: fn(&T) -> &F) -> *mut F {
    pointer.wrapping_byte_add(offset).cast()
}

/// A place at which memory is shared, where a model checker may have another thread run; else nothing.
pub(crate) fn yield_point() {
    #[cfg(feature = "model")]
    {
        unsafe extern "C" {
            safe fn hostkern_yield();
        }
        hostkern_yield();
    }
}
