//! `cargo xtask package`: module, tools and services for people who have a FreeBSD already.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use ngforge_image::hash;
use ngforge_image::output::{self, Pending};
use ngforge_image::pkgfile::{self, Body, Contents, Description, Entry};
use xshell::{Shell, cmd};

use crate::base::Base;
use crate::image::companions;
use crate::kmod::Series;
use crate::util;

/// Where programs are installed.
const PROGRAMS: &str = "usr/local/sbin";
/// Where the module goes: where those of packages belong.
const MODULE: &str = "boot/modules/ng_socket.ko";
/// The time of all files if nothing else is known: the beginning of the year 2000.
const SOME_TIME: u64 = 946_684_800;

/// Make a FreeBSD package and a tarball for a FreeBSD that is installed already
///
/// Both have ng_socket.ko, ng with manual pages, completions and examples, and the services `ngforge` and
/// `ngforge_module`. target/package/<ABI>/ gets ngforge-<version>.pkg for `pkg add`, ngforge-<version>.tar.zst for `tar -C
/// / -xpf`, and their checksums. What to do then is in overlay/package/message.txt, which pkg shows.
///
/// The same sources give the same bytes; the files' time is SOURCE_DATE_EPOCH, or that of the last commit.
#[derive(Args)]
pub struct Package {
    /// The release series [default: both]
    #[arg(long, value_name = "SERIES")]
    release: Option<Series>,
    /// Where it goes [default: target/package]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Take this ng_socket.ko instead of building it
    #[arg(long, value_name = "FILE", requires = "release")]
    module: Option<PathBuf>,
    /// Take this program instead of building the tools; may be repeated
    #[arg(long = "tool", value_name = "FILE")]
    tools: Vec<PathBuf>,
    /// Whom to ask about the package
    #[arg(long, value_name = "ADDRESS", default_value = "UNKNOWN")]
    maintainer: String,
    /// The package's page
    #[arg(long, value_name = "URL", default_value = "UNKNOWN")]
    www: String,
}

impl Package {
    /// Builds what is to be packed, and packs it.
    ///
    /// # Errors
    /// Something cannot be built or written.
    pub fn run(self) -> Result<()> {
        let shell = util::shell()?;
        let tools = match self.tools.is_empty() {
            true => crate::tools::build(&shell)?,
            false => self.tools.clone(),
        };
        let wanted = self.release.map_or_else(|| Series::ALL.to_vec(), |series| vec![series]);
        for series in wanted {
            let module = match &self.module {
                Some(module) => module.clone(),
                None => crate::kmod::build(&shell, &format!("{}.0", series.number()))?,
            };
            let parts = Parts {
                module: &module,
                tools: &tools,
                root: &util::root(),
            };
            self.pack(series, &parts.contents()?, time(&shell)?)?;
        }
        Ok(())
    }

    fn pack(&self, series: Series, contents: &Contents, time: u64) -> Result<()> {
        let description = self.description(series)?;
        let out = self.out.clone().unwrap_or_else(|| util::target_dir().join("package"));
        let folder = out.join(description.series.abi());
        fs::create_dir_all(&folder).with_context(|| format!("{}: could not be made", folder.display()))?;
        let stem = format!("{}-{}", description.name, description.version);
        let package = save(&folder.join(format!("{stem}.pkg")), |file| {
            pkgfile::write_package(&description, contents, time, file)
        })?;
        let tarball = save(&folder.join(format!("{stem}.tar.zst")), |file| {
            pkgfile::write_tarball(contents, time, file)
        })?;
        let sums = sums(&[&package, &tarball])?;
        output::replace(&folder.join(format!("{stem}.sha256")), sums.as_bytes())?;
        for file in [&package, &tarball] {
            println!("{}: {} KiB", file.display(), fs::metadata(file)?.len() >> 10);
        }
        Ok(())
    }

    fn description(&self, series: Series) -> Result<Description> {
        let place = util::root().join("overlay/package/message.txt");
        let message = fs::read_to_string(&place).with_context(|| format!("{}: could not be read", place.display()))?;
        Ok(Description {
            name: "ngforge".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            origin: "net/ngforge".into(),
            comment: "Netgraph sockets and tools in Rust".into(),
            text: "A kernel module for the netgraph(4) node type ng_socket(4), the command ng, which shows and\nchanges the \
                   graph of netgraph nodes, and services that make a declared graph at boot."
                .into(),
            maintainer: self.maintainer.clone(),
            www: self.www.clone(),
            series: pkgfile::Series(series.number()),
            message,
        })
    }
}

/// What goes into a package.
struct Parts<'a> {
    module: &'a Path,
    tools: &'a [PathBuf],
    root: &'a Path,
}

impl Parts<'_> {
    fn contents(&self) -> Result<Contents> {
        let mut contents = Contents::default();
        add_file(&mut contents, MODULE, 0o555, self.module)?;
        for tool in self.tools {
            let name = tool.file_name().context("a program has a file name")?.to_string_lossy();
            add_file(&mut contents, &format!("{PROGRAMS}/{name}"), 0o555, tool)?;
        }
        for (path, mode, source) in [
            (
                "usr/local/etc/rc.d/ngforge",
                0o555,
                "overlay/rootfs/usr/local/etc/rc.d/ngforge",
            ),
            (
                "usr/local/etc/rc.d/ngforge_module",
                0o555,
                "overlay/package/rc.d/ngforge_module",
            ),
            ("usr/local/etc/ngforge/graph.yaml.sample", 0o644, "overlay/graph.yaml"),
            ("usr/local/share/licenses/ngforge/LICENSE", 0o644, "LICENSE"),
        ] {
            add_file(&mut contents, path, mode, &self.root.join(source))?;
        }
        for companion in companions::of(Base::Freebsd, PROGRAMS)? {
            let path = String::from_utf8_lossy(&companion.path).into_owned();
            let mode = companion.attributes.mode;
            let body = body(companion.body)?;
            contents.add(&path, Entry { mode, body })?;
        }
        Ok(contents)
    }
}

