//! `cargo xtask image`: the bootable disk image.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use ngforge_image::build::{self, Built, Request};
use ngforge_image::hosted::{self, Hosted, Parts};
use ngforge_image::sbom::Software;
use ngforge_image::sets::{self, Source};
use ngforge_image::spec::{InterfaceUse, Layout, Spec};
use ngforge_image::update::Signing;
use xshell::Shell;

use crate::base::Base;
use crate::{lock, util};
use apt::{Apt, Refresh};
pub use console::{Console, size};
pub use measure::Measured;

mod apt;
pub mod companions;
mod console;
mod identity;
mod idle;
mod measure;
pub mod signing;
mod software;
mod verify;

/// What `--module` takes to leave the module of the sets in its place.
const STOCK: &str = "stock";

/// The environment variable with the image's time.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Build the bootable disk image
///
/// FreeBSD's distribution sets, overlay/rootfs, our ng_socket.ko and our tools become a disk image with an EFI partition
/// and a UFS2 root, as the appliance file says. No step needs root.
///
/// The sets come from --sets, a folder with MANIFEST, base.txz and kernel.txz, or from a mirror; either way they are
/// checked against MANIFEST. Downloads and unpacked sets are kept in the cache, so that only the first build of a release
/// takes long. Without a key in the appliance file or in --ssh-key, a pair is made in the output folder.
///
/// With --base hosted, nothing of FreeBSD is needed: Debian's kernel, busybox and sshd carry the hosted kernel, which runs
/// the same ng_socket.ko and makes the same graph. apt fetches the packages and checks their signatures. It is a stage to
/// rehearse on, not FreeBSD. Of the appliance file, what is FreeBSD's (sets, prune, disk, label, rc_conf, loader_conf) is
/// left aside.
///
/// Of a disk with root slots, <name>.ngu is the update file for appliances that run already: see `ng-update` there.
///
/// The result, <name>.raw, <name>.qcow2 and <name>.json (what was built from what), takes its place in one step:
/// whatever goes wrong, the image of an earlier build is left as it was.
#[derive(Args, Clone)]
pub struct Image {
    /// The appliance file
    #[arg(long, value_name = "FILE", default_value = "overlay/appliance.yaml")]
    pub spec: PathBuf,

    /// What the appliance runs
    #[arg(long, value_enum, default_value_t = Base::Freebsd)]
    pub base: Base,

    #[command(flatten)]
    pub from: From,

    #[command(flatten)]
    pub debian: Debian,

    /// Where the image goes [default: target/image]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Where downloads and unpacked sets are kept [default: $XDG_CACHE_HOME/ngforge or ~/.cache/ngforge]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,

    /// Files that go into the appliance as they stand [default: overlay/rootfs, or overlay/hosted]
    #[arg(long, value_name = "DIR")]
    pub rootfs: Option<PathBuf>,

    /// Take this ng_socket.ko instead of building it; `stock` leaves FreeBSD's own in its place
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,

    /// Take this program instead of building the tools; may be repeated
    #[arg(long = "tool", value_name = "FILE")]
    pub tools: Vec<PathBuf>,

    /// Leave the tools out
    #[arg(long, conflicts_with = "tools")]
    pub no_tools: bool,

    /// A public key (.pub) that opens root's account, besides those of the appliance file; may be repeated
    #[arg(long = "ssh-key", value_name = "FILE")]
    pub ssh_keys: Vec<PathBuf>,

    /// The lock that inputs are held against [default: appliance.lock beside the appliance file]
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,

    /// Refuse to build what is not locked yet
    #[arg(long)]
    pub locked: bool,

    /// Build a second time, clean and elsewhere, and compare every byte of every output
    #[arg(long)]
    pub verify: bool,

    /// The private key that signs the update file, as ssh-keygen -t ed25519 makes it without a passphrase
    ///
    /// Without one, the update file of an appliance that names a key (`update: {key: ...}`) is not signed; `cargo xtask sign`
    /// does that later, elsewhere. If it names none, a pair is made in the output folder.
    #[arg(long, value_name = "FILE", env = "NGFORGE_UPDATE_KEY")]
    pub update_key: Option<PathBuf>,

    /// Keep no spare image beside the real one: half the space, but a small change takes as long as a large one
    #[arg(long)]
    pub no_spare: bool,

    /// Write how long it took and how much memory it needed to this file
    #[arg(long, value_name = "FILE", hide = true)]
    pub measure: Option<PathBuf>,

    /// Threads for decoding [default: one per processor]
    #[arg(long, short = 'j', value_name = "N")]
    pub threads: Option<u32>,
}

/// Where the distribution sets come from
#[derive(Args, Clone)]
pub struct From {
    /// A folder with MANIFEST and the sets
    #[arg(long, value_name = "DIR", conflicts_with = "mirror")]
    pub sets: Option<PathBuf>,

    /// An address below which <release>-RELEASE/MANIFEST is, or the release's own folder: http, https or file
    #[arg(long, value_name = "URL", default_value = sets::DEFAULT_MIRROR)]
    pub mirror: String,
}

