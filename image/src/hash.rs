//! SHA-256 of what passes by.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A reader or writer that hashes what goes through it.
#[derive(Debug)]
pub struct Hashing<T> {
    inner: T,
    hasher: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    /// Hashes what goes through `inner`.
    pub fn new(inner: T) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            bytes: 0,
        }
    }

    /// Goes on hashing, through `other`.
    pub fn continue_with<U>(self, other: U) -> Hashing<U> {
        Hashing {
            inner: other,
            hasher: self.hasher,
            bytes: self.bytes,
        }
    }

    /// The hash so far in hexadecimal, and how many bytes it covers.
    pub fn finish(self) -> (String, u64) {
        (hex(&self.hasher.finalize()), self.bytes)
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.hasher.update(&into[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(from)?;
        self.hasher.update(&from[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of bytes, in hexadecimal.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn of_file(path: &Path) -> Result<String> {
    let file = File::open(path).map_err(Error::io("open the file", path))?;
    let mut hashing = Hashing::new(file);
    io::copy(&mut hashing, &mut io::sink()).map_err(Error::io("read the file", path))?;
    Ok(hashing.finish().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_abc() {
        let mut hashing = Hashing::new(&b"abc"[..]);
        io::copy(&mut hashing, &mut io::sink()).unwrap();
        let (hash, bytes) = hashing.finish();
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((hash, bytes), (of_bytes(b"abc"), 3));
    }
}
