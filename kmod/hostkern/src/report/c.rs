//! The C functions: printf(9), panic(9) and the stack protector.
//!
//! A C function with variable arguments cannot be written in stable Rust. On amd64 the first six integer arguments come in
//! registers and the others on the stack, whether variable or not, so that a fixed number of words does for the formats
//! modules use; words that the caller did not pass are garbage that no conversion of the format asks for.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int};

use super::{panic, write};

/// The words behind a format.
type Words = [usize; 5];

/// snprintf(3) with the words of a format; FreeBSD's own conversions (`%D`, `%b`) are not known.
///
/// # Safety
/// As snprintf(3).
unsafe fn print_to(buffer: *mut c_char, size: usize, format: *const c_char, words: Words) -> c_int {
    let [a, b, c, d, e] = words;
    // SAFETY: the caller vouches for the buffer and the format; unused words are not looked at.
    unsafe { libc::snprintf(buffer, size, format, a, b, c, d, e) }
}

/// The text of a format.
///
/// # Safety
/// As printf(3).
unsafe fn text(format: *const c_char, words: Words) -> String {
    // SAFETY: with size 0 nothing is written.
    let length = unsafe { print_to(std::ptr::null_mut(), 0, format, words) };
    let mut buffer = vec![0u8; usize::try_from(length).unwrap_or(0) + 1];
    // SAFETY: the buffer has room for the length just computed and the NUL.
    unsafe { print_to(buffer.as_mut_ptr().cast(), buffer.len(), format, words) };
    buffer.pop();
    String::from_utf8_lossy(&buffer).into_owned()
}

/// A C string for a report; `?` for null.
///
/// # Safety
/// `string` is null or a C string.
pub(crate) unsafe fn lossy<'a>(string: *const c_char) -> Cow<'a, str> {
    if string.is_null() {
        return Cow::Borrowed("?");
    }
    // SAFETY: not null, so that it is a C string as the caller says.
    unsafe { CStr::from_ptr(string) }.to_string_lossy()
}

/// `printf(9)`: into the message buffer. Returns the length.
///
/// # Safety
/// As printf(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostkern_printf(
    format: *const c_char,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
) -> c_int {
    // SAFETY: the caller passes a format and its words.
    let text = unsafe { text(format, [a, b, c, d, e]) };
    write(&text);
    c_int::try_from(text.len()).unwrap_or(c_int::MAX)
}

/// `snprintf(9)`
///
/// # Safety
/// As snprintf(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hostkern_snprintf(
    buffer: *mut c_char,
    size: usize,
    format: *const c_char,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
) -> c_int {
    // SAFETY: the caller vouches for buffer, format and words.
    unsafe { print_to(buffer, size, format, [a, b, c, d, e]) }
}

/// `panic(9)`
///
/// # Safety
/// As panic(9).
#[unsafe(export_name = "panic")]
pub unsafe extern "C" fn kernel_panic(format: *const c_char, a: usize, b: usize, c: usize, d: usize, e: usize) -> ! {
    // SAFETY: the caller passes a format and its words.
    panic(&unsafe { text(format, [a, b, c, d, e]) })
}

/// `kassert_panic`: an assertion of a module built with `INVARIANTS` does not hold.
///
/// # Safety
/// As panic(9).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kassert_panic(format: *const c_char, a: usize, b: usize, c: usize, d: usize, e: usize) -> ! {
    // SAFETY: the caller passes a format and its words.
    panic(&unsafe { text(format, [a, b, c, d, e]) })
}

/// What modules built with a stack protector put between their locals and the return address.
#[unsafe(no_mangle)]
pub static __stack_chk_guard: [usize; 8] = [0x5bad_c0de_00ff_0a0d; 8];

/// `__stack_chk_fail`, whose name the host's C library has too.
#[unsafe(no_mangle)]
pub extern "C" fn hostkern___stack_chk_fail() -> ! {
    panic("stack protector: a function wrote behind its locals")
}
