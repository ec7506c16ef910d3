//! FreeBSD packages and repositories, made here from the description of their format (pkg-create(8),
//! pkg-repository(5)).

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use crate::base::TIME;
use crate::readers;

/// How something is compressed.
#[derive(Debug, Clone, Copy)]
pub enum Packing {
    /// As pkg(8) does it now.
    Zstd,
    /// As it did before.
    Xz,
}

/// A tar archive, made without the checks that `tar::Builder` makes.
#[derive(Debug, Default, Clone)]
pub struct Tar(Vec<u8>);

impl Tar {
    /// Adds an entry.
    pub fn add(&mut self, name: &str, kind: EntryType, link: &str, mode: u32, contents: &[u8]) {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(contents.len() as u64);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root").unwrap();
        header.set_groupname("wheel").unwrap();
        header.set_mtime(TIME);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    /// The finished archive, compressed.
    pub fn finish(mut self, packing: Packing) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        match packing {
            Packing::Zstd => zstd::encode_all(&self.0[..], 1).unwrap(),
            Packing::Xz => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(&self.0).unwrap();
                encoder.finish().unwrap()
            }
        }
    }
}

/// A package under construction.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its manifest; may be changed at will.
    pub manifest: Value,
    /// Its files.
    pub files: Tar,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Package {
    /// For FreeBSD 14 on amd64, without files.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            manifest: json!({
                "name": name, "origin": format!("test/{name}"), "version": version, "comment": "a test",
                "maintainer": "test@example.org", "www": "https://example.org", "abi": "FreeBSD:14:amd64",
                "arch": "freebsd:14:x86:64", "prefix": "/usr/local", "flatsize": 1, "desc": "a test", "deps": {},
                "files": {}, "directories": {}, "scripts": {},
            }),
            files: Tar::default(),
        }
    }

    /// Adds a file of root's.
    pub fn file(mut self, path: &str, mode: u32, contents: &[u8]) -> Self {
        self.files.add(path, EntryType::Regular, "", mode, contents);
        let sum = format!("1${}", sha256(contents));
        self.manifest["files"][path] =
            json!({"sum": sum, "uname": "root", "gname": "wheel", "perm": format!("{mode:04o}"), "mtime": TIME});
        self
    }

    /// Adds a symbolic link.
    pub fn symlink(mut self, path: &str, target: &str) -> Self {
        self.files.add(path, EntryType::Symlink, target, 0o755, b"");
        self.manifest["files"][path] = json!({"sum": "-", "uname": "root", "gname": "wheel", "perm": "0755"});
        self
    }

    /// Sets something in the manifest.
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.manifest[key] = value;
        self
    }

    /// Adds a dependency.
    pub fn needs(mut self, name: &str) -> Self {
        self.manifest["deps"][name] = json!({"origin": format!("test/{name}"), "version": "1"});
        self
    }

    /// Name and version.
    pub fn full_name(&self) -> String {
        let word = |key: &str| self.manifest[key].as_str().unwrap().to_string();
        format!("{}-{}", word("name"), word("version"))
    }

    /// What a catalogue has of the manifest.
    pub fn compact(&self) -> Value {
        let mut compact = self.manifest.clone();
        for key in ["files", "directories", "scripts", "lua_scripts"] {
            compact.as_object_mut().unwrap().remove(key);
        }
        compact
    }

    /// The package file.
    pub fn finish(&self, packing: Packing) -> Vec<u8> {
        let mut tar = Tar::default();
        let mut add = |name: &str, value: &Value| {
            tar.add(name, EntryType::Regular, "", 0o644, value.to_string().as_bytes());
        };
        add("+COMPACT_MANIFEST", &self.compact());
        add("+MANIFEST", &self.manifest);
        tar.0.extend_from_slice(&self.files.0);
        tar.finish(packing)
    }
}

