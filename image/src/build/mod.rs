//! The whole way from inputs to image files, in stages that are not run again while their inputs stay the same.
//!
//! 1. each set becomes a layer, kept in the cache under the set's checksum ([`layers`]);
//! 2. layers, prune list and additions make a [`crate::tree::Tree`] ([`merge`], [`additions`]);
//! 3. the tree is laid out and written in every format ([`disk`]).
//!
//! The third stage costs one copy of the data, so a build after a changed overlay takes a fraction of the first one.
//! If nothing changed at all, the image files stand as they are.

mod accounts;
pub(crate) mod additions;
mod arrange;
pub mod boot;
pub mod disk;
mod facts;
pub(crate) mod glob;
pub(crate) mod layers;
mod layout;
mod merge;
mod mtree;
mod needs;
mod owners;
mod pinned;
mod rcd;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::areas::{self, Area};
use crate::error::{Error, Result};
use crate::hash;
use crate::hosted::Hosted;
use crate::lock;
use crate::manifest::{self, Manifest, OutputFile};
use crate::output::{self, Disk, Folder, Idle};
use crate::packages::{self, Aftermath, Package, Present};
use crate::progress::Progress;
use crate::provenance::{self, Account};
use crate::sbom::{self, Software};
use crate::sets::{Fetcher, Listed, Source};
use crate::spec::{self, InterfaceUse, Layout, Spec};
use crate::update::{self, Signing};
use layers::Set;

pub use additions::{Addition, AdditionBody};
pub use pinned::found;

/// Changes whenever the same inputs would give other bytes.
const FORMAT: &str = "ngforge image 2";

/// Everything a build needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The appliance.
    pub spec: Spec,
    /// The file it came from; paths in the spec are relative to its folder.
    pub spec_file: PathBuf,
    /// What it is built from.
    pub base: Base,
    /// Files that go into the appliance as they stand, with `<rootfs>.mtree` beside them for what git forgets.
    pub rootfs: Option<PathBuf>,
    /// Our ng_socket.ko.
    pub module: Option<PathBuf>,
    /// Programs for the appliance.
    pub tools: Vec<PathBuf>,
    /// What else goes on top, such as the programs' manual pages.
    pub companions: Vec<Addition>,
    /// Public keys that open root's account, besides those of the spec: one line each.
    pub authorized_keys: Vec<String>,
    /// Who signs updates; of a disk with root slots alone.
    pub signing: Signing,
    /// The private key to one of them, if the build made it; goes into the manifest.
    pub identity: Option<PathBuf>,
    /// The interfaces that the graph uses.
    pub interfaces: Vec<InterfaceUse>,
    /// Kernel modules that the graph's node types come in, such as `ng_bridge`: no profile leaves them out.
    pub kernel_modules: Vec<String>,
    /// Where the image goes.
    pub out: PathBuf,
    /// Where sets and layers are kept.
    pub cache: PathBuf,
    /// Threads for decoding.
    pub threads: u32,
    /// What the inputs are held against.
    pub lock: lock::Policy,
    /// What module and tools are made of, for the bill of materials.
    pub software: Vec<Software>,
    /// The image's time in seconds since 1970, and the latest of any file in it (SOURCE_DATE_EPOCH); without it, that of the
    /// newest file of the sets.
    pub epoch: Option<i64>,
    /// Tells whether nobody else has a file open. With it, a spare image is kept, which makes the next build fast.
    pub idle: Option<Idle>,
}

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The account of it, as written beside the image.
    pub manifest: Manifest,
    /// Where that is.
    pub manifest_path: PathBuf,
    /// Nothing had changed since the last build.
    pub unchanged: bool,
}

/// What an image is built from.
#[derive(Debug, Clone)]
pub enum Base {
    /// FreeBSD's distribution sets.
    FreeBsd(Source),
    /// The hosted base.
    Hosted(Hosted),
}

