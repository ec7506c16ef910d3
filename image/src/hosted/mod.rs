//! The hosted base: an appliance of well-kept Debian parts, in which the hosted kernel runs ng_socket.
//!
//! Debian's cloud kernel starts an initramfs with busybox, OpenSSH's sshd, `hostkernd` and `ng`. Kernel and initramfs are
//! one EFI program ([`uki`]), the only file on the disk. It is a stage to rehearse on, and says so wherever it shows
//! itself; FreeBSD is the product.
//!
//! [`deb`] reads packages, [`gather`] takes out of them what the parts file ([`parts`]) names and all that it needs
//! ([`crate::elf`]), [`cpio`](self::cpio) writes the initramfs.

mod cpio;
mod deb;

mod gather;
mod parts;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod uki;

use std::path::PathBuf;
use std::sync::Arc;

use crate::build::additions::{Addition, AdditionBody};
use crate::error::{Error, Result};
use crate::esp;
use crate::progress::Progress;
use crate::spec::Spec;

pub use gather::{Gathered, Packages};
pub use parts::{Parts, Stub};

/// Where the list of kernel modules lies in the appliance.
const MODULE_LIST: &str = "etc/modules";
/// Settings for the boot scripts.
const SETTINGS: &str = "etc/ngforge.conf";
/// What is shown before a login, on the console and through SSH.
const BANNER: &str = "etc/issue";

/// A hosted base.
#[derive(Debug, Clone)]
pub struct Hosted {
    /// What it takes from Debian.
    pub parts: Parts,
    /// The file that said so, for messages.
    pub parts_file: PathBuf,
    /// Where Debian's packages come from.
    pub packages: Arc<dyn Packages>,
}

/// What a hosted appliance is, in one line for people.
pub fn introduction(system: &str, release: &str) -> String {
    format!("hosted base ({system}; ng_socket.ko for FreeBSD {release}): a rehearsal on Linux, not FreeBSD")
}

/// Files that follow from the spec.
pub fn generated(spec: &Spec) -> Vec<Addition> {
    let file = |path, text: String| Addition::new(path, 0o644, AdditionBody::Bytes(text.into_bytes()));
    let graph = if spec.graph.is_some() { "YES" } else { "NO" };
    let settings = format!("module_file=/{}\ngraph={graph}\n", spec.module);
    let busybox = |path| Addition::new(path, 0o777, AdditionBody::Symlink(b"/bin/busybox".to_vec()));
    vec![
        file("etc/hostname", format!("{}\n", spec.hostname)),
        file(SETTINGS, settings),
        busybox("init"),
        busybox("bin/sh"),
        Addition::new("proc", 0o555, AdditionBody::Directory { named: true }),
        Addition::new("sys", 0o555, AdditionBody::Directory { named: true }),
        Addition::new("tmp", 0o1777, AdditionBody::Directory { named: true }),
    ]
}

impl Hosted {
    /// Takes what the parts file names out of Debian's packages.
    ///
    /// # Errors
    /// A package cannot be had, is damaged, or lacks what is named.
    pub fn gather(&self, progress: &dyn Progress) -> Result<Gathered> {
        let task = progress.begin(&format!("read Debian {}", self.parts.suite), None);
        let gathered = gather::gather(&self.parts, &*self.packages)?;
        let bytes = gathered.kernel.len() + { gathered.files.iter() }.map(Addition::bytes_in_memory).sum::<usize>();
        task.advance(bytes as u64);
        Ok(gathered)
    }

    /// What it consists of, for people.
    pub fn system(&self, gathered: &Gathered) -> String {
        format!("Debian {}, Linux {}", self.parts.suite, gathered.kernel_release)
    }

    /// What the initramfs holds, in order; later ones win.
    pub fn files(&self, gathered: &Gathered, spec: &Spec, additions: &[Addition]) -> Vec<Addition> {
        let introduction = introduction(&self.system(gathered), &spec.release);
        let text = |path, text: String| Addition::new(path, 0o644, AdditionBody::Bytes(text.into_bytes()));
        let mut files = gathered.files.clone();
        files.push(text(MODULE_LIST, gathered.modules.join("\n") + "\n"));
        files.push(text(BANNER, format!("{}: {introduction}\n", spec.hostname)));
        files.extend_from_slice(additions);
        files
    }

    /// The EFI program that is the whole appliance, with these files in its initramfs.
    ///
    /// # Errors
    /// A file cannot be read, the stub is none, or all of it is too large.
    pub fn assemble(&self, gathered: &Gathered, spec: &Spec, files: &[Addition]) -> Result<Vec<u8>> {
        let introduction = introduction(&self.system(gathered), &spec.release);
        let initramfs = cpio::archive(files)?;
        let contents = uki::Contents {
            release: &format!("ID=ngforge\nNAME=\"ngforge hosted base\"\nPRETTY_NAME=\"{introduction}\"\n"),
            uname: &gathered.kernel_release,
            cmdline: &self.parts.cmdline,
            kernel: &gathered.kernel,
            initramfs: &initramfs,
        };
        let program = uki::assemble(&gathered.stub, &gathered.stub_file, &contents)?;
        if program.len() as u64 > esp::PROGRAM_MAX {
            return Err(Error::Input {
                file: self.parts_file.clone(),
                cause: format!(
                    "kernel and initramfs have {} MiB, too many for the EFI partition",
                    program.len() >> 20
                ),
                hint: "take fewer programs and files".into(),
            });
        }
        Ok(program)
    }
}
