//! The image that is written: raw, or raw compressed with zstd.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use ngforge_image::hash;
use ngforge_image::manifest::Manifest;
use ngforge_image::output::Format;

/// An image file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Raw, or raw.zst.
    pub format: Format,
    /// Bytes on the disk.
    pub size: u64,
    sha256: Option<String>,
}

impl Source {
    /// The raw image of a manifest, or the compressed one.
    ///
    /// # Errors
    /// The manifest cannot be read or has neither.
    pub fn of_manifest(path: &Path) -> Result<Self> {
        let text = std::fs::read(path)
            .with_context(|| format!("{}: could not be read\nhint: build an image first", path.display()))?;
        let manifest: Manifest = serde_json::from_slice(&text)
            .with_context(|| format!("{}: is not the manifest of an image", path.display()))?;
        let find = |format: Format| {
            let file = manifest.files.iter().find(|file| file.format == format.name())?;
            Some((file, format))
        };
        let found = [Format::Raw, Format::RawZst].into_iter().find_map(find);
        let Some((file, format)) = found else {
            bail!(
                "{}: lists no image of format raw or raw.zst\nhint: add one of them to `formats` in the appliance file",
                path.display()
            );
        };
        let path = path.parent().unwrap_or(Path::new("")).join(&file.path);
        Self::new(path, format, Some(file.sha256.clone()))
    }

    /// An image file by itself: what ends in `.zst` is compressed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let compressed = path.extension().is_some_and(|extension| extension == "zst");
        let format = if compressed { Format::RawZst } else { Format::Raw };
        Self::new(path.to_path_buf(), format, None)
    }

    fn new(path: PathBuf, format: Format, sha256: Option<String>) -> Result<Self> {
        let failed = || format!("{}: could not be read\nhint: build the image again", path.display());
        let mut file = File::open(&path).with_context(failed)?;
        let size = match format {
            Format::RawZst => {
                let mut head = Vec::new();
                file.by_ref().take(18).read_to_end(&mut head).with_context(failed)?;
                unpacked_size(&head).with_context(|| {
                    format!(
                        "{}: is not zstd, or does not tell its size\nhint: unpack it with `zstd -d` first",
                        path.display()
                    )
                })?
            }
            _ => file.metadata().with_context(failed)?.len(),
        };
        ensure!(size > 0, "{}: is empty\nhint: build the image again", path.display());
        Ok(Self {
            path,
            format,
            size,
            sha256,
        })
    }

    /// Whether the file is the one that was built, as far as a manifest tells.
    ///
    /// # Errors
    /// It is another one.
    pub fn check(&self) -> Result<()> {
        let Some(expected) = &self.sha256 else { return Ok(()) };
        let found = hash::of_file(&self.path)?;
        ensure!(
            found == *expected,
            "{}: SHA-256 is {found}, but the manifest says {expected}\nhint: the image was changed or damaged; build it \
             again",
            self.path.display()
        );
        Ok(())
    }

    /// The disk's bytes.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(&self) -> Result<Box<dyn Read>> {
        let file = File::open(&self.path).with_context(|| format!("{}: could not be opened", self.path.display()))?;
        Ok(match self.format {
            Format::RawZst => Box::new(zstd::stream::read::Decoder::new(BufReader::new(file))?.single_frame()),
            _ => Box::new(file),
        })
    }
}

/// The size in a frame header (RFC 8878, section 3.1.1.1).
fn unpacked_size(head: &[u8]) -> Option<u64> {
    let flags = *head.get(4).filter(|_| head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))?;
    let single = flags & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    let len = match (flags >> 6, single) {
        (0, false) => return None,
        (code, _) => 1 << code,
    };
    let at = 5 + usize::from(!single) + dictionary;
    let bytes = head.get(at..at + len)?;
    let number = bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
    Some(if len == 2 { number + 256 } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_frame_headers() {
        for size in [1usize, 255, 256, 70_000, 20 << 20] {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_contentsize(true).unwrap();
            encoder.set_pledged_src_size(Some(size as u64)).unwrap();
            std::io::copy(&mut std::io::repeat(0).take(size as u64), &mut encoder).unwrap();
            let bytes = encoder.finish().unwrap();
            assert_eq!(unpacked_size(&bytes[..18.min(bytes.len())]), Some(size as u64));
        }
        for bad in [
            &b""[..],
            b"\x28\xb5\x2f\xfd",
            b"\x28\xb5\x2f\xfd\xe0",
            b"not zstd at all, but long",
        ] {
            assert_eq!(unpacked_size(bad), None);
        }
    }
}
