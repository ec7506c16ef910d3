//! What goes on top of the base: overlay, module, tools, keys and generated files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::layout;
use super::mtree::{self, Keywords};
use super::{Base, Request, absent, beside};
use crate::error::{Error, Result};
use crate::hash;
use crate::hosted;
use crate::spec::{Layout, Spec};
use crate::ufs::inode::Attributes;

/// Where the service that applies the graph at boot looks for it.
const GRAPH: &str = "usr/local/etc/ngforge/graph.yaml";

/// The origin of what follows from the appliance file.
const SPEC: &str = "appliance.yaml";

/// Something to put into the tree.
#[derive(Debug, Clone)]
pub struct Addition {
    /// Where.
    pub path: Vec<u8>,
    /// Owner, mode, flags; the time is the sets'.
    pub attributes: Attributes,
    /// What.
    pub body: AdditionBody,
    /// Name among the manifest's inputs, for those worth listing.
    pub input: Option<String>,
    /// What it came from, for the list of files: an input, a file of the overlay, or a package.
    pub origin: String,
    /// Moves what the sets have at this path aside first, with `.stock` appended.
    pub keep_stock: bool,
}

/// What an addition is.
#[derive(Debug, Clone)]
pub enum AdditionBody {
    /// A directory; one of the sets keeps its attributes unless they were named.
    Directory {
        /// The attributes were named.
        named: bool,
    },
    /// A symbolic link to this.
    Symlink(Vec<u8>),
    /// A file on this machine.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

impl Addition {
    /// Something of root's at a path relative to the root.
    pub fn new(path: &str, mode: u16, body: AdditionBody) -> Self {
        Self {
            path: path.trim_matches('/').as_bytes().to_vec(),
            attributes: Attributes {
                mode,
                ..Attributes::default()
            },
            body,
            input: None,
            origin: SPEC.into(),
            keep_stock: false,
        }
    }

    fn input(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.input = Some(name.clone());
        self.from(name)
    }

    /// The same, from there.
    #[must_use]
    pub fn from(mut self, origin: impl Into<String>) -> Self {
        self.origin = origin.into();
        self
    }

    /// Bytes of contents.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn size(&self) -> Result<u64> {
        match &self.body {
            AdditionBody::File(path) => {
                let metadata = fs::metadata(path).map_err(Error::io("read the file", path))?;
                Ok(metadata.len())
            }
            _ => Ok(self.bytes_in_memory() as u64),
        }
    }

    /// Bytes of contents, as far as they are in memory.
    pub fn bytes_in_memory(&self) -> usize {
        match &self.body {
            AdditionBody::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }

    /// Bytes of contents; none of a file that cannot be read.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            AdditionBody::File(path) => path.metadata().map_or(0, |metadata| metadata.len()),
            _ => self.bytes_in_memory() as u64,
        }
    }

    /// SHA-256 of the contents in hexadecimal.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn sha256(&self) -> Result<String> {
        match &self.body {
            AdditionBody::Directory { named } => Ok(format!("directory {named}")),
            AdditionBody::Symlink(bytes) | AdditionBody::Bytes(bytes) => Ok(hash::of_bytes(bytes)),
            AdditionBody::File(path) => hash::of_file(path),
        }
    }

    /// What makes it another addition, besides its contents.
    pub fn identity(&self) -> (&[u8], &Attributes, bool, bool) {
        let link = matches!(self.body, AdditionBody::Symlink(_));
        (&self.path, &self.attributes, self.keep_stock, link)
    }
}