impl Base {
    /// Its name in the manifest.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FreeBsd(_) => manifest::FREEBSD,
            Self::Hosted(_) => manifest::HOSTED,
        }
    }
}

impl Request {
    /// Stem of the image files: of one appliance there may be an image of each base.
    pub fn stem(&self) -> String {
        match self.base {
            Base::FreeBsd(_) => self.spec.name.clone(),
            Base::Hosted(_) => format!("{}-{}", self.spec.name, manifest::HOSTED),
        }
    }
}

/// Builds an image.
///
/// # Errors
/// Any [`Error`]; image files of an earlier build are left as they were.
pub fn build(request: &Request, progress: &dyn Progress) -> Result<Built> {
    let spec = &request.spec;
    if let Some(graph) = &spec.graph {
        let graph = beside(&request.spec_file, graph);
        spec::check_interfaces(request.interfaces.iter().cloned(), spec.nics, &graph)?;
    }
    let additions = additions::collect(request)?;
    let folder = Folder::lock(&request.out)?;
    let build = Build {
        request,
        additions,
        manifest_path: folder.path().join(format!("{}.json", request.stem())),
        folder,
        progress,
    };
    match &request.base {
        Base::FreeBsd(source) => build.freebsd(source),
        Base::Hosted(hosted) => build.hosted(hosted),
    }
}

/// A build that is under way.
struct Build<'a> {
    request: &'a Request,
    additions: Vec<Addition>,
    folder: Folder,
    manifest_path: PathBuf,
    progress: &'a dyn Progress,
}