/// Whose signature a repository has.
#[derive(Debug, Clone)]
pub enum Signature {
    /// Nobody's.
    None,
    /// One `signature`, made with this private key.
    Key(PathBuf),
    /// `test.sig` and `test.pub`.
    Fingerprint(PathBuf),
}

/// Makes a pair of keys, `key` and `key.pub`, with openssl(1).
pub fn keys(folder: &Path) -> PathBuf {
    let key = folder.join("key");
    let (private, public) = (key.to_str().unwrap(), format!("{}.pub", key.display()));
    readers::run("openssl", "openssl", &["genrsa", "-out", private, "2048"]);
    readers::run(
        "openssl",
        "openssl",
        &["rsa", "-in", private, "-pubout", "-out", &public],
    );
    key
}

/// Makes folders of fingerprints in which `key` is `trusted` (or `revoked`).
pub fn trust(folder: &Path, key: &Path, standing: &str) {
    let public = fs::read(format!("{}.pub", key.display())).unwrap();
    fs::create_dir_all(folder.join(standing)).unwrap();
    let text = format!("function: \"sha256\"\nfingerprint: \"{}\"\n", sha256(&public));
    fs::write(folder.join(standing).join("test.example.org"), text).unwrap();
}

/// The signature that pkg-repo(8) has an external program make: over the SHA-256 of the catalogue in hexadecimal.
fn sign(catalogue: &[u8], key: &Path) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (sum, signature) = (folder.path().join("sum"), folder.path().join("signature"));
    fs::write(&sum, sha256(catalogue)).unwrap();
    let [sum, out, key] = [&sum, &signature, key].map(|path| path.to_str().unwrap());
    readers::run(
        "openssl",
        "openssl",
        &["dgst", "-sha256", "-sign", key, "-out", out, sum],
    );
    fs::read(&signature).unwrap()
}

/// Writes a catalogue's archive.
pub fn write_catalogue(folder: &Path, name: &str, member: &str, catalogue: &[u8], signature: &Signature) {
    let mut tar = Tar::default();
    match signature {
        Signature::None => {}
        Signature::Key(key) => tar.add("signature", EntryType::Regular, "", 0o644, &sign(catalogue, key)),
        Signature::Fingerprint(key) => {
            let public = fs::read(format!("{}.pub", key.display())).unwrap();
            tar.add("test.sig", EntryType::Regular, "", 0o644, &sign(catalogue, key));
            tar.add("test.pub", EntryType::Regular, "", 0o644, &public);
        }
    }
    tar.add(member, EntryType::Regular, "", 0o644, catalogue);
    fs::write(folder.join(name), tar.finish(Packing::Zstd)).unwrap();
}

/// Writes packages, and a catalogue of them as pkg-repo(8) does.
pub fn write_repository(folder: &Path, packages: &[Package], signature: &Signature) {
    fs::create_dir_all(folder.join("All")).unwrap();
    let mut entries = Vec::new();
    for package in packages {
        let bytes = package.finish(Packing::Zstd);
        let path = format!("All/{}.pkg", package.full_name());
        fs::write(folder.join(&path), &bytes).unwrap();
        let mut entry = package.compact();
        entry["sum"] = json!(sha256(&bytes));
        entry["path"] = json!(path);
        entry["repopath"] = json!(path);
        entry["pkgsize"] = json!(bytes.len());
        entries.push(entry);
    }
    let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    let data = json!({"groups": [], "expired_packages": [], "packages": entries}).to_string();
    let meta = "version = 2;\npacking_format = \"tzst\";\nmanifests = \"packagesite.yaml\";\ndata = \"data\";\n\
                manifests_archive = \"packagesite\";\n";
    fs::write(folder.join("meta.conf"), meta).unwrap();
    write_catalogue(
        folder,
        "packagesite.pkg",
        "packagesite.yaml",
        lines.as_bytes(),
        signature,
    );
    write_catalogue(folder, "data.pkg", "data", data.as_bytes(), signature);
}
