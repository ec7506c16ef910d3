//! What can go wrong, each with the place at fault, the cause and the way out.

use std::io;
use std::path::{Path, PathBuf};

/// The result of anything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an image was not built.
///
/// Every message names the file (line, entry, address) at fault first, then the cause, and ends with a `hint:` line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused an operation on a file.
    #[error("{path}: could not {action}: {source}\nhint: {}", io_hint(source))]
    Io {
        /// The verb and its object, such as `write the image`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The appliance file cannot be understood.
    #[error("{file}:{line}:{column}: {cause}\nhint: {hint}")]
    Spec {
        /// The appliance file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// A file that the appliance names is absent or unusable.
    #[error("{file}: {cause}\nhint: {hint}")]
    Input {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// The graph names an interface that the virtual machine will not have.
    #[error(
        "{file}:{line}: node `{node}` uses interface `{interface}`, but the appliance has {nics} NICs (vtnet0 to \
         vtnet{})\nhint: raise `nics` in the appliance file, or name another interface",
        nics.saturating_sub(1)
    )]
    MissingNic {
        /// The graph file.
        file: PathBuf,
        /// Line of the node, from 1.
        line: usize,
        /// The node's name.
        node: String,
        /// The interface it names.
        interface: String,
        /// How many NICs there are.
        nics: u8,
    },
    /// A mirror did not deliver a file.
    #[error("{url}: {cause}\nhint: {hint}")]
    Download {
        /// What was asked for.
        url: String,
        /// What came instead.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// Debian packages of a hosted base cannot be had.
    #[error(
        "Debian {suite}: {names}: {cause}\nhint: is there a network, and is the mirror right (--debian-mirror)? What was \
         fetched before is taken from the cache"
    )]
    Packages {
        /// Debian's release.
        suite: String,
        /// What was asked for.
        names: String,
        /// Why it did not come.
        cause: String,
    },
    /// A FreeBSD package cannot be installed.
    #[error("package {package}: {cause}\nhint: {hint}")]
    Package {
        /// Its name, with the version if that is known.
        package: String,
        /// What is wrong with it.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// A set is not the one MANIFEST lists.
    #[error(
        "{file}: SHA-256 is {found}, but MANIFEST says {expected}\nhint: the file is damaged or from another release; \
         fetch it again together with MANIFEST"
    )]
    Checksum {
        /// The set.
        file: PathBuf,
        /// From MANIFEST, in hexadecimal.
        expected: String,
        /// Of the bytes at hand, in hexadecimal.
        found: String,
    },
    /// An archive holds what a distribution set never holds, or breaks off.
    #[error("{file}: entry `{entry}`: {cause}\nhint: {hint}")]
    Archive {
        /// The set.
        file: PathBuf,
        /// Path of the entry as the archive has it; of the last good one if the archive itself is damaged.
        entry: String,
        /// What is wrong.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// Two inputs contradict each other about a path.
    #[error("{path}: {cause}\nhint: {hint}")]
    Tree {
        /// Path in the appliance.
        path: String,
        /// What is wrong.
        cause: String,
        /// The way out.
        hint: String,
    },
    /// The contents do not fit the disk that was asked for.
    #[error(
        "the image needs {needed} bytes, but `disk: size` allows {allowed}\nhint: raise `size` in {file}, remove it to \
         have it computed, or prune more"
    )]
    DiskTooSmall {
        /// The appliance file.
        file: PathBuf,
        /// Bytes that would do.
        needed: u64,
        /// Bytes that were allowed.
        allowed: u64,
    },
    /// Inputs are not the locked ones.
    #[error(
        "{file}: {} of {section} differ from the lock; nothing was written\n{}\nhint: if the change is wanted, `cargo xtask \
         lock --update` shows and takes it; if not, bring the locked input back",
        counted(differences.len()),
        lines(differences)
    )]
    Locked {
        /// The lock file.
        file: PathBuf,
        /// The section of it.
        section: String,
        /// Each input that differs.
        differences: Vec<crate::lock::Difference>,
    },
    /// Another build is writing to the same folder.
    #[error("{folder}: another build is writing here\nhint: wait for it, or choose another folder with --out")]
    Busy {
        /// The output folder.
        folder: PathBuf,
    },
}

impl Error {
    /// Wraps what the system said about `path`; for `map_err`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

fn counted(inputs: usize) -> String {
    match inputs {
        1 => "1 input".into(),
        count => format!("{count} inputs"),
    }
}

fn lines(differences: &[crate::lock::Difference]) -> String {
    let lines: Vec<String> = differences.iter().map(|one| format!("  {one}")).collect();
    lines.join("\n")
}

fn io_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room on that file system, or choose another folder with --out or --cache; nothing was changed"
        }
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "check who owns it; root is not needed if the folder is yours",
        _ => "check the disk and the path, then run the build again; nothing was changed",
    }
}