fn add_file(contents: &mut Contents, path: &str, mode: u16, source: &Path) -> Result<()> {
    let bytes = read(source)?;
    let body = Body::File(bytes);
    Ok(contents.add(path, Entry { mode, body })?)
}

fn read(source: &Path) -> Result<Vec<u8>> {
    fs::read(source).with_context(|| format!("{}: could not be read\nhint: check the path", source.display()))
}

fn body(addition: ngforge_image::build::AdditionBody) -> Result<Body> {
    use ngforge_image::build::AdditionBody;
    Ok(match addition {
        AdditionBody::File(source) => Body::File(read(&source)?),
        AdditionBody::Bytes(bytes) => Body::File(bytes),
        AdditionBody::Symlink(target) => Body::Symlink(String::from_utf8_lossy(&target).into_owned()),
        AdditionBody::Directory { .. } => anyhow::bail!("packages have no empty folders"),
    })
}

/// Writes a file under a temporary name first.
fn save(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<PathBuf> {
    let failed = || format!("{}: could not be written\nhint: is there room?", path.display());
    let pending = Pending::at(path);
    let mut file = BufWriter::new(pending.file().with_context(failed)?);
    write(&mut file).and_then(|()| file.flush()).with_context(failed)?;
    pending.commit()?;
    Ok(path.to_path_buf())
}

fn sums(files: &[&PathBuf]) -> Result<String> {
    let line = |file: &&PathBuf| {
        let name = Path::new(file.file_name().unwrap_or_default());
        Ok(output::checksum_line(name, &hash::of_file(file)?))
    };
    files.iter().map(line).collect()
}

/// The time that all files get, in seconds since 1970.
fn time(shell: &Shell) -> Result<u64> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(given) => given,
        Err(_) => match cmd!(shell, "git log -1 --format=%ct").quiet().ignore_stderr().read() {
            Ok(committed) => committed,
            // The sources came without their history.
            Err(_) => return Ok(SOME_TIME),
        },
    };
    text.trim()
        .parse()
        .with_context(|| format!("`{text}` is not a time\nhint: SOURCE_DATE_EPOCH is in seconds since 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(folder: &Path) -> Contents {
        let (module, tool) = (folder.join("ng_socket.ko"), folder.join("ng"));
        fs::write(&module, "module").unwrap();
        fs::write(&tool, "program").unwrap();
        let parts = Parts {
            module: &module,
            tools: &[tool],
            root: &util::root(),
        };
        parts.contents().unwrap()
    }

    fn package(out: &Path) -> Package {
        Package {
            release: None,
            out: Some(out.to_owned()),
            module: None,
            tools: Vec::new(),
            maintainer: "me".into(),
            www: "UNKNOWN".into(),
        }
    }

    #[test]
    fn the_package_has_everything_that_an_appliance_would_have() {
        let folder = tempfile::tempdir().unwrap();
        let contents = contents(folder.path());
        let paths: Vec<_> = contents.iter().map(|(path, _)| path).collect();
        for path in [
            "boot/modules/ng_socket.ko",
            "usr/local/etc/ngforge/graph.yaml.sample",
            "usr/local/etc/rc.d/ngforge",
            "usr/local/etc/rc.d/ngforge_module",
            "usr/local/libexec/ng/ngctl",
            "usr/local/sbin/ng",
            "usr/local/share/bash-completion/completions/ng",
            "usr/local/share/examples/ng/vlans.yaml",
            "usr/local/share/man/man8/ng.8",
        ] {
            assert!(paths.contains(&path), "{path} is not in {paths:?}");
        }
        assert!(
            !paths.contains(&"usr/local/etc/ngforge/graph.yaml"),
            "the owner's graph is not touched"
        );
    }

    #[test]
    fn two_packages_have_the_same_bytes_and_sums_that_hold() {
        let folder = tempfile::tempdir().unwrap();
        let contents = contents(folder.path());
        let made = ["a", "b"].map(|name| {
            let out = folder.path().join(name);
            package(&out).pack(Series::FreeBsd14, &contents, 5).unwrap();
            out.join("FreeBSD:14:amd64")
        });
        let version = env!("CARGO_PKG_VERSION");
        for kind in ["pkg", "tar.zst", "sha256"] {
            let [one, other] = made
                .each_ref()
                .map(|out| fs::read(out.join(format!("ngforge-{version}.{kind}"))).unwrap());
            assert!(one == other, "{kind}");
        }
        let checked = std::process::Command::new("sha256sum")
            .args(["--strict", "-c", &format!("ngforge-{version}.sha256")])
            .current_dir(&made[0])
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        assert_eq!(checked.stdout.split(|byte| *byte == b'\n').count(), 3);
    }

    #[test]
    fn services_load_the_module_from_where_the_package_has_it() {
        let script = fs::read_to_string(util::root().join("overlay/package/rc.d/ngforge_module")).unwrap();
        let message = fs::read_to_string(util::root().join("overlay/package/message.txt")).unwrap();
        for text in [&script, &message] {
            assert!(text.contains(&format!("/{MODULE}")), "{text}");
        }
        let status = std::process::Command::new("sh")
            .args(["-n", "overlay/package/rc.d/ngforge_module"])
            .current_dir(util::root())
            .status();
        assert!(status.unwrap().success());
    }
}