impl Build<'_> {
    fn freebsd(&self, source: &Source) -> Result<Built> {
        let (request, progress) = (self.request, self.progress);
        let spec = &request.spec;
        if spec.base.is_some() || spec.packages.is_some() {
            return self.packaged(source);
        }
        let fetcher = Fetcher::new(source, &request.cache, progress);
        let (listed, pins) = self.listed(source, &fetcher)?;
        self.check_lock(&pins)?;
        let sums = listed.iter().map(|set| (set.file.clone(), set.sha256.clone()));
        let inputs = Inputs::new(request, sums.collect(), &self.additions)?;
        if let Some(built) = self.standing(&inputs) {
            return Ok(built);
        }
        let sets = layers::obtain(&fetcher, &listed, request, progress)?;
        self.assemble(&sets, sets.len(), &Aftermath::default(), inputs, pins)
    }

    /// The sets of the appliance file with their checksums, and what the lock has to say of them.
    fn listed(&self, source: &Source, fetcher: &Fetcher<'_>) -> Result<(Vec<Listed>, lock::Pins)> {
        let list = fetcher.list()?;
        let listed = pinned::listed(&self.request.spec, &list)?;
        let pins = pinned::of_sets(source, &list, &listed);
        Ok((listed, pins))
    }

    /// With packages, what is there before them decides what they bring, so the sets come first.
    fn packaged(&self, source: &Source) -> Result<Built> {
        let (request, progress) = (self.request, self.progress);
        let spec = &request.spec;
        let (mut sets, mut sums, mut pins) = match &spec.base {
            Some(_) => (Vec::new(), BTreeMap::new(), lock::Pins::new()),
            None => {
                let fetcher = Fetcher::new(source, &request.cache, progress);
                let (listed, pins) = self.listed(source, &fetcher)?;
                let sums = listed.iter().map(|set| (set.file.clone(), set.sha256.clone()));
                let sums = sums.collect();
                (layers::obtain(&fetcher, &listed, request, progress)?, sums, pins)
            }
        };
        let loose = sets.len();
        let mut packages = Vec::new();
        let base = spec
            .base
            .as_ref()
            .map(|base| (&base.pkgbase.from, &base.pkgbase.packages));
        let further = spec
            .packages
            .as_ref()
            .map(|packages| (&packages.from, &packages.install));
        for (from, wanted) in base.into_iter().chain(further) {
            let obtained = packages::obtain(from, wanted, &present(&sets, &packages), &self.context())?;
            sums.extend(obtained.sums());
            pins.extend(pinned::of_chosen(obtained.inputs()));
            packages.extend(obtained.packages);
        }
        self.check_lock(&pins)?;
        let inputs = Inputs::new(request, sums, &self.additions)?;
        if let Some(built) = self.standing(&inputs) {
            return Ok(built);
        }
        let aftermath = Aftermath::of(&packages, progress);
        sets.extend(packages.into_iter().map(|package| package.set));
        self.assemble(&sets, loose, &aftermath, inputs, pins)
    }

    fn context(&self) -> packages::Context<'_> {
        packages::Context {
            spec_file: &self.request.spec_file,
            release: &self.request.spec.release,
            cache: &self.request.cache,
            progress: self.progress,
        }
    }

    /// The second and third stage.
    fn assemble(
        &self,
        sets: &[Set],
        loose: usize,
        aftermath: &Aftermath,
        inputs: Inputs,
        pins: lock::Pins,
    ) -> Result<Built> {
        let (request, progress) = (self.request, self.progress);
        let spec = &request.spec;
        let scratch = layers::Scratch::new(&request.cache)?;
        let additions = self.identified(&inputs);
        let parts = merge::Parts {
            sets,
            loose,
            aftermath,
            additions: &additions,
        };
        let mut merged = merge::merge(request, parts, scratch.path(), progress)?;
        if let Some(epoch) = request.epoch {
            merged.date(epoch);
        }
        if spec.disk.layout == spec::Layout::Slots {
            arrange::arrange(&mut merged.tree, merged.time)?;
        }
        let disk = disk::lay_out(&disk::Ingredients {
            spec,
            spec_file: &request.spec_file,
            merged: &merged,
            sets,
            seed: &inputs.seed,
            scratch: scratch.path(),
            progress,
        })?;
        let about = About {
            system: None,
            areas: areas::of_tree(&merged.tree, &|path| self.is_ours(path)),
            account: provenance::of_tree(&merged.tree, merged.left_out),
            pins,
            time: Some(merged.time),
        };
        self.finish(&disk, inputs, about)
    }

    fn hosted(&self, hosted: &Hosted) -> Result<Built> {
        let gathered = hosted.gather(self.progress)?;
        let pins = pinned::of_packages(&gathered);
        self.check_lock(&pins)?;
        let inputs = Inputs::new(self.request, gathered.sums.clone(), &self.additions)?;
        if let Some(built) = self.standing(&inputs) {
            return Ok(built);
        }
        let files = hosted.files(&gathered, &self.request.spec, &self.additions);
        let account = provenance::of_additions(&files)?;
        let program = hosted.assemble(&gathered, &self.request.spec, &files)?;
        let size = program.len() >> 20;
        self.progress
            .note(&format!("one EFI program with kernel and initramfs: {size} MiB"));
        let disk = disk::with_program(program, &inputs.seed);
        let about = About {
            areas: areas::of_hosted(gathered.kernel.len() as u64, &files, &|path| self.is_ours(path)),
            system: Some(hosted.system(&gathered)),
            account,
            pins,
            time: self.request.epoch,
        };
        self.finish(&disk, inputs, about)
    }

    /// Stops a build from other inputs than the locked ones.
    fn check_lock(&self, inputs: &lock::Pins) -> Result<()> {
        let request = self.request;
        let section = lock::section(request.base.name(), &request.spec.release);
        let line = match request.lock.check(&section, inputs)? {
            lock::Standing::Unasked => return Ok(()),
            lock::Standing::Holds => format!("lock: all inputs of {section} are the locked ones"),
            lock::Standing::NotLocked => format!("lock: {section} is not locked yet (cargo xtask lock --update)"),
        };
        self.progress.note(&line);
        Ok(())
    }

    /// Whether the project itself brings what lies at a path.
    fn is_ours(&self, path: &[u8]) -> bool {
        self.additions.iter().any(|addition| addition.path == path)
    }

    /// The additions, and the file that says what was built, which can only be made once that is known.
    fn identified(&self, inputs: &Inputs) -> Vec<Addition> {
        let spec = &self.request.spec;
        let identity = (spec.disk.layout == Layout::Slots)
            .then(|| update::identity(&self.request.stem(), &spec.release, inputs.build()));
        self.additions.iter().cloned().chain(identity).collect()
    }

    /// Writes the update file, if there are root slots and it is asked for.
    fn write_update(&self, disk: &Disk, inputs: &Inputs) -> Result<Option<OutputFile>> {
        let (request, spec) = (self.request, &self.request.spec);
        let Some(slot) = disk.slot.as_ref().filter(|_| spec.update.file) else {
            return Ok(None);
        };
        let stem = request.stem();
        let about = update::about(&stem, &spec.release, inputs.build(), slot);
        let key = request.signing.key.as_ref();
        update::write(disk, slot, about, key, (&self.folder, &stem), self.progress).map(Some)
    }

    /// What an earlier build with the same inputs has left, if its files still stand untouched.
    fn standing(&self, inputs: &Inputs) -> Option<Built> {
        standing(&self.manifest_path, inputs, self.request).map(|manifest| Built {
            manifest,
            manifest_path: self.manifest_path.clone(),
            unchanged: true,
        })
    }

    /// The list of files and the bill of materials, under temporary names.
    fn write_accounts(&self, stem: &str, inputs: &Inputs, about: &About) -> Result<Vec<accounts::Written>> {
        let list = about.account.text(stem, &inputs.files);
        let suite = match &self.request.base {
            Base::FreeBsd(_) => None,
            Base::Hosted(hosted) => Some(hosted.parts.suite.as_str()),
        };
        let materials = sbom::text(&sbom::Image {
            name: stem,
            release: &self.request.spec.release,
            suite,
            key: &inputs.key,
            time: about.time,
            inputs: &about.pins,
            software: &self.request.software,
            sums: &inputs.files,
        });
        { [(manifest::FILES, list), (manifest::SBOM, materials)].into_iter() }
            .map(|(end, text)| accounts::write(&self.folder, stem, end, &text))
            .collect()
    }

    /// Writes the disk and the account of it.
    ///
    /// The old account goes before the first file is replaced: at no moment one vouches for files that are others.
    fn finish(&self, disk: &Disk, inputs: Inputs, about: About) -> Result<Built> {
        let request = self.request;
        let spec = &request.spec;
        let stem = request.stem();
        let written = output::write(disk, &self.folder, &stem, &spec.formats, request.idle, self.progress)?;
        let listed: Vec<_> = written.iter().map(output::Written::file).collect();
        let sums = output::checksums(self.folder.path(), &stem, &listed)?;
        let accounts = self.write_accounts(&stem, &inputs, &about)?;
        output::remove(&self.manifest_path)?;
        let mut files = { written.into_iter() }
            .map(output::Written::commit)
            .collect::<Result<Vec<_>>>()?;
        files.extend(self.write_update(disk, &inputs)?);
        files.push(sums.commit()?);
        let accounts = { accounts.into_iter() }
            .map(accounts::Written::commit)
            .collect::<Result<Vec<_>>>()?;
        let manifest = Manifest {
            name: stem,
            base: request.base.name().into(),
            system: about.system,
            release: spec.release.clone(),
            hostname: spec.hostname.clone(),
            nics: spec.nics,
            files,
            slot: disk.slot.clone().map(Into::into),
            accounts,
            identity: { request.identity.as_ref() }.map(|identity| relative(identity, self.folder.path())),
            inputs: inputs.files,
            key: inputs.key,
            areas: about.areas,
        };
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        output::replace(&self.manifest_path, text.as_bytes())?;
        Ok(Built {
            manifest,
            manifest_path: self.manifest_path.clone(),
            unchanged: false,
        })
    }
}

