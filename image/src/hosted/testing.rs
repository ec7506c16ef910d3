//! Small stand-ins for what Debian's packages hold.

use liblzma::write::XzEncoder;

/// A .deb file: a path that begins with `./`, and the contents, or `-> ` and the target of a link.
pub fn deb(control: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = { files.iter() }
        .map(|(path, contents)| (*path, contents.as_bytes()))
        .collect();
    deb_of(control, &files)
}

/// The same with contents that are no text.
pub fn deb_of(control: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ar::Builder::new(Vec::new());
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.xz", packed(&[("./control", control.as_bytes())])),
        ("data.tar.xz", packed(files)),
    ];
    for (name, bytes) in members {
        let header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
        archive.append(&header, &*bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(XzEncoder::new(Vec::new(), 0));
    for (path, contents) in files {
        let mut header = tar::Header::new_gnu();
        match str::from_utf8(contents).ok().and_then(|text| text.strip_prefix("-> ")) {
            Some(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                archive.append_link(&mut header, path, target).unwrap();
            }
            None => {
                header.set_size(contents.len() as u64);
                archive.append_data(&mut header, path, *contents).unwrap();
            }
        }
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// An EFI program with so many sections of 512 bytes, and headers of 1024 bytes: they have room for 15 at most.
pub fn stub(sections: u16) -> Vec<u8> {
    const HEADERS: u32 = 1024;
    let mut bytes = vec![0; HEADERS as usize];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    let optional = 0x98;
    for (at, value) in [
        (0x84, 0x8664),
        (0x86, sections),
        (0x94, 240),
        (0x96, 0x22),
        (optional, 0x20b),
    ] {
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    let end = 0x1000 * (u32::from(sections) + 1);
    for (at, value) in [(32, 0x1000), (36, 512), (56, end), (60, HEADERS), (108, 16)] {
        bytes[optional + at..optional + at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    for index in 0..u32::from(sections) {
        let entry = optional + 240 + 40 * index as usize;
        let fields = [
            (0, u32::from_le_bytes(*b".tex")),
            (8, 512),
            (12, 0x1000 * (index + 1)),
            (16, 512),
            (20, HEADERS + 512 * index),
        ];
        for (at, value) in fields {
            bytes[entry + at..entry + at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
    bytes.resize(bytes.len() + 512 * usize::from(sections), 0xcc);
    bytes
}

/// A section: its name, its kind, the number of the section it refers to, and its contents.
type Section = (&'static str, u32, u32, Vec<u8>);

const PROGBITS: u32 = 1;
const STRINGS: u32 = 3;
const DYNAMIC: u32 = 6;

/// A program or library that needs these libraries, and this interpreter.
pub fn program(interpreter: Option<&str>, libraries: &[&str]) -> Vec<u8> {
    let mut strings = vec![0];
    let mut entries = Vec::new();
    for library in libraries {
        entries.extend([1, strings.len() as u64]);
        strings.extend_from_slice(library.as_bytes());
        strings.push(0);
    }
    entries.extend([0, 0]);
    let entries = entries.iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
    let interpreter = interpreter.map(|path| [path.as_bytes(), b"\0"].concat());
    elf(
        interpreter.as_deref(),
        &[(".dynstr", STRINGS, 0, strings), (".dynamic", DYNAMIC, 1, entries)],
    )
}

/// A Linux kernel module that depends on these.
pub fn module(depends: &str) -> Vec<u8> {
    let information = format!("license=GPL\0depends={depends}\0").into_bytes();
    elf(None, &[(".modinfo", PROGBITS, 0, information)])
}

/// A 64-bit ELF file: header, one program header, contents, section table.
fn elf(interpreter: Option<&[u8]>, sections: &[Section]) -> Vec<u8> {
    const HEADER: usize = 64;
    const SEGMENT: usize = 56;
    let mut bytes = vec![0; HEADER + SEGMENT];
    let names = { sections.iter() }.fold(vec![0], |names, (name, ..)| [&names, name.as_bytes(), b"\0"].concat());
    let mut table = vec![0; 64];
    let mut name_at = 1_u32;
    let last = [(".", STRINGS, 0, names)];
    for (name, kind, link, contents) in sections.iter().chain(&last) {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let fields = [
            u64::from(name_at) | u64::from(*kind) << 32,
            0,
            0,
            bytes.len() as u64,
            contents.len() as u64,
        ];
        table.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
        table.extend([u64::from(*link), 1, 0].iter().flat_map(|field| field.to_le_bytes()));
        bytes.extend_from_slice(contents);
        name_at += name.len() as u32 + 1;
    }
    if let Some(path) = interpreter {
        let fields = [3, bytes.len() as u64, 0, 0, path.len() as u64, path.len() as u64, 1];
        let fields: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        bytes[HEADER..HEADER + SEGMENT].copy_from_slice(&fields);
        bytes.extend_from_slice(path);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let count = sections.len() as u16 + 2;
    bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    bytes[16..24].copy_from_slice(&[3, 0, 62, 0, 1, 0, 0, 0]);
    let table_at = bytes.len() as u64;
    bytes[32..40].copy_from_slice(&(HEADER as u64).to_le_bytes());
    bytes[40..48].copy_from_slice(&table_at.to_le_bytes());
    for (at, value) in [(52, 64), (54, 56), (56, 1), (58, 64), (60, count), (62, count - 1)] {
        bytes[at..at + 2].copy_from_slice(&u16::to_le_bytes(value));
    }
    bytes.extend(table);
    bytes
}
