//! `cargo xtask seed`: a NoCloud seed for an appliance.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use fatfs::{FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use ngforge_image::{hash, output};
use seed::{Plan, volume};

/// Bytes of the volume if little goes into it.
const LEAST: usize = 1 << 20;

/// Make a NoCloud seed: what an appliance takes at its first boot
///
/// The result is a vfat volume with the label CIDATA, to be attached as a further disk: `cargo xtask run --seed FILE`. It is
/// checked by the code that applies it in the appliance, and the same arguments give the same bytes.
#[derive(Args)]
pub struct Seed {
    /// The host's name
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// A public key (.pub) that opens root's account; may be repeated
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// A graph in place of the appliance's own
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
    /// user-data, which begins with #cloud-config
    #[arg(long, value_name = "FILE")]
    user_data: Option<PathBuf>,
    /// network-config, version 1 or 2
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// What tells this seed from others: it is applied once [default: made from its contents]
    #[arg(long, value_name = "ID")]
    instance_id: Option<String>,
    /// Where it goes
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Seed {
    /// Makes, checks and writes it.
    ///
    /// # Errors
    /// A file cannot be read, or the appliance would refuse the seed.
    pub fn run(self) -> Result<()> {
        let files = self.files()?;
        let bytes = image(&files)?;
        let Some(read_back) = volume::Seed::of_bytes(&bytes)? else {
            bail!("the volume that was made is no seed");
        };
        let plan = Plan::read(&read_back, None, None)?;
        output::replace(&self.output, &bytes)?;
        println!("{}: instance {}", self.output.display(), plan.instance);
        for note in &plan.notes {
            println!("ignored by the appliance: {note}");
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let mut files = Vec::new();
        let given = [
            ("user-data", &self.user_data),
            ("network-config", &self.network),
            ("graph.yaml", &self.graph),
        ];
        for (name, path) in given {
            match path {
                Some(path) => files.push((name, read(path)?)),
                // NoCloud is none without it.
                None if name == "user-data" => files.push((name, b"#cloud-config\n".to_vec())),
                None => {}
            }
        }
        let meta = self.meta_data(&files)?;
        files.insert(0, ("meta-data", meta));
        Ok(files)
    }

    /// JSON, which is YAML, too.
    fn meta_data(&self, files: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
        let mut meta = serde_json::Map::new();
        if let Some(name) = &self.hostname {
            meta.insert("local-hostname".into(), name.clone().into());
        }
        let mut keys = Vec::new();
        for path in &self.keys {
            keys.push(public_key(path)?);
        }
        if !keys.is_empty() {
            meta.insert("public-keys".into(), keys.into());
        }
        let id = { self.instance_id.clone() }.unwrap_or_else(|| {
            let sum = hash::of_bytes(format!("{meta:?} {files:?}").as_bytes());
            format!("ngforge-{}", &sum[..16])
        });
        meta.insert("instance-id".into(), id.into());
        Ok((serde_json::to_string_pretty(&meta)? + "\n").into_bytes())
    }
}

/// Makes the volume of a seed whose files lie in a folder.
///
/// # Errors
/// A file cannot be read, or the volume cannot be written.
pub fn of_folder(folder: &Path, to: &Path) -> Result<()> {
    let names = ["meta-data", "user-data", "network-config", "graph.yaml"];
    let there = names.into_iter().filter(|name| folder.join(name).is_file());
    let files = there
        .map(|name| Ok((name, read(&folder.join(name))?)))
        .collect::<Result<Vec<_>>>()?;
    fs::write(to, image(&files)?).with_context(|| format!("{}: could not be written", to.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{}: could not be read", path.display()))
}

fn public_key(path: &Path) -> Result<String> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    ensure!(
        !text.contains("PRIVATE KEY"),
        "{}: is a private key; it does not belong into a seed\nhint: name the .pub file beside it",
        path.display()
    );
    Ok(text.trim().into())
}

/// A vfat volume with these files. Without a clock, fatfs dates all of them alike.
fn image(files: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let content: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let size = (content * 2 + LEAST).next_multiple_of(LEAST);
    let mut disk = Cursor::new(vec![0; size]);
    let options = FormatVolumeOptions::new()
        .volume_label(*b"CIDATA     ")
        .volume_id(0x6e67_7365);
    format_volume(&mut disk, options).context("could not make the volume")?;
    disk.set_position(0);
    let system = FileSystem::new(&mut disk, FsOptions::new())?;
    for (name, bytes) in files {
        system.root_dir().create_file(name)?.write_all(bytes)?;
    }
    system.unmount()?;
    Ok(disk.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(folder: &Path) -> Seed {
        fs::write(folder.join("u"), "#cloud-config\npackages: [vim]\n").unwrap();
        Seed {
            hostname: Some("box".into()),
            keys: Vec::new(),
            graph: None,
            user_data: Some(folder.join("u")),
            network: None,
            instance_id: None,
            output: folder.join("seed.img"),
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_volume_which_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        seed(folder.path()).run().unwrap();
        let first = fs::read(folder.path().join("seed.img")).unwrap();
        seed(folder.path()).run().unwrap();
        assert_eq!(first, fs::read(folder.path().join("seed.img")).unwrap());
        let found = volume::Seed::open(&folder.path().join("seed.img")).unwrap().unwrap();
        let plan = Plan::read(&found, None, None).unwrap();
        assert_eq!(plan.hostname.as_deref(), Some("box"));
        assert_eq!(plan.notes, ["user-data:2:1: `packages`"]);
    }

    #[test]
    fn what_the_appliance_would_refuse_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut wrong = seed(folder.path());
        wrong.hostname = Some("a b".into());
        assert!(wrong.run().unwrap_err().to_string().contains("\"a b\" is no host name"));
        assert!(!folder.path().join("seed.img").exists());
    }
}
