//! FreeBSD packages, installed at build time: no pkg(8), no root, on any host.
//!
//! 1. sources say what they offer, a repository in its signed catalogue ([`catalogue`], [`signature`]);
//! 2. what was asked for is chosen, with all that it needs ([`resolve`], [`abi`]);
//! 3. each package becomes a layer, checked against catalogue and manifest ([`unpack`]);
//! 4. accounts, samples and scripts follow from the manifests ([`accounts`], [`scripts`], [`aftermath`]).

mod abi;
mod accounts;
mod aftermath;
mod catalogue;
pub mod compress;
mod fetch;
pub mod manifest;
mod resolve;
pub mod scripts;
pub mod settings;
pub mod signature;
mod unpack;
pub mod version;

use std::collections::BTreeMap;
use std::path::Path;

pub use accounts::{Accounts, Texts};
pub use aftermath::Aftermath;
pub use resolve::Present;
pub use unpack::Package;

use crate::build::layers::Scratch;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::spec::packages::SourceSpec;

/// What every step needs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The appliance file; paths in it are relative to its folder.
    pub spec_file: &'a Path,
    /// The release that packages must fit, such as `14.3`.
    pub release: &'a str,
    /// Where packages, catalogues and layers are kept.
    pub cache: &'a Path,
    /// Hears what is being done.
    pub progress: &'a dyn Progress,
}

impl Context<'_> {
    fn scratch(&self) -> Result<Scratch> {
        Scratch::new(self.cache)
    }

    fn abi(&self) -> Result<abi::Abi> {
        abi::Abi::of(self.release).ok_or_else(|| Error::Input {
            file: self.spec_file.to_path_buf(),
            cause: format!("`release: {}` does not say which packages fit", self.release),
            hint: "write it as \"14.3\"".into(),
        })
    }
}

/// A package as an input of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Name, such as `mpd5`.
    pub name: String,
    /// Version, such as `5.9_18`.
    pub version: String,
    /// SHA-256 of the package file in hexadecimal.
    pub sha256: String,
    /// The source that it came from: an address or a folder.
    pub source: String,
}

/// Packages that are ready to be put into the tree.
#[derive(Debug, Default)]
pub struct Obtained {
    /// In an order in which each comes behind those it depends on.
    pub packages: Vec<Package>,
    inputs: Vec<Input>,
}

impl Obtained {
    /// What the build depends on.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Checksums by the name of the package file.
    pub fn sums(&self) -> BTreeMap<String, String> {
        let named = self
            .inputs
            .iter()
            .map(|input| (format!("{}-{}.pkg", input.name, input.version), input.sha256.clone()));
        named.collect()
    }
}

/// Chooses `wanted` and what they need from `sources`, and makes layers of them.
///
/// # Errors
/// A source cannot be read or is not signed as it must be; something that is needed is not on offer; a package is not
/// what the catalogue says.
pub fn obtain(sources: &[SourceSpec], wanted: &[String], present: &Present, context: &Context<'_>) -> Result<Obtained> {
    let abi = context.abi()?;
    let mut offers = Vec::new();
    for source in sources {
        offers.extend(catalogue::offers(source, context)?);
    }
    let choice = resolve::choose(&offers, wanted, &abi, present)?;
    for note in &choice.notes {
        context.progress.note(&format!("added {note}"));
    }
    let mut obtained = Obtained::default();
    for offer in choice.offers {
        obtained.inputs.push(Input {
            name: offer.manifest.name.clone(),
            version: offer.manifest.version.clone(),
            sha256: offer.sha256.clone(),
            source: offer.source.clone(),
        });
        obtained.packages.push(unpack::obtain(offer, context)?);
    }
    Ok(obtained)
}
