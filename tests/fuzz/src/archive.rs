//! Archives: what the reader of packages makes of entries whose names, links, sizes, pax records and kinds are arbitrary.
//!
//! Whatever it accepts must lie below the root, each path once, nothing below what is no directory, and every hard link
//! must lead to an earlier file; then the tree must take it, or refuse it in an orderly way.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use arbitrary::{Arbitrary, Result, Unstructured};
use ngforge_image::archive;
use ngforge_image::layer::{EntryBody, Layer, Writer};

/// What names are made of.
const PIECES: [&[u8]; 16] = [
    b"/",
    b"/",
    b"/",
    b"a",
    b"b",
    b"usr",
    b"etc",
    b".",
    b"..",
    b"+",
    b"+MANIFEST",
    b"\xff",
    b"\0",
    b"//",
    b"passwd",
    b" ",
];
/// What pax records are about.
const KEYS: [&[u8]; 10] = [
    b"path",
    b"linkpath",
    b"size",
    b"mtime",
    b"uname",
    b"SCHILY.fflags",
    b"GNU.sparse.major",
    b"GNU.sparse.realsize",
    b"GNU.sparse.name",
    b"GNU.sparse.map",
];
/// Kinds of entries that mean something; any other byte comes up, too.
const KINDS: &[u8] = b"0123456xgLKS\0";
/// Bytes of a header, and of what contents are padded to.
const BLOCK: usize = 512;

fn name(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut name = b"/".to_vec();
    for _ in 0..u.int_in_range(0..=5_u8)? {
        name.extend_from_slice(PIECES[u.int_in_range(0..=PIECES.len() - 1)?]);
    }
    if u.ratio(1_u8, 8_u8)? {
        name.remove(0);
    }
    Ok(name)
}

/// A pax record, most often with the right length.
fn record(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let key = KEYS[u.int_in_range(0..=KEYS.len() - 1)?];
    let value = match u.int_in_range(0..=3_u8)? {
        0 => u.arbitrary::<u64>()?.to_string().into_bytes(),
        1 => u.int_in_range(0..=3_u8)?.to_string().into_bytes(),
        2 => name(u)?,
        _ => bytes(u, 40)?,
    };
    let rest = key.len() + value.len() + 3;
    let length = (1..4)
        .map(|digits| rest + digits)
        .find(|length| length.to_string().len() + rest == *length);
    let length = if u.ratio(15_u8, 16_u8)? {
        length.unwrap_or(rest)
    } else {
        usize::from(u.arbitrary::<u8>()?)
    };
    Ok([format!("{length} ").as_bytes(), key, b"=", &value, b"\n"].concat())
}

fn bytes(u: &mut Unstructured<'_>, most: usize) -> Result<Vec<u8>> {
    let length = u.int_in_range(0..=most)?;
    Ok(u.bytes(length.min(u.len()))?.to_vec())
}

fn contents(u: &mut Unstructured<'_>, kind: u8) -> Result<Vec<u8>> {
    match kind {
        b'x' | b'g' => {
            let records = u.int_in_range(1..=4_u8)?;
            (0..records)
                .map(|_| record(u))
                .collect::<Result<Vec<_>>>()
                .map(|records| records.concat())
        }
        b'L' | b'K' => name(u),
        // The map of a sparse file, perhaps.
        _ if u.ratio(1_u8, 4_u8)? => {
            let mut numbers = String::new();
            for _ in 0..u.int_in_range(1..=7_u8)? {
                numbers.push_str(&format!("{}\n", u.int_in_range(0..=1500_u32)?));
            }
            let mut map = numbers.into_bytes();
            map.resize(map.len().next_multiple_of(BLOCK), 0);
            Ok(map)
        }
        _ => bytes(u, 100),
    }
}

/// A field of the header: as it should be, or arbitrary.
fn odd_field(u: &mut Unstructured<'_>, header: &mut [u8]) -> Result<()> {
    const FIELDS: [(usize, usize); 7] = [(100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (257, 8), (345, 20)];
    let (at, len) = FIELDS[u.int_in_range(0..=FIELDS.len() - 1)?];
    let odd = bytes(u, len)?;
    header[at..at + odd.len()].copy_from_slice(&odd);
    Ok(())
}

fn entry(u: &mut Unstructured<'_>, tar: &mut Vec<u8>) -> Result<()> {
    let kind = match u.ratio(15_u8, 16_u8)? {
        true => KINDS[u.int_in_range(0..=KINDS.len() - 1)?],
        false => u.arbitrary()?,
    };
    let (name, link, contents) = (name(u)?, name(u)?, contents(u, kind)?);
    let mut header = [0; BLOCK];
    header[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", contents.len()).as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = kind;
    header[157..157 + link.len().min(100)].copy_from_slice(&link[..link.len().min(100)]);
    header[257..265].copy_from_slice(b"ustar\x0000");
    if u.ratio(1_u8, 8_u8)? {
        odd_field(u, &mut header)?;
    }
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(&contents);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    Ok(())
}

#[derive(Debug, Arbitrary)]
enum Beginning {
    Manifest,
    Nothing,
}

fn make(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut tar = Vec::new();
    if matches!(u.arbitrary()?, Beginning::Manifest) {
        let mut u = Unstructured::new(&[]);
        entry(&mut u, &mut tar)?;
        tar[..100].fill(0);
        tar[..9].copy_from_slice(b"+MANIFEST");
        tar.truncate(BLOCK);
        tar.resize(2 * BLOCK, b' ');
        tar[124..136].copy_from_slice(b"00000000001\0");
        tar[156] = b'0';
        tar[157..257].fill(0);
        tar[148..156].fill(b' ');
        let sum: u32 = tar[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
        tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    while !u.is_empty() && tar.len() < 64 * BLOCK {
        entry(u, &mut tar)?;
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    Ok(tar)
}

/// What must hold of everything that is accepted.
fn check(layer: &Layer) {
    let mut seen: HashMap<&[u8], bool> = HashMap::new();
    for entry in &layer.index.entries {
        let path = entry.path.as_slice();
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        let odd = parts.iter().any(|part| matches!(*part, b"." | b".." | b"")) && !path.is_empty();
        assert!(!odd && !path.contains(&0), "{path:?}");
        for end in (0..path.len()).filter(|at| path[*at] == b'/') {
            assert_ne!(seen.get(&path[..end]), Some(&false), "{path:?} lies below a file");
        }
        if let EntryBody::HardLink(target) = &entry.body {
            assert_eq!(seen.get(target.as_slice()), Some(&false), "{path:?} links to no file");
        }
        let again = seen.insert(path, entry.body == EntryBody::Directory);
        assert!(again.is_none() || path.is_empty(), "{path:?} is there twice");
        assert!(entry.attributes.mode <= 0o7777);
    }
}

/// One execution.
pub fn execute(data: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let Ok(tar) = make(&mut Unstructured::new(data)) else {
        return;
    };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let place = [Path::new("/dev/shm"), Path::new("/tmp")]
        .into_iter()
        .find(|place| place.is_dir());
    let folder = place
        .expect("a folder for scratch")
        .join(format!("ngforge-fuzz-{}-{number}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder for the layer");
    let mut writer = Writer::new(&folder).expect("a layer");
    let read = archive::read_package(Path::new("a.pkg"), &tar[..], &mut writer);
    match read {
        Ok(_) => check(&writer.finish().expect("a layer")),
        Err(error) => assert!(error.to_string().contains("\nhint: ")),
    }
    std::fs::remove_dir_all(&folder).expect("the layer's folder is ours");
}
