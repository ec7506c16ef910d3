//! The inputs from elsewhere, as the lock pins them.

use std::path::Path;

use super::Base;
use crate::error::Result;
use crate::hosted::Gathered;
use crate::lock::{Pin, Pins};
use crate::packages;
use crate::progress::Progress;
use crate::sets::{self, Fetcher, List, Listed, Source};
use crate::spec::Spec;

/// What an image would be built from now. Nothing is written but the cache.
///
/// # Errors
/// An input cannot be had.
pub fn found(base: &Base, spec: &Spec, cache: &Path, progress: &dyn Progress) -> Result<Pins> {
    match base {
        Base::FreeBsd(source) => {
            let list = Fetcher::new(source, cache, progress).list()?;
            Ok(of_sets(source, &list, &listed(spec, &list)?))
        }
        Base::Hosted(hosted) => Ok(of_packages(&hosted.gather(progress)?)),
    }
}

/// The sets that the appliance names, as MANIFEST lists them.
///
/// # Errors
/// One is not listed.
pub(super) fn listed(spec: &Spec, list: &List) -> Result<Vec<Listed>> {
    spec.sets.iter().map(|name| list.find(name)).collect()
}

/// MANIFEST and sets. What a set's bytes are is checked against MANIFEST when it is read.
pub(super) fn of_sets(source: &Source, list: &List, listed: &[Listed]) -> Pins {
    // A folder of this machine says nothing to anybody else.
    let address = |file: &str| match source {
        Source::Folder(_) => None,
        Source::Mirror(address) => Some(format!("{address}/{file}")),
    };
    let pin = |file: &str, sum: &str| (file.to_owned(), Pin::file(sum).from_source(address(file)));
    let sets = listed.iter().map(|set| pin(&set.file, &set.sha256));
    sets.chain([pin(sets::MANIFEST, &list.sha256)]).collect()
}

/// The packages that a hosted base was taken from.
pub(super) fn of_packages(gathered: &Gathered) -> Pins {
    let pin = |(name, sum): (&String, &String)| match name.split_once(' ') {
        Some((name, version)) => (name.to_owned(), Pin::file(sum).of_version(version)),
        None => (name.clone(), Pin::file(sum)),
    };
    gathered.sums.iter().map(pin).collect()
}

/// FreeBSD packages.
pub(super) fn of_chosen(inputs: &[packages::Input]) -> Pins {
    let pin = |input: &packages::Input| {
        let pin = Pin::file(&input.sha256).of_version(&input.version);
        (input.name.clone(), pin.from_source(Some(input.source.clone())))
    };
    inputs.iter().map(pin).collect()
}