/// Where the parts of a hosted base come from
#[derive(Args, Clone)]
pub struct Debian {
    /// What a hosted base takes from Debian
    #[arg(long, value_name = "FILE", default_value = "overlay/hosted.yaml")]
    pub parts: PathBuf,

    /// An address below which debian/ and debian-security/ are
    #[arg(long, value_name = "URL", default_value = apt::DEFAULT_MIRROR)]
    pub debian_mirror: String,

    /// Fetch newer packages for a hosted base, where there are any, instead of those in the cache
    #[arg(long)]
    pub refresh: bool,
}

impl Image {
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let request = self.request(&shell)?;
        let since = Instant::now();
        let built = self.build(&request)?;
        if let Some(file) = &self.measure {
            Measured::of_this_process(since)?.save(file)?;
        }
        report(&built);
        match self.verify {
            true => verify::verify(&built, &request.cache),
            false => Ok(()),
        }
    }

    /// Builds what `request` says, showing progress.
    pub fn build(&self, request: &Request) -> Result<Built> {
        let console = Console::new();
        Ok(build::build(request, &console)?)
    }

    /// Everything the image library needs to know; builds module and tools if need be.
    pub fn request(&self, shell: &Shell) -> Result<Request> {
        let spec_file = util::root().join(&self.spec);
        let spec = Spec::load(&spec_file)?;
        let (interfaces, kernel_modules) = graph_needs(&spec, &spec_file)?;
        let out = self.out.clone().unwrap_or_else(|| util::target_dir().join("image"));
        let mut authorized_keys = self.given_keys()?;
        let mut own = None;
        if authorized_keys.is_empty() && spec.ssh.authorized_keys.is_empty() {
            let (private, public) = identity::ensure(&out, identity::LOGIN)?;
            authorized_keys.push(public);
            own = Some(private);
        }
        let usual = match self.base {
            Base::Freebsd => "overlay/rootfs",
            Base::Hosted => "overlay/hosted",
        };
        let rootfs = util::root().join(self.rootfs.as_deref().unwrap_or(Path::new(usual)));
        ensure!(
            rootfs.is_dir(),
            "{}: is not a folder\nhint: name the overlay with --rootfs",
            rootfs.display()
        );
        let cache = self.cache.clone().map_or_else(default_cache, Ok)?;
        Ok(Request {
            base: from_where(self.base, &self.from, &self.debian, &spec.release, &cache)?,
            rootfs: Some(rootfs),
            module: self.module(shell, &spec.release)?,
            tools: self.tools(shell)?,
            companions: self.companions(&spec)?,
            authorized_keys,
            signing: self.signing(&spec, &spec_file, &out)?,
            identity: own,
            interfaces,
            kernel_modules,
            out,
            cache,
            threads: self.threads.unwrap_or_else(processors),
            lock: lock::policy(self, &spec_file, shell)?,
            software: self.software(shell, &spec.release)?,
            epoch: epoch()?,
            idle: (!self.no_spare).then_some(idle::is_idle),
            spec,
            spec_file,
        })
    }

    /// Who signs updates, of an appliance with root slots.
    fn signing(&self, spec: &Spec, spec_file: &Path, out: &Path) -> Result<Signing> {
        if self.base == Base::Hosted || spec.disk.layout != Layout::Slots {
            return Ok(Signing::default());
        }
        let named = spec.update.key.as_ref();
        let named = named.map(|key| spec_file.parent().unwrap_or(Path::new("")).join(key));
        signing::signing(named.as_deref(), self.update_key.as_deref(), out)
    }

    fn given_keys(&self) -> Result<Vec<String>> {
        let read = |path: &PathBuf| {
            let text = fs::read_to_string(path).with_context(|| {
                format!(
                    "{}: could not be read\nhint: --ssh-key takes the .pub file of a key",
                    path.display()
                )
            })?;
            ensure!(
                !text.contains("PRIVATE KEY"),
                "{}: is a private key; it does not belong into an image\nhint: name the .pub file beside it",
                path.display()
            );
            Ok(text)
        };
        self.ssh_keys.iter().map(read).collect()
    }

    fn module(&self, shell: &Shell, release: &str) -> Result<Option<PathBuf>> {
        match &self.module {
            Some(given) if given == Path::new(STOCK) && self.base == Base::Hosted => bail!(
                "a hosted base has no ng_socket.ko of FreeBSD's own\nhint: name a file with --module, such as one out of a kernel.txz"
            ),
            Some(given) if given == Path::new(STOCK) => Ok(None),
            Some(given) => Ok(Some(given.clone())),
            None => crate::kmod::build(shell, release).map(Some),
        }
    }

    /// What module and tools are made of, as far as the build makes them.
    fn software(&self, shell: &Shell, release: &str) -> Result<Vec<Software>> {
        let programs = !self.no_tools && self.tools.is_empty();
        software::of(shell, self.base, release, self.module.is_none(), programs)
    }

    /// What is installed beside our own programs.
    fn companions(&self, spec: &Spec) -> Result<Vec<build::Addition>> {
        if self.no_tools || !self.tools.is_empty() {
            return Ok(Vec::new());
        }
        companions::of(self.base, &spec.tools)
    }

    fn tools(&self, shell: &Shell) -> Result<Vec<PathBuf>> {
        match (self.no_tools, self.tools.is_empty()) {
            (true, _) => Ok(Vec::new()),
            (false, false) => Ok(self.tools.clone()),
            (false, true) => match self.base {
                Base::Freebsd => crate::tools::build(shell),
                Base::Hosted => crate::tools::build_hosted(shell),
            },
        }
    }
}

