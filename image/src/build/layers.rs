//! The first stage: each set becomes a layer in the cache, under its checksum; missing ones are made side by side.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use super::Request;
use crate::archive;
use crate::error::{Error, Result};
use crate::hash::{self, Hashing};
use crate::layer::{Layer, Writer};
use crate::progress::{Progress, Task};
use crate::sets::{Fetcher, Listed};

/// Version of the layers' form; another one does not read these.
const VERSION: u32 = 2;

/// A set and its layer.
#[derive(Debug)]
pub struct Set {
    /// File name, such as `base.txz`.
    pub name: String,
    /// SHA-256 of the set in hexadecimal.
    pub sha256: String,
    /// What is in it.
    pub layer: Layer,
}

/// The layers of these sets, in this order.
///
/// # Errors
/// A set cannot be had, or is not what MANIFEST says.
pub fn obtain(fetcher: &Fetcher<'_>, sets: &[Listed], request: &Request, progress: &dyn Progress) -> Result<Vec<Set>> {
    let folder = request.cache.join("layers");
    fs::create_dir_all(&folder).map_err(Error::io("make the cache", &folder))?;
    let lock_path = folder.join(".lock");
    let lock = File::create(&lock_path).map_err(Error::io("write the lock", &lock_path))?;
    lock.lock().map_err(Error::io("lock the cache", &lock_path))?;
    let (there, missing): (Vec<_>, Vec<_>) = sets.iter().partition(|set| place(&folder, set).is_dir());
    for set in there {
        progress.cached(&format!("unpack {}", set.file));
    }
    // Downloads one after the other: side by side they would only share the line.
    let missing = { missing.into_iter() }
        .map(|set| Ok((set, fetcher.get(set)?)))
        .collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let makers = missing.iter().map(|(set, file)| {
            let folder = &folder;
            scope.spawn(move || make(file, set, folder, request.threads, progress))
        });
        let makers: Vec<_> = makers.collect();
        let made = makers
            .into_iter()
            .map(|maker| maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        made.collect::<Result<()>>()
    })?;
    let opened = sets.iter().map(|set| {
        Ok(Set {
            name: set.file.clone(),
            sha256: set.sha256.clone(),
            layer: Layer::open(&place(&folder, set))?,
        })
    });
    opened.collect()
}

fn place(folder: &Path, set: &Listed) -> PathBuf {
    folder.join(format!("{}-v{VERSION}", set.sha256))
}

fn make(file: &Path, set: &Listed, folder: &Path, threads: u32, progress: &dyn Progress) -> Result<()> {
    let scratch = Scratch::named(folder, &format!(".{}.part", set.sha256))?;
    let input = File::open(file).map_err(Error::io("open the set", file))?;
    let size = input.metadata().map_err(Error::io("read the set", file))?.len();
    let task = progress.begin(&format!("unpack {}", set.file), Some(size));
    let mut reader = Hashing::new(Reporting { input, task: &*task });
    let mut writer = Writer::new(scratch.path())?;
    let read = archive::read_into(file, &mut reader, threads, &mut writer);
    // A damaged archive is first of all not the one that MANIFEST lists.
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read the set", file))?;
    let (found, _) = reader.finish();
    if found != set.sha256 {
        return Err(Error::Checksum {
            file: file.to_path_buf(),
            expected: set.sha256.clone(),
            found,
        });
    }
    read?;
    writer.finish()?;
    scratch.keep_as(&place(folder, set))
}

struct Reporting<'a> {
    input: File,
    task: &'a dyn Task,
}

impl Read for Reporting<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.task.advance(count as u64);
        Ok(count)
    }
}

/// A folder that is removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A folder of this process's own below the cache.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(cache: &Path) -> Result<Self> {
        fs::create_dir_all(cache).map_err(Error::io("make the cache", cache))?;
        let unique = hash::of_bytes(format!("{:?}", std::time::SystemTime::now()).as_bytes());
        Self::named(cache, &format!(".scratch-{}-{}", std::process::id(), &unique[..8]))
    }

    fn named(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove the remains of an earlier build", &path)(error));
            }
            _ => {}
        }
        fs::create_dir(&path).map_err(Error::io("make the folder", &path))?;
        Ok(Self { path })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it the folder at `place`.
    ///
    /// # Errors
    /// There is one, or it cannot be moved.
    pub fn keep_as(self, place: &Path) -> Result<()> {
        fs::rename(&self.path, place).map_err(Error::io("put the layer in its place", place))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After `keep_as` there is nothing here; otherwise, what cannot be removed is only in the cache.
        let _ = fs::remove_dir_all(&self.path);
    }
}
