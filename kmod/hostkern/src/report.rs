//! The message buffer, and panic(9).

/// Keeps a line of the kernel's message buffer.
pub fn note(_line: &str) {
    todo!()
}

/// The message buffer so far, oldest line first.
pub fn message_buffer() -> Vec<String> {
    todo!()
}

/// panic(9): reports what is wrong, where, and with which locks held, on standard error, and aborts the process.
pub fn panic(_what: &str) -> ! {
    todo!()
}
