//! Which packages are installed: those asked for, and all that they need, each before what needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::abi::Abi;
use super::catalogue::Offer;
use super::manifest::Manifest;
use super::version;
use crate::build::glob;
use crate::error::{Error, Result};

/// Where libraries lie that programs of the base system and of ports find.
const LIBRARIES: [&str; 3] = ["lib", "usr/lib", "usr/local/lib"];
/// How the name of a library for 32-bit programs ends, and where those lie.
const COMPAT32: (&str, &str) = (":32", "usr/lib32");

/// What is there without any package.
#[derive(Debug, Default)]
pub struct Present {
    paths: BTreeSet<Vec<u8>>,
}

impl Present {
    /// With these paths, relative to the root.
    pub fn new<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Self {
        Self {
            paths: paths.map(<[u8]>::to_vec).collect(),
        }
    }

    fn has(&self, library: &str) -> bool {
        let (name, folders) = match library.strip_suffix(COMPAT32.0) {
            Some(name) => (name, &[COMPAT32.1][..]),
            None => (library, &LIBRARIES[..]),
        };
        let mut paths = folders.iter().map(|folder| format!("{folder}/{name}"));
        paths.any(|path| self.paths.contains(path.as_bytes()))
    }
}

/// What was chosen.
#[derive(Debug)]
pub struct Choice<'a> {
    /// In an order in which each comes behind those it depends on.
    pub offers: Vec<&'a Offer>,
    /// What nobody asked for and no package names: the library or word for which a package was taken.
    pub notes: Vec<String>,
}

/// Chooses from `offers`, which are sorted by source.
///
/// # Errors
/// [`Error::Package`]: a package is not offered, is for another system, contradicts another one, or needs what nothing
/// provides.
pub fn choose<'a>(offers: &'a [Offer], wanted: &[String], abi: &Abi, present: &Present) -> Result<Choice<'a>> {
    let mut chooser = Chooser {
        index: Index::new(offers, abi),
        abi,
        chosen: BTreeMap::new(),
        order: Vec::new(),
        notes: Vec::new(),
    };
    for word in wanted {
        let offer = chooser.index.asked_for(word, abi)?;
        chooser.take(offer)?;
    }
    chooser.provide(present)?;
    chooser.check_conflicts()?;
    Ok(Choice {
        offers: chooser.order,
        notes: chooser.notes,
    })
}

/// Offers by what they are asked for by.
struct Index<'a> {
    all: &'a [Offer],
    /// The best offer of each name that fits the system.
    best: BTreeMap<&'a str, &'a Offer>,
    origins: BTreeMap<&'a str, &'a Offer>,
    libraries: BTreeMap<&'a str, &'a Offer>,
    words: BTreeMap<&'a str, &'a Offer>,
}

impl<'a> Index<'a> {
    fn new(all: &'a [Offer], abi: &Abi) -> Self {
        let mut best: BTreeMap<&str, &Offer> = BTreeMap::new();
        for offer in all.iter().filter(|offer| abi.check(&offer.manifest).is_ok()) {
            let place = best.entry(&offer.manifest.name).or_insert(offer);
            if version::compare(&offer.manifest.version, &place.manifest.version).is_gt() {
                *place = offer;
            }
        }
        let mut index = Self {
            all,
            best: BTreeMap::new(),
            origins: BTreeMap::new(),
            libraries: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        for offer in best.values() {
            let manifest = &offer.manifest;
            index.origins.entry(&manifest.origin).or_insert(offer);
            for library in &manifest.shlibs_provided {
                index.libraries.entry(library).or_insert(offer);
            }
            for word in &manifest.provides {
                index.words.entry(word).or_insert(offer);
            }
        }
        index.best = best;
        index
    }

    /// The offer for a word of the appliance file: a name, a name with version, or an origin.
    fn asked_for(&self, word: &str, abi: &Abi) -> Result<&'a Offer> {
        if let Some(offer) = self.best.get(word).or_else(|| self.origins.get(word)) {
            return Ok(offer);
        }
        let mut named = self.all.iter().filter(|offer| offer.manifest.full_name() == word);
        if let Some(offer) = named.find(|offer| abi.check(&offer.manifest).is_ok()) {
            return Ok(offer);
        }
        let is_it =
            |manifest: &Manifest| manifest.name == word || manifest.full_name() == word || manifest.origin == word;
        let mut misfits = self.all.iter().filter(|offer| is_it(&offer.manifest));
        Err(match misfits.next().map(|offer| (offer, abi.check(&offer.manifest))) {
            Some((offer, Err(cause))) => error(
                &offer.manifest.full_name(),
                format!("{cause} (from {})", offer.source),
                "name a repository of the release in `release` with `packages: from`",
            ),
            _ => error(
                word,
                self.absence(word),
                "correct `install`, or name a further source with `from`",
            ),
        })
    }

    fn absence(&self, word: &str) -> String {
        let near = self
            .best
            .keys()
            .filter(|name| name.contains(word) || word.contains(**name))
            .take(5);
        let near: Vec<&str> = near.copied().collect();
        match near.is_empty() {
            true => format!("is not among the {} packages on offer", self.best.len()),
            false => format!("is not on offer; there is {}", near.join(", ")),
        }
    }
}

