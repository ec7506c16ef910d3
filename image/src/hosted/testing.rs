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
