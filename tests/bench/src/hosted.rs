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