struct Chooser<'a, 'b> {
    index: Index<'a>,
    abi: &'b Abi,
    chosen: BTreeMap<&'a str, &'a Offer>,
    order: Vec<&'a Offer>,
    notes: Vec<String>,
}

impl<'a> Chooser<'a, '_> {
    /// Takes a package, and first those it depends on; of a circle, the first comes last.
    fn take(&mut self, offer: &'a Offer) -> Result<()> {
        let mut open = vec![(offer, false)];
        while let Some((offer, ready)) = open.pop() {
            if ready {
                self.order.push(offer);
                continue;
            }
            if !self.enter(offer)? {
                continue;
            }
            open.push((offer, true));
            for (name, dependency) in offer.manifest.deps.iter().rev() {
                open.push((self.dependency(offer, name, &dependency.origin)?, false));
            }
        }
        Ok(())
    }

    /// Notes that a package is taken, and says whether that is new.
    fn enter(&mut self, offer: &'a Offer) -> Result<bool> {
        match self.chosen.insert(&offer.manifest.name, offer) {
            None => Ok(true),
            Some(other) if other.sha256 == offer.sha256 => Ok(false),
            Some(other) => Err(error(
                &offer.manifest.full_name(),
                format!("is asked for beside {}", other.manifest.full_name()),
                "name one version of it in `install`",
            )),
        }
    }

    fn dependency(&self, of: &Offer, name: &str, origin: &str) -> Result<&'a Offer> {
        // A version that was asked for by name stays, even if there is a newer one.
        if let Some(offer) = self.chosen.get(name) {
            return Ok(offer);
        }
        let found = self.index.best.get(name).or_else(|| self.index.origins.get(origin));
        found.copied().ok_or_else(|| {
            let misfit = self.index.all.iter().find(|offer| offer.manifest.name == name);
            let why = match misfit.map(|offer| self.abi.check(&offer.manifest)) {
                Some(Err(cause)) => format!("which {cause}"),
                _ => "which no source offers".into(),
            };
            error(
                &of.manifest.full_name(),
                format!("needs {name} ({origin}), {why}"),
                "name a further source with `from`, or build the package with the rest of its port's dependencies",
            )
        })
    }

    /// Takes what provides the libraries and words that are needed and not there.
    fn provide(&mut self, present: &Present) -> Result<()> {
        let mut at = 0;
        while at < self.order.len() {
            let offer = self.order[at];
            at += 1;
            for library in &offer.manifest.shlibs_required {
                let there = present.has(library) || self.provided(|manifest| &manifest.shlibs_provided, library);
                if !there {
                    let provider = self.index.libraries.get(library.as_str()).copied();
                    self.add(offer, "the library", library, provider)?;
                }
            }
            for word in &offer.manifest.requires {
                if !self.provided(|manifest| &manifest.provides, word) {
                    let provider = self.index.words.get(word.as_str()).copied();
                    self.add(offer, "", word, provider)?;
                }
            }
        }
        Ok(())
    }

    fn provided(&self, list: fn(&Manifest) -> &Vec<String>, word: &String) -> bool {
        self.chosen.values().any(|offer| list(&offer.manifest).contains(word))
    }

    fn add(&mut self, of: &Offer, what: &str, word: &str, provider: Option<&'a Offer>) -> Result<()> {
        let wanted = format!("{what} {word}").trim().to_string();
        let name = of.manifest.full_name();
        let Some(provider) = provider else {
            return Err(error(
                &name,
                format!("needs {wanted}, which is neither in the base system nor in any package on offer"),
                "is the repository for this release? Are the sets complete (`sets`)?",
            ));
        };
        self.notes.push(format!(
            "{} for {wanted}, which {name} needs",
            provider.manifest.full_name()
        ));
        self.take(provider)
    }

    fn check_conflicts(&self) -> Result<()> {
        for offer in &self.order {
            for pattern in &offer.manifest.conflicts {
                let others = self
                    .order
                    .iter()
                    .filter(|other| other.manifest.name != offer.manifest.name);
                if let Some(other) = others.into_iter().find(|other| conflicts(pattern, &other.manifest)) {
                    return Err(error(
                        &offer.manifest.full_name(),
                        format!(
                            "cannot stand beside {} (it says so: `{pattern}`)",
                            other.manifest.full_name()
                        ),
                        "leave one of them out of `install`",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether a pattern of `conflicts` means this package: a name, or a pattern of name and version with `*` and `?`.
fn conflicts(pattern: &str, manifest: &Manifest) -> bool {
    let pattern = pattern.replace("[0-9]", "?");
    pattern == manifest.name
        || pattern
            .strip_suffix("-?*")
            .is_some_and(|name| glob::matches(name.as_bytes(), manifest.name.as_bytes()))
        || glob::matches(pattern.as_bytes(), manifest.full_name().as_bytes())
}

fn error(package: &str, cause: String, hint: &str) -> Error {
    Error::Package {
        package: package.into(),
        cause,
        hint: hint.into(),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
