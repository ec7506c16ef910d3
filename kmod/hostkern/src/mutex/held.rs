//! The mutexes a thread holds, for reports and for lock order.

use std::cell::RefCell;
use std::ffi::{c_char, c_int};
use std::fmt;
use std::panic::Location;

use super::class_name;
use super::word::Word;
use crate::report::{self, lossy};
use crate::sync::thread_local;

thread_local! {
    static HELD: RefCell<List> = RefCell::default();
}

#[derive(Default)]
struct List(Vec<Held>);

impl Drop for List {
    fn drop(&mut self) {
        if let Some(held) = self.0.first().filter(|_| !std::thread::panicking()) {
            report::panic(&format!("the thread ends with a mutex held: {held}"));
        }
    }
}

/// A place in a source file, as the caller of a C function names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    file: *const c_char,
    line: c_int,
}

impl Place {
    /// One that is not known.
    pub(super) const NONE: Self = Self::new(std::ptr::null(), 0);

    pub(super) const fn new(file: *const c_char, line: c_int) -> Self {
        Self { file, line }
    }

    pub(super) fn here(location: &'static Location<'static>) -> Self {
        let line = c_int::try_from(location.line()).unwrap_or(0);
        Self::new(location.file_as_c_str().as_ptr(), line)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: null, or `__FILE__` of a module that is loaded, since its call or its mutex is what is talked about.
        write!(f, "{}:{}", unsafe { lossy(self.file) }, self.line)
    }
}

/// A mutex a thread holds.
#[derive(Debug, Clone)]
pub struct Held {
    /// The name mtx_init(9) was given.
    pub name: String,
    /// What lock order goes by: the type mtx_init(9) was given, or else the name.
    pub(super) class: String,
    address: usize,
    place: Place,
}

impl Held {
    /// The address of the `struct mtx`.
    pub(super) fn address(&self) -> usize {
        self.address
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mutex {} ({:#x}), taken at {}", self.name, self.address, self.place)
    }
}

/// The mutexes the calling thread holds, in the order in which it took them.
pub fn held() -> Vec<Held> {
    all()
}

pub(super) fn all() -> Vec<Held> {
    HELD.try_with(|held| held.borrow().0.clone()).unwrap_or_default()
}

pub(super) fn has(address: usize) -> bool {
    HELD.with(|held| held.borrow().0.iter().any(|held| held.address == address))
}

pub(super) fn push(word: &Word, place: Place) {
    let held = Held {
        name: word.name().into_owned(),
        class: class_name(word.name_pointer(), word.kind()),
        address: word.address(),
        place,
    };
    HELD.with(|list| list.borrow_mut().0.push(held));
}

/// Forgets a mutex; one that a module took inline is not there.
pub(super) fn pop(address: usize) {
    HELD.with(|held| {
        let held = &mut held.borrow_mut().0;
        if let Some(index) = held.iter().rposition(|held| held.address == address) {
            held.remove(index);
        }
    });
}
