//! One kernel: booted, used, taken down.

use std::path::PathBuf;

/// Which ng_socket the kernel runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The module linked into this program.
    Native,
    /// A kernel module file, of whichever ABI it says it is for.
    File(PathBuf),
    /// None yet: [`Kernel::load`] comes later.
    None,
}

/// What kind of kernel to boot.
#[derive(Debug, Clone)]
pub struct Config {
    /// The module.
    pub subject: Subject,
    /// Each allocation in pages of its own, so that use after free and overruns fault; else only poisoned.
    pub guard_pages: bool,
    /// Report what is left over when the kernel is taken down, and abort.
    pub check_leaks: bool,
}

/// The running kernel.
pub struct Kernel {}