/// Everything that goes on top, in order; later ones win. Checks that all files are there.
///
/// # Errors
/// A file is absent, or overlay metadata cannot be understood.
pub fn collect(request: &Request) -> Result<Vec<Addition>> {
    let spec = &request.spec;
    let mut all = match &request.base {
        Base::FreeBsd(_) => generated(spec),
        Base::Hosted(_) => hosted::generated(spec),
    };
    if let Some(rootfs) = &request.rootfs {
        all.extend(overlay(rootfs)?);
    }
    for file in &spec.files {
        let source = beside(&request.spec_file, &file.source);
        let mode = file.mode.map_or_else(|| guess_mode(&source), Ok)?;
        let mut addition =
            Addition::new(&file.path, mode, AdditionBody::File(source)).from(file.source.display().to_string());
        (addition.attributes.uid, addition.attributes.gid) = (file.uid, file.gid);
        all.push(addition);
    }
    all.extend(ssh(request)?);
    if matches!(request.base, Base::FreeBsd(_)) && spec.disk.layout == Layout::Slots {
        all.push(request.signing.addition());
    }
    if let Some(graph) = &spec.graph {
        let graph = beside(&request.spec_file, graph);
        check_readable(&graph, "correct `graph` in the appliance file, or leave it out")?;
        all.push(Addition::new(GRAPH, 0o644, AdditionBody::File(graph)).input("graph.yaml"));
    }
    if let Some(module) = &request.module {
        check_readable(
            module,
            "build the module with `cargo xtask kmod`, or name one with --module",
        )?;
        let mut addition = Addition::new(&spec.module, 0o555, AdditionBody::File(module.clone())).input("ng_socket.ko");
        addition.keep_stock = matches!(request.base, Base::FreeBsd(_));
        all.push(addition);
    }
    for tool in &request.tools {
        check_readable(
            tool,
            "build the tools with `cargo xtask tools`, or name them with --tool",
        )?;
        let name = tool.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = format!("{}/{name}", spec.tools);
        all.push(Addition::new(&path, 0o755, AdditionBody::File(tool.clone())).input(name));
    }
    all.extend(request.companions.iter().cloned());
    Ok(all)
}

fn check_readable(path: &Path, hint: &str) -> Result<()> {
    fs::File::open(path)
        .map(drop)
        .map_err(|error| absent(path, &error, hint))
}

/// Files that follow from the spec.
fn generated(spec: &Spec) -> Vec<Addition> {
    let mut rc: BTreeMap<String, String> = BTreeMap::new();
    rc.insert("hostname".into(), spec.hostname.clone());
    rc.insert("ifconfig_vtnet0".into(), "SYNCDHCP".into());
    rc.extend((1..spec.nics).map(|nic| (format!("ifconfig_vtnet{nic}"), "up".into())));
    rc.insert("sshd_enable".into(), "YES".into());
    if spec.graph.is_some() {
        rc.insert("ngforge_enable".into(), "YES".into());
    }
    rc.extend(layout::rc_conf(spec.disk.layout));
    rc.extend(spec.rc_conf.clone());
    let mut loader = layout::loader_conf(spec);
    loader.extend(spec.loader_conf.clone());
    let file = |path, text: String| Addition::new(path, 0o644, AdditionBody::Bytes(text.into_bytes()));
    let mut all = vec![
        file("etc/fstab", layout::fstab(spec)),
        file("etc/rc.conf", settings(&rc)),
        file("boot/loader.conf", settings(&loader)),
    ];
    all.extend(layout::motd(spec.disk.layout).map(|text| file("etc/motd.template", text)));
    all
}

/// Assignments as sh(1) and loader.conf(5) read them.
fn settings(values: &BTreeMap<String, String>) -> String {
    let quote = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
    let lines = values
        .iter()
        .map(|(key, value)| format!("{key}=\"{}\"\n", quote(value)));
    lines.collect()
}

fn ssh(request: &Request) -> Result<Vec<Addition>> {
    let spec = &request.spec;
    let mut lines = String::new();
    for key in &spec.ssh.authorized_keys {
        let path = beside(&request.spec_file, key);
        let hint = "correct `ssh: authorized_keys` in the appliance file, make a key with ssh-keygen, or leave the \
                    list empty to have a key made";
        let text = fs::read_to_string(&path).map_err(|error| absent(&path, &error, hint))?;
        if text.contains("PRIVATE KEY") {
            return Err(Error::Input {
                file: path,
                cause: "is a private key; it does not belong into an image".into(),
                hint: "name the .pub file beside it".into(),
            });
        }
        lines.push_str(text.trim_end());
        lines.push('\n');
    }
    for key in &request.authorized_keys {
        lines.push_str(key.trim_end());
        lines.push('\n');
    }
    let mut all = vec![
        Addition::new("root/.ssh", 0o700, AdditionBody::Directory { named: true }),
        Addition::new(
            "root/.ssh/authorized_keys",
            0o600,
            AdditionBody::Bytes(lines.into_bytes()),
        )
        .from("SSH keys"),
    ];
    for key in &spec.ssh.host_keys {
        all.extend(host_key(&beside(&request.spec_file, key))?);
    }
    Ok(all)
}

