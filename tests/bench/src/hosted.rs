//! The hosted kernel, in this process.

use std::path::PathBuf;

use hostkern::kernel::BootError;
use hostkern::{Config, Kernel, Process, Subject};

use crate::errno::Errno;
use crate::system::{DATAGRAM, FAMILY, Protocol, Socket, System};

/// A kernel with a module.
pub struct Hosted {
    _kernel: Kernel,
}

fn errno(errno: hostkern::Errno) -> Errno {
    Errno(errno.get())
}

impl Hosted {
    /// Boots a kernel and loads the module. What tests look for, overruns and leaks, is not looked for.
    ///
    /// # Errors
    /// The module cannot be loaded.
    pub fn boot(module: PathBuf) -> Result<Self, BootError> {
        let config = Config {
            subject: Subject::File(module),
            guard_pages: false,
            check_leaks: false,
        };
        Kernel::boot(config).map(|kernel| Self { _kernel: kernel })
    }
}

/// Where the module's code begins: the loader puts it into memory of no file, below 2 GiB, where nothing else is executed.
pub fn code_address() -> Option<u64> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(code_start)
}

/// The start of the mapping that a line of `/proc/self/maps` describes, if a module's code may lie there.
fn code_start(line: &str) -> Option<u64> {
    let mut words = line.split_whitespace();
    let start = u64::from_str_radix(words.next()?.split('-').next()?, 16).ok()?;
    let is_code = words.next()? == "r-xp" && words.nth(2)? == "0";
    (is_code && start < 1 << 31).then_some(start)
}

impl System for Hosted {
    fn socket(&self, protocol: Protocol) -> Result<Box<dyn Socket>, Errno> {
        let made = Process::ROOT.socket(i32::from(FAMILY), DATAGRAM, protocol as i32);
        Ok(Box::new(made.map_err(errno)?))
    }
}

impl Socket for hostkern::Socket {
    fn bind(&self, address: &[u8]) -> Result<(), Errno> {
        self.bind(address).map_err(errno)
    }

    fn connect(&self, address: &[u8]) -> Result<(), Errno> {
        self.connect(address).map_err(errno)
    }

    fn send(&self, bytes: &[u8], to: Option<&[u8]>) -> Result<(), Errno> {
        self.send(bytes, 0, to, None).map(drop).map_err(errno)
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let received = self.receive(buffer, 0).map_err(errno)?;
        Ok(received.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_without_a_file_is_the_modules() {
        let code = "04840000-04842000 r-xp 00000000 00:00 0 ";
        assert_eq!(code_start(code), Some(0x0484_0000));
        for other in [
            "04842000-04843000 r--p 00000000 00:00 0 ",
            "58000000-581cd000 r-xp 00001000 08:01 3941 /usr/libexec/valgrind/callgrind-amd64-linux",
            "7f0000000000-7f0000001000 r-xp 00000000 00:00 0 ",
            "",
        ] {
            assert_eq!(code_start(other), None, "{other}");
        }
    }
}