/// What an image is built from.
///
/// # Errors
/// The parts file of a hosted base cannot be read, or sets are named for it.
pub fn from_where(base: Base, from: &From, debian: &Debian, release: &str, cache: &Path) -> Result<build::Base> {
    if base == Base::Freebsd {
        return Ok(build::Base::FreeBsd(from.source(release)));
    }
    ensure!(
        from.sets.is_none(),
        "--sets is for FreeBSD's distribution sets, of which a hosted base has none\nhint: leave out --sets, or --base hosted"
    );
    let parts_file = util::root().join(&debian.parts);
    let refresh = if debian.refresh { Refresh::All } else { Refresh::Missing };
    Ok(build::Base::Hosted(Hosted {
        parts: Parts::load(&parts_file)?,
        parts_file,
        packages: Arc::new(Apt::new(&debian.debian_mirror, cache, refresh)),
    }))
}

impl From {
    fn source(&self, release: &str) -> Source {
        match &self.sets {
            Some(folder) => Source::Folder(folder.clone()),
            None => Source::mirror(&self.mirror, release),
        }
    }
}

/// The interfaces and the kernel modules that the appliance's graph uses.
fn graph_needs(spec: &Spec, spec_file: &Path) -> Result<(Vec<InterfaceUse>, Vec<String>)> {
    let Some(graph) = &spec.graph else {
        return Ok(Default::default());
    };
    let path = spec_file.parent().unwrap_or(Path::new("")).join(graph);
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "{}: could not be read\nhint: correct `graph` in {}",
            path.display(),
            spec_file.display()
        )
    })?;
    let graph = graph::Graph::parse(&text, &path)?;
    // Which card another selector finds is known on the machine only.
    let uses = graph.interfaces().filter_map(|interface| match interface.selector {
        graph::Selector::Name(name) => Some(InterfaceUse {
            node: interface.node,
            interface: name,
            line: interface.line,
        }),
        _ => None,
    });
    Ok((uses.collect(), kernel_modules(&graph)))
}

/// The modules that bring the types of a graph's nodes.
fn kernel_modules(graph: &graph::Graph) -> Vec<String> {
    let names = graph.nodes().iter().map(|node| node.type_name());
    let modules =
        names.map(|name| graph::catalog::find(name).map_or_else(|| format!("ng_{name}"), graph::catalog::Type::module));
    let modules: std::collections::BTreeSet<String> = modules.collect();
    modules.into_iter().collect()
}

fn report(built: &Built) {
    let folder = built.manifest_path.parent().unwrap_or(Path::new(""));
    let manifest = &built.manifest;
    if let Some(system) = &manifest.system {
        println!("{}: {}", manifest.name, hosted::introduction(system, &manifest.release));
    }
    if built.unchanged {
        println!("nothing has changed since the last build");
    }
    for file in &manifest.accounts {
        println!("{}", folder.join(&file.path).display());
    }
    for file in &manifest.files {
        println!(
            "{}: {} MiB, sha256 {}",
            folder.join(&file.path).display(),
            file.size >> 20,
            file.sha256
        );
    }
    print!("{}", console::summary(&manifest.areas));
    println!("{}", built.manifest_path.display());
    if let Some(identity) = &manifest.identity {
        println!("root's key: {}", folder.join(identity).display());
    }
}

/// The time that reproducible builds agree on (<https://reproducible-builds.org/specs/source-date-epoch/>).
fn epoch() -> Result<Option<i64>> {
    let Some(text) = env::var_os(EPOCH) else {
        return Ok(None);
    };
    let seconds = text
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|seconds| *seconds >= 0);
    seconds.map(Some).with_context(|| {
        format!(
            "{EPOCH} is `{}`, not a number of seconds since 1970\nhint: correct it, or unset it to take the time of the newest \
             file of the sets",
            text.display()
        )
    })
}

/// One thread per processor.
fn processors() -> u32 {
    thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// The cache folder of the XDG base directory specification.
pub fn default_cache() -> Result<PathBuf> {
    let xdg = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = xdg
        .or_else(home)
        .context("neither HOME nor XDG_CACHE_HOME is set\nhint: name a cache with --cache")?;
    Ok(base.join("ngforge"))
}