/// What is told about an image beside its bytes.
struct About {
    /// What a hosted base consists of.
    system: Option<String>,
    /// What space goes to.
    areas: Vec<Area>,
    account: Account,
    pins: lock::Pins,
    /// In seconds since 1970.
    time: Option<i64>,
}

/// What a build depends on.
struct Inputs {
    /// By name, with SHA-256 in hexadecimal.
    files: BTreeMap<String, String>,
    /// SHA-256 over everything.
    key: String,
    /// What the ids on the disk are made of: name and sets. It stays the same when the overlay changes, and with it
    /// the beginning of the disk.
    seed: String,
}

impl Inputs {
    /// What people call the build by: the first digits of the key.
    fn build(&self) -> &str {
        &self.key[..16]
    }

    fn new(request: &Request, mut files: BTreeMap<String, String>, additions: &[Addition]) -> Result<Self> {
        let spec_sum = hash::of_file(&request.spec_file)?;
        let epoch = request.epoch.map(|epoch| format!(" {epoch}")).unwrap_or_default();
        let seed = format!("{FORMAT} {} {files:?}{epoch}", request.stem());
        let mut text = format!("{FORMAT}\n{spec_sum}\n{:?}\n{:?}{epoch}\n", request.spec, files);
        text.push_str(&format!(
            "{:?}\n{:?}\n{}\n",
            request.software,
            request.kernel_modules,
            request.spec.profile.text()
        ));
        if let Some(key) = &request.signing.key {
            text.push_str(&format!("signed by {:?}\n", key.verifying_key()));
        }
        if let Base::Hosted(hosted) = &request.base {
            text.push_str(&format!("{:?}\n", hosted.parts));
        }
        for addition in additions {
            let sum = addition.sha256()?;
            text.push_str(&format!("{:?} {sum}\n", addition.identity()));
            if let Some(name) = &addition.input {
                files.insert(name.clone(), sum);
            }
        }
        files.insert("appliance.yaml".into(), spec_sum);
        Ok(Self {
            files,
            key: hash::of_bytes(text.as_bytes()),
            seed,
        })
    }
}

