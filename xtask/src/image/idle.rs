//! Whether anybody else has a file open.

use std::fs::File;

/// Whether nobody but us has `file`, which is open for writing, open or mapped: Linux grants a write lease only then
/// (fcntl(2), F_SETLEASE). `false` where that cannot be known.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn is_idle(file: &File) -> bool {
    use std::os::fd::AsRawFd;
    let lease = |kind: libc::c_int| {
        // SAFETY: `file` keeps the descriptor open during the call; F_SETLEASE takes an int and touches no memory of ours.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) };
        result == 0
    };
    // Given back at once: from here on the file is only known to this build, which holds the folder's lock.
    lease(libc::F_WRLCK) && lease(libc::F_UNLCK)
}

/// Whether nobody but us has `file` open: not known on this system.
#[cfg(not(target_os = "linux"))]
pub fn is_idle(_file: &File) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn another_descriptor_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let ours = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        assert!(is_idle(&ours));
        let other = File::open(&path).unwrap();
        assert!(!is_idle(&ours));
        drop(other);
        assert!(is_idle(&ours));
    }
}
