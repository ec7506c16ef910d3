//! What slots and the state record lie on: a partition, or a file that stands for one.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;

/// Bytes that can be read and written anywhere.
pub trait Device {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Fills `bytes` from there.
    ///
    /// # Errors
    /// What the system says; the end of the device.
    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes `bytes` there.
    ///
    /// # Errors
    /// What the system says; the end of the device.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Comes back when everything that was written would outlive a loss of power.
    ///
    /// # Errors
    /// What the system says.
    fn flush(&mut self) -> io::Result<()>;
}

/// A partition, or a file.
#[derive(Debug)]
pub struct Partition {
    file: File,
    size: u64,
    disk: bool,
}

impl Partition {
    /// Opens it, for reading alone or for writing as well.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, write: bool) -> io::Result<Self> {
        let mut file = File::options().read(true).write(write).open(path)?;
        let kind = file.metadata()?.file_type();
        let disk = kind.is_char_device() || kind.is_block_device();
        let size = match disk {
            true => disk_size(&mut file)?,
            false => file.metadata()?.len(),
        };
        Ok(Self { file, size, disk })
    }
}

impl Device for Partition {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(bytes, at)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if at.checked_add(bytes.len() as u64).is_none_or(|end| end > self.size) {
            return Err(io::Error::other("that is behind its end"));
        }
        self.file.write_all_at(bytes, at)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        match self.disk {
            true => flush_cache(&self.file),
            false => Ok(()),
        }
    }
}

/// The size of a disk: both kernels know it as its end (vn_seek in FreeBSD's sys/kern/vfs_vnops.c, block devices on Linux).
fn disk_size(file: &mut File) -> io::Result<u64> {
    let size = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    Ok(size)
}

/// FreeBSD's fsync(2) of a disk leaves the drive's own cache as it is; DIOCGFLUSH (sys/disk.h) empties that.
#[cfg(target_os = "freebsd")]
#[allow(unsafe_code, reason = "an ioctl(2) that rustix has no safe name for")]
fn flush_cache(file: &File) -> io::Result<()> {
    use rustix::io::Errno;
    use rustix::ioctl::{NoArg, ioctl, opcode};

    // SAFETY: DIOCGFLUSH is _IO('d', 135): it takes no argument, and the kernel reads and writes no memory of this process.
    let flushed = unsafe { ioctl(file, NoArg::<{ opcode::none(b'd', 135) }>::new()) };
    match flushed {
        // A disk without a cache that can be flushed.
        Err(Errno::OPNOTSUPP | Errno::NOTTY) => Ok(()),
        other => Ok(other?),
    }
}

/// Linux's fsync(2) of a disk does all of it.
#[cfg(not(target_os = "freebsd"))]
#[expect(clippy::unnecessary_wraps, reason = "as on FreeBSD")]
fn flush_cache(_: &File) -> io::Result<()> {
    Ok(())
}
