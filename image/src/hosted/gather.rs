//! Takes what the parts file names out of Debian's packages, with all that it needs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::path::PathBuf;

use super::deb::Package;
use super::parts::{Parts, is_name};
use crate::build::additions::{Addition, AdditionBody};
use crate::elf;
use crate::error::{Error, Result};

/// Where Debian packages come from.
pub trait Packages: std::fmt::Debug + Send + Sync {
    /// The .deb files of these packages of a suite, in the same order; fetched if they are not at hand.
    ///
    /// # Errors
    /// There is no such package, or it cannot be fetched.
    fn get(&self, suite: &str, names: &[String]) -> Result<Vec<PathBuf>>;
}

/// What was taken.
#[derive(Debug)]
pub struct Gathered {
    /// The kernel, a bzImage.
    pub kernel: Vec<u8>,
    /// Its release, such as `6.1.0-56-cloud-amd64`.
    pub kernel_release: String,
    /// The EFI program that starts it.
    pub stub: Vec<u8>,
    /// The package that the stub is from.
    pub stub_file: PathBuf,
    /// Programs, libraries and modules, as they will lie in the appliance.
    pub files: Vec<Addition>,
    /// The modules, each after those that it depends on: paths relative to the root.
    pub modules: Vec<String>,
    /// SHA-256 of each package that was read, by name and version.
    pub sums: BTreeMap<String, String>,
}

/// Where the kernel lies in its package.
const KERNEL: &str = "boot/vmlinuz-";
/// Where modules lie in the appliance.
const MODULES: &str = "lib/modules";

/// Gathers what `parts` names.
///
/// # Errors
/// A package cannot be had or read, or has not what it should: [`Error::Input`], naming it.
pub fn gather(parts: &Parts, packages: &dyn Packages) -> Result<Gathered> {
    let mut pool = Pool::new(parts, packages);
    let names: Vec<String> = { parts.programs.keys() }
        .chain([&parts.stub.package, &parts.kernel])
        .cloned()
        .collect();
    pool.fetch(&names)?;
    let mut files = Vec::new();
    Libraries::default().place(parts, &mut pool, &mut files)?;
    let kernel = pool.kernel()?;
    let modules = modules(parts, &pool.packages[kernel], &mut files)?;
    let kernel = &pool.packages[kernel];
    let path = { kernel.paths() }
        .find(|path| path.starts_with(KERNEL))
        .unwrap_or_default();
    let stub = &pool.packages[pool.known[&parts.stub.package]];
    Ok(Gathered {
        kernel: contents(kernel, path)?.to_vec(),
        kernel_release: path.trim_start_matches(KERNEL).to_owned(),
        stub: contents(stub, &parts.stub.file)?.to_vec(),
        stub_file: stub.file.clone(),
        files,
        modules,
        sums: { pool.packages.iter() }
            .map(|package| (origin(package), package.sha256.clone()))
            .collect(),
    })
}

/// A file that a package must have.
fn contents<'a>(package: &'a Package, path: &str) -> Result<&'a [u8]> {
    { package.contents(path) }.ok_or_else(|| lacking(package, format!("has no file {path}")))
}

fn lacking(package: &Package, cause: String) -> Error {
    Error::Input {
        file: package.file.clone(),
        cause,
        hint: "correct the parts file of the hosted base: name another package, or another file of it".into(),
    }
}

/// The packages that were read.
struct Pool<'a> {
    parts: &'a Parts,
    source: &'a dyn Packages,
    packages: Vec<Package>,
    /// Places in `packages`, by name.
    known: BTreeMap<String, usize>,
}