fn host_key(path: &Path) -> Result<Vec<Addition>> {
    check_readable(
        path,
        "correct `ssh: host_keys` in the appliance file, or leave the list empty",
    )?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut all = vec![Addition::new(
        &format!("etc/ssh/{name}"),
        0o600,
        AdditionBody::File(path.into()),
    )];
    let public = path.with_file_name(format!("{name}.pub"));
    if public.is_file() {
        all.push(Addition::new(
            &format!("etc/ssh/{name}.pub"),
            0o644,
            AdditionBody::File(public),
        ));
    }
    Ok(all)
}

/// The files below `rootfs`, in order of their names, with the metadata in `<rootfs>.mtree`.
fn overlay(rootfs: &Path) -> Result<Vec<Addition>> {
    let metadata_file = rootfs.with_extension("mtree");
    let metadata = match fs::read_to_string(&metadata_file) {
        Ok(text) => mtree::parse(&text, &metadata_file)?,
        Err(_) => BTreeMap::new(),
    };
    let mut all = Vec::new();
    walk(rootfs, "", &metadata, &mut all)?;
    let name = rootfs.file_name().unwrap_or_default().to_string_lossy();
    for addition in &mut all {
        addition.origin = format!("{name}{}", crate::tree::display(&addition.path));
    }
    let known = |path: &str| all.iter().any(|addition| addition.path == path.as_bytes());
    match metadata.keys().find(|path| !known(path)) {
        None => Ok(all),
        Some(path) => Err(Error::Input {
            file: metadata_file,
            cause: format!("names `{path}`, which is not below {}", rootfs.display()),
            hint: "correct the path, or remove the line".into(),
        }),
    }
}

fn walk(folder: &Path, prefix: &str, metadata: &BTreeMap<String, Keywords>, all: &mut Vec<Addition>) -> Result<()> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = entries.map_err(Error::io("read the overlay", folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry
            .file_type()
            .map_err(Error::io("read the overlay", &entry.path()))?;
        let keywords = metadata.get(&path);
        let (mode, body) = if kind.is_dir() {
            let named = keywords.is_some();
            (0o755, AdditionBody::Directory { named })
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(Error::io("read the link", &entry.path()))?;
            (0o755, AdditionBody::Symlink(target.as_os_str().as_bytes().to_vec()))
        } else {
            (guess_mode(&entry.path())?, AdditionBody::File(entry.path()))
        };
        let mut addition = Addition::new(&path, mode, body);
        addition.attributes = keywords.copied().unwrap_or_default().apply(addition.attributes);
        all.push(addition);
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), metadata, all)?;
        }
    }
    Ok(())
}

/// 0755 for scripts and programs, 0644 for all else: git does not keep modes, so contents decide.
fn guess_mode(path: &Path) -> Result<u16> {
    let mut start = [0; 4];
    let file = fs::File::open(path).map_err(|error| absent(path, &error, "correct the path in the appliance file"))?;
    let mut reader = file.take(4);
    let mut len = 0;
    while let Ok(count @ 1..) = reader.read(&mut start[len..]) {
        len += count;
    }
    Ok(match &start[..len] {
        [b'#', b'!', ..] | b"\x7fELF" => 0o755,
        _ => 0o644,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_quoted() {
        let values = [("a".to_string(), "x\"y\\z".to_string())].into();
        assert_eq!(settings(&values), "a=\"x\\\"y\\\\z\"\n");
    }

    #[test]
    fn contents_decide_about_modes_and_metadata_overrule() {
        let folder = tempfile::tempdir().unwrap();
        let rootfs = folder.path().join("rootfs");
        fs::create_dir_all(rootfs.join("etc")).unwrap();
        fs::write(rootfs.join("etc/script"), "#!/bin/sh\n").unwrap();
        fs::write(rootfs.join("etc/text"), "x").unwrap();
        fs::write(folder.path().join("rootfs.mtree"), "./etc/text mode=0600\n").unwrap();
        let modes: Vec<_> = overlay(&rootfs)
            .unwrap()
            .iter()
            .map(|addition| addition.attributes.mode)
            .collect();
        assert_eq!(modes, [0o755, 0o755, 0o600]);
        fs::write(folder.path().join("rootfs.mtree"), "./etc/absent mode=0600\n").unwrap();
        assert!(overlay(&rootfs).unwrap_err().to_string().contains("etc/absent"));
    }
}