/// What is there before packages are chosen.
fn present(sets: &[Set], packages: &[Package]) -> Present {
    let sets = sets.iter().chain(packages.iter().map(|package| &package.set));
    Present::new(
        sets.flat_map(|set| &set.layer.index.entries)
            .map(|entry| entry.path.as_slice()),
    )
}

/// The manifest of an earlier build with the same inputs, if its files still stand untouched.
fn standing(manifest_path: &Path, inputs: &Inputs, request: &Request) -> Option<Manifest> {
    let text = std::fs::read(manifest_path).ok()?;
    let manifest: Manifest = serde_json::from_slice(&text).ok()?;
    let written = manifest_path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let intact = manifest.files.iter().chain(&manifest.accounts).all(|file| {
        let metadata = request.out.join(&file.path).metadata();
        metadata.is_ok_and(|metadata| {
            metadata.len() == file.size && metadata.modified().is_ok_and(|modified| modified <= written)
        })
    });
    let identity = request
        .identity
        .as_ref()
        .map(|identity| relative(identity, &request.out));
    (manifest.key == inputs.key && intact && manifest.identity == identity).then_some(manifest)
}

/// A path of the spec, which is relative to the spec's folder.
pub(crate) fn beside(spec_file: &Path, path: &Path) -> PathBuf {
    spec_file.parent().unwrap_or(Path::new("")).join(path)
}

fn relative(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_path_buf()
}

/// What to say about an input file that cannot be read.
pub(crate) fn absent(file: &Path, error: &std::io::Error, what_for: &str) -> Error {
    Error::Input {
        file: file.to_path_buf(),
        cause: format!("could not be read: {error}"),
        hint: what_for.into(),
    }
}
