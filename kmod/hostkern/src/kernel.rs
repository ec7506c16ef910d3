//! One kernel: booted, used, taken down.

use std::ffi::c_int;
use std::path::{Path, PathBuf};

use kpi::Errno;

use crate::abi::{self, Abi};
use crate::loader::{Image, LoadError};
use crate::module::{self, LinkError, Metadata, Object};
use crate::native::Linked;
use crate::process::Process;
use crate::slot::TURN;
use crate::sync::{MutexGuard, lock};
use crate::{clock, counter, domain, epoch, faults, memory, mutex, netgraph, report, sleep, socket, sysctl, thread};

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

/// Why a kernel does not run the module.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The file cannot be loaded.
    #[error("{path}: {error}", path = path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: LoadError,
    },
    /// The file is for none of the kernels there are.
    #[error("{path}: for none of the FreeBSD releases known, 14.0, 14.3 and 15.0", path = .0.display())]
    Release(PathBuf),
    /// The kernel does not take the module.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// The running kernel; at the end of the value it is taken down. Others wait until then.
pub struct Kernel {
    check_leaks: bool,
    subject: Option<c_int>,
    _turn: MutexGuard<'static, ()>,
}

/// A module in memory, not linked yet.
struct Loaded {
    object: Box<dyn Object>,
    name: String,
    abi: Abi,
    /// Kernel variables and the copies the module uses.
    copies: Vec<(usize, usize)>,
}

impl Loaded {
    fn of(subject: &Subject) -> Result<Option<Self>, BootError> {
        match subject {
            Subject::None => Ok(None),
            Subject::Native => Ok(Some(Self {
                object: Box::new(Linked::new()),
                name: "ng_socket".to_owned(),
                abi: Abi::NATIVE,
                copies: Vec::new(),
            })),
            Subject::File(path) => Self::from_file(path).map(Some),
        }
    }

    fn from_file(path: &Path) -> Result<Self, BootError> {
        let failed = |error| BootError::Load {
            path: path.to_owned(),
            error,
        };
        let image = Image::load(path).map_err(failed)?;
        let abi = Metadata::of(&image)
            .abi()
            .ok_or_else(|| BootError::Release(path.to_owned()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let copies = image.copies().to_vec();
        Ok(Self {
            object: Box::new(image),
            name,
            abi,
            copies,
        })
    }

    fn link(self) -> Result<c_int, BootError> {
        for (original, copy) in self.copies {
            memory::add_type_copy(original, copy);
            clock::add_copy(original, copy);
        }
        Ok(as_root(|| module::link(self.object, &self.name))?)
    }
}

fn as_root<R>(work: impl FnOnce() -> R) -> R {
    thread::with(Process::ROOT.credentials, Process::ROOT.vnet, work)
}

impl Kernel {
    /// Boots a kernel of the release that the subject is for, and loads the subject.
    ///
    /// # Errors
    /// The subject cannot be loaded.
    pub fn boot(config: Config) -> Result<Self, BootError> {
        Self::boot_release(config, None)
    }

    /// As [`Kernel::boot`], with a kernel of release `abi`, such as 14.3 for a module that prefers 14.0.
    ///
    /// # Errors
    /// The subject cannot be loaded.
    pub fn boot_release(config: Config, abi: Option<Abi>) -> Result<Self, BootError> {
        let turn = lock(&TURN);
        let loaded = Loaded::of(&config.subject)?;
        let abi = abi.unwrap_or_else(|| loaded.as_ref().map_or(Abi::NATIVE, |loaded| loaded.abi));
        boot_parts(&config, abi);
        let mut kernel = Self {
            check_leaks: config.check_leaks,
            subject: None,
            _turn: turn,
        };
        if let Some(loaded) = loaded {
            // Should it fail, the end of the value takes the kernel down.
            kernel.subject = Some(loaded.link()?);
        }
        Ok(kernel)
    }

    /// Loads a module, as root does. Returns the ID for [`Kernel::unload`].
    ///
    /// # Errors
    /// As [`Kernel::boot`].
    pub fn load(&self, subject: &Subject) -> Result<Option<c_int>, BootError> {
        Loaded::of(subject)?.map(Loaded::link).transpose()
    }

    /// Unloads a module, as root does.
    ///
    /// # Errors
    /// What the module answered.
    pub fn unload(&self, file: c_int) -> Result<(), Errno> {
        as_root(|| module::unload(file))
    }

    /// The ID of the module the kernel was booted with.
    #[must_use]
    pub fn subject(&self) -> Option<c_int> {
        self.subject
    }

    /// The release.
    #[must_use]
    pub fn abi(&self) -> Abi {
        abi::booted()
    }

    /// Waits until netgraph has nothing left to do.
    pub fn settle(&self) {
        netgraph::settle();
    }
}

fn boot_parts(config: &Config, abi: Abi) {
    abi::boot(abi);
    report::boot(config);
    faults::boot(config);
    thread::boot(config);
    memory::boot(config);
    mutex::boot(config);
    sleep::boot(config);
    clock::boot();
    epoch::boot(config);
    netgraph::boot(config);
    domain::boot();
    socket::boot();
    sysctl::boot();
    counter::boot();
    module::boot();
    memory::expect_version(abi.malloc_version);
    thread::set_offsets(thread::Offsets {
        ucred: abi.td_ucred,
        vnet: abi.td_vnet,
    });
}

impl Drop for Kernel {
    fn drop(&mut self) {
        netgraph::settle();
        let refused = as_root(module::unload_all);
        let mut left = socket::halt();
        left.extend(sysctl::halt());
        left.extend(counter::halt());
        left.extend(domain::halt());
        left.extend(halt_primitives());
        if !refused.is_empty() {
            left.retain(|line| !is_registration(line));
        }
        if self.check_leaks && !left.is_empty() && !std::thread::panicking() {
            report::panic(&format!(
                "left over when the kernel was taken down:\n{}",
                left.join("\n")
            ));
        }
        report::halt();
        clock::halt();
        module::halt();
        abi::halt();
    }
}

/// Whether something that is left over is no more than a registration, which a module that refuses to be unloaded keeps.
fn is_registration(line: &str) -> bool {
    line.starts_with(sysctl::REGISTERED) || line.starts_with(domain::REGISTERED) || line.ends_with("with 0 nodes")
}

/// Takes down netgraph and what lies below it.
fn halt_primitives() -> Vec<String> {
    let parts = [
        netgraph::halt,
        epoch::halt,
        sleep::halt,
        mutex::halt,
        memory::halt,
        thread::halt,
        faults::halt,
    ];
    parts.iter().flat_map(|halt| halt()).collect()
}