impl<'a> Pool<'a> {
    fn new(parts: &'a Parts, source: &'a dyn Packages) -> Self {
        Self {
            parts,
            source,
            packages: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// Reads those of these packages that were not read before.
    fn fetch(&mut self, names: &[String]) -> Result<()> {
        let names: BTreeSet<&String> = names.iter().collect();
        let missing = names
            .into_iter()
            .filter(|name| is_name(name) && !self.known.contains_key(*name));
        let missing: Vec<String> = missing.cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let files = self.source.get(&self.parts.suite, &missing)?;
        for (name, file) in missing.into_iter().zip(files) {
            let package = Package::read(&file, &|path| self.is_wanted(path))?;
            self.known.insert(name, self.packages.len());
            self.packages.push(package);
        }
        Ok(())
    }

    fn is_wanted(&self, path: &str) -> bool {
        let mut programs = self.parts.programs.values().flatten();
        path.starts_with(KERNEL)
            || path == self.parts.stub.file
            || path.contains(".so")
            || module_name(path).is_some_and(|name| !name.is_empty())
            || programs.any(|program| program == path)
    }

    /// The package with the kernel: the one that the parts file names, or one that it depends on.
    fn kernel(&mut self) -> Result<usize> {
        let has_kernel = |package: &Package| package.paths().any(|path| path.starts_with(KERNEL));
        let named = self.known[&self.parts.kernel];
        if has_kernel(&self.packages[named]) {
            return Ok(named);
        }
        let depends = self.packages[named].depends.clone();
        for name in depends.into_iter().filter(|name| name.starts_with("linux-image-")) {
            self.fetch(std::slice::from_ref(&name))?;
            let place = self.known[&name];
            if has_kernel(&self.packages[place]) {
                return Ok(place);
            }
        }
        Err(lacking(
            &self.packages[named],
            format!("neither has a file {KERNEL}* nor depends on a package with one"),
        ))
    }
}

/// Follows programs to the libraries that they need.
#[derive(Default)]
struct Libraries {
    /// By soname: the package, and the path in it.
    known: BTreeMap<String, (usize, String)>,
    /// Packages whose libraries are known.
    indexed: usize,
    placed: BTreeSet<String>,
}

impl Libraries {
    /// Adds every program and library to `files`.
    fn place(&mut self, parts: &Parts, pool: &mut Pool<'_>, files: &mut Vec<Addition>) -> Result<()> {
        let mut waiting = VecDeque::new();
        for (name, paths) in &parts.programs {
            for path in paths {
                let owner = pool.known[name];
                files.push(program(path, path, &pool.packages[owner])?);
                waiting.push_back((owner, path.clone()));
            }
        }
        while let Some((owner, path)) = waiting.pop_front() {
            let needs = elf::needs(contents(&pool.packages[owner], &path)?).unwrap_or_default();
            for (soname, place) in wanted(needs) {
                if !self.placed.insert(soname.clone()) {
                    continue;
                }
                let (library, found) = self.find(&soname, owner, &path, pool)?;
                let place = place.unwrap_or_else(|| beside(&found, &soname));
                files.push(program(&place, &found, &pool.packages[library])?);
                waiting.push_back((library, found));
            }
        }
        Ok(())
    }

    /// Where a library lies that the file `path` of the package `owner` needs.
    fn find(&mut self, soname: &str, owner: usize, path: &str, pool: &mut Pool<'_>) -> Result<(usize, String)> {
        self.index(pool);
        if !self.known.contains_key(soname) {
            let depends = pool.packages[owner].depends.clone();
            let libraries: Vec<String> = { depends.into_iter() }
                .filter(|name| name.starts_with("lib") || name.starts_with("zlib"))
                .collect();
            pool.fetch(&libraries)?;
            self.index(pool);
        }
        { self.known.get(soname).cloned() }.ok_or_else(|| {
            let cause = format!("{path} needs {soname}, which no package has that it depends on");
            lacking(&pool.packages[owner], cause)
        })
    }

    /// Learns the libraries of packages that are new.
    fn index(&mut self, pool: &Pool<'_>) {
        for (place, package) in pool.packages.iter().enumerate().skip(self.indexed) {
            for path in { package.paths() }.filter(|path| package.contents(path).is_some()) {
                let name = path.rsplit('/').next().unwrap_or(path);
                self.known
                    .entry(name.to_owned())
                    .or_insert_with(|| (place, path.to_owned()));
            }
        }
        self.indexed = pool.packages.len();
    }
}

/// The libraries that are needed, with the place where one must lie if that matters.
fn wanted(needs: elf::Needs) -> impl Iterator<Item = (String, Option<String>)> {
    let interpreter = needs.interpreter.map(|path| {
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        (name, Some(path.trim_matches('/').to_owned()))
    });
    interpreter
        .into_iter()
        .chain(needs.libraries.into_iter().map(|soname| (soname, None)))
}

/// A path in the same folder with another name.
fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

/// The file `path` of a package, to be put at `place`.
fn program(place: &str, path: &str, package: &Package) -> Result<Addition> {
    let bytes = contents(package, path)?.to_vec();
    Ok(Addition::new(place, 0o755, AdditionBody::Bytes(bytes)).from(origin(package)))
}

/// A package's name and version, as in [`Gathered::sums`].
fn origin(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// Adds the modules that the parts file names and those that they depend on; in the order in which they can be loaded.
fn modules(parts: &Parts, kernel: &Package, files: &mut Vec<Addition>) -> Result<Vec<String>> {
    let paths = { kernel.paths() }
        .filter_map(|path| Some((module_name(path)?, path)))
        .collect();
    let mut order = Order {
        kernel,
        paths,
        loaded: Vec::new(),
        begun: BTreeSet::new(),
        files,
    };
    for name in &parts.modules {
        order.load(&name.replace('-', "_"))?;
    }
    Ok(order.loaded)
}

/// Modules in the order in which they can be loaded.
struct Order<'a> {
    kernel: &'a Package,
    paths: BTreeMap<String, &'a str>,
    loaded: Vec<String>,
    begun: BTreeSet<String>,
    files: &'a mut Vec<Addition>,
}

impl Order<'_> {
    fn load(&mut self, name: &str) -> Result<()> {
        if !self.begun.insert(name.to_owned()) {
            return Ok(());
        }
        let path = { self.paths.get(name).copied() }
            .ok_or_else(|| lacking(self.kernel, format!("has no kernel module {name}")))?;
        let bytes = unpacked(path, contents(self.kernel, path)?)
            .map_err(|error| lacking(self.kernel, format!("{path}: could not be unpacked: {error}")))?;
        let depends = elf::module_dependencies(&bytes)
            .ok_or_else(|| lacking(self.kernel, format!("{path}: is no kernel module")))?;
        for dependency in depends {
            self.load(&dependency.replace('-', "_"))?;
        }
        let place = format!("{MODULES}/{name}.ko");
        let module = Addition::new(&place, 0o644, AdditionBody::Bytes(bytes));
        self.files.push(module.from(origin(self.kernel)));
        self.loaded.push(place);
        Ok(())
    }
}

/// The name that a module's file tells: `virtio-rng.ko.xz` is `virtio_rng`.
fn module_name(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let stem = file.strip_suffix(".ko").or_else(|| file.strip_suffix(".ko.xz"))?;
    Some(stem.replace('-', "_"))
}

fn unpacked(path: &str, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    if !path.ends_with(".xz") {
        return Ok(bytes.to_vec());
    }
    let mut whole = Vec::new();
    liblzma::bufread::XzDecoder::new(bytes).read_to_end(&mut whole)?;
    Ok(whole)
}
