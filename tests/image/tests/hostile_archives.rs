//! Hostile distribution sets: each one clear message with the way out, and nothing half-written.
//!
//! What one entry of an archive can do wrong on its own is tested beside the reader; here are archives as a whole,
//! compression, headers that lie about sizes, and sets that contradict each other or MANIFEST.

use std::fs;
use std::io::Write;

use image_tests::base::{Archive, noise, write};
use image_tests::fixture::Fixture;
use tar::{EntryType, Header};

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One entry, whose header `change` may spoil before its checksum is made.
fn entry(name: &str, kind: EntryType, contents: &[u8], change: impl FnOnce(&mut [u8; 512])) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(contents.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    change(header.as_mut_bytes());
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str) -> Vec<u8> {
    entry(name, EntryType::Regular, b"x", |_| {})
}

/// A pax header with these records.
fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let len = (1..9)
            .map(|digits| rest + digits)
            .find(|len| len.to_string().len() + rest == *len);
        text.extend_from_slice(format!("{} {key}=", len.unwrap()).as_bytes());
        text.extend_from_slice(value);
        text.push(b'\n');
    }
    entry("pax", EntryType::XHeader, &text, |_| {})
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Builds with this base set, which MANIFEST lists with its own checksum, and expects `cause`.
fn refused(base: &[u8], cause: &str) {
    let fixture = Fixture::tiny();
    let kernel = fs::read(fixture.at("sets/kernel.txz")).unwrap();
    write(&fixture.at("sets"), &[("base.txz", base), ("kernel.txz", &kernel)]);
    fails(&fixture, cause);
}

fn fails(fixture: &Fixture, cause: &str) {
    let message = fixture.failure(&fixture.request());
    assert!(message.contains(cause), "expected `{cause}` in: {message}");
    assert_eq!(fixture.outputs(), [""; 0]);
    fixture.whole_layers();
}

fn refused_entries(entries: &[Vec<u8>], cause: &str) {
    refused(&xz(&tar(entries)), cause);
}

#[test]
fn nothing_at_all() {
    refused(b"", "base.txz: entry `(none yet)`: the archive");
}

#[test]
fn another_compression() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    refused(&gzip, "the archive is damaged here or just behind");
    refused(
        &zstd::encode_all(&tar(&[file("a")])[..], 1).unwrap(),
        "the archive is damaged here or just behind",
    );
}

#[test]
fn a_tar_that_is_not_compressed() {
    refused(&tar(&[file("a")]), "the archive is damaged here or just behind");
}

#[test]
fn compressed_noise() {
    refused(&xz(&noise(4096, 5)), "the archive is damaged here or just behind");
}

#[test]
fn no_entries() {
    refused(&xz(&[0; 1024]), "it has no entries");
}

#[test]
fn a_dictionary_larger_than_memory() {
    let mut bytes = xz(&tar(&[file("a")]));
    // The block's header (xz-file-format, 3.1): size, flags, filter 0x21 with one byte of properties, CRC-32.
    let end = 12 + (usize::from(bytes[12]) + 1) * 4;
    let at = bytes[12..end].windows(2).position(|pair| pair == [0x21, 1]).unwrap() + 14;
    bytes[at] = 40;
    let sum = crc32fast::hash(&bytes[12..end - 4]);
    bytes[end - 4..end].copy_from_slice(&sum.to_le_bytes());
    refused(&bytes, "the archive is damaged here or just behind: ");
}

#[test]
fn a_second_stream_behind_the_first() {
    let mut bytes = xz(&tar(&[file("a")]));
    bytes.extend(xz(&tar(&[file("b")])));
    refused(&bytes, "bytes behind the end of the xz stream");
}

#[test]
fn a_header_with_a_wrong_checksum() {
    let mut spoilt = file("b");
    spoilt[0] = b'c';
    refused_entries(&[file("a"), spoilt], "entry `a`: the archive is damaged");
}

#[test]
fn numbers_that_are_none() {
    let owner = entry("b", EntryType::Regular, b"", |header| {
        header[108..116].copy_from_slice(b"zzzzzzz\0")
    });
    refused_entries(&[file("a"), owner], "entry `a`: the archive is damaged");
    let mode = entry("b", EntryType::Regular, b"", |header| {
        header[100..108].copy_from_slice(b"8888888\0")
    });
    refused_entries(&[file("a"), mode], "entry `a`: the archive is damaged");
}

#[test]
fn an_owner_beyond_32_bits() {
    let owner = entry("b", EntryType::Regular, b"", |header| {
        header[108..116].copy_from_slice(&[0x80, 0, 0, 1, 0, 0, 0, 0]);
    });
    refused_entries(&[owner], "entry `b`: has an owner or group beyond 32 bits");
}

#[test]
fn a_size_beyond_the_archive() {
    let large = entry("b", EntryType::Regular, b"x", |header| {
        header[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff]);
    });
    refused_entries(&[file("a"), large], "entry `a`: the archive breaks off");
}

#[test]
fn pax_records_that_lie() {
    let length = entry("pax", EntryType::XHeader, b"999 path=x\n", |_| {});
    refused_entries(&[file("a"), length, file("b")], "entry `a`: the archive is damaged");
    refused_entries(&[pax(&[("path", b"x\0y")]), file("b")], "has a zero byte in its name");
    refused_entries(
        &[pax(&[("path", b"../../etc/cron.d/x")]), file("b")],
        "leads out of the root with `..`",
    );
    refused_entries(
        &[pax(&[("SCHILY.fflags", b"schg,shiny")]), file("b")],
        "has the unknown file flag `shiny`",
    );
}

#[test]
fn a_name_longer_than_any() {
    let long = [b'n'; 256];
    refused_entries(
        &[pax(&[("path", &long)]), file("b")],
        "has a name of 256 bytes; 255 is the most",
    );
}

#[test]
fn links_that_lead_to_nothing_or_to_directories() {
    let with = |name: &str, target: &str| {
        let target = target.to_string();
        entry(name, EntryType::Link, b"", move |header| {
            header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        })
    };
    let directory = entry("d", EntryType::Directory, b"", |_| {});
    refused_entries(
        &[directory, with("l", "d")],
        "entry `l`: is a hard link to `d`, which is no earlier file",
    );
    refused_entries(
        &[with("l", "l")],
        "entry `l`: is a hard link to `l`, which is no earlier file",
    );
    refused_entries(&[file("a"), with("l", "")], "entry `l`: is a link to nothing");
    let symlink = entry("s", EntryType::Symlink, b"", |_| {});
    refused_entries(&[symlink], "entry `s`: is a link to nothing");
}

#[test]
fn kinds_that_nobody_knows() {
    let volume = entry("v", EntryType::new(b'V'), b"", |_| {});
    refused_entries(&[volume], "entry `v`: is of unknown type 'V'");
    let multi = entry("m", EntryType::new(b'M'), b"", |_| {});
    refused_entries(&[multi], "entry `m`: is of unknown type 'M'");
}

/// A sparse file of GNU's pax format 1.0 with this map.
fn sparse(map: &str, size: &str) -> Vec<Vec<u8>> {
    let records = pax(&[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"s"),
        ("GNU.sparse.realsize", size.as_bytes()),
    ]);
    let mut contents = map.as_bytes().to_vec();
    contents.resize(contents.len().next_multiple_of(512).max(512), 0);
    vec![
        records,
        entry("GNUSparseFile.0/s", EntryType::Regular, &contents, |_| {}),
    ]
}

#[test]
fn sparse_files_with_lying_maps() {
    let contradicts = "a sparse file has a map that contradicts itself";
    refused_entries(&sparse("2\n0\n10\n5\n10\n", "100"), contradicts);
    refused_entries(&sparse("1\n0\n1000\n", "10"), contradicts);
    refused_entries(&sparse("1\n18446744073709551615\n2\n", "10"), contradicts);
    refused_entries(&sparse("x\n", "10"), "a sparse file has a broken map");
    refused_entries(&sparse("18446744073709551615\n0\n", "10"), "the archive breaks off");
    refused_entries(&sparse("1\n0\n100000\n", "200000"), "the archive breaks off");
    // 12 + 4096 + 4096² + 4096³ blocks of 32 KiB, but for the last byte.
    let most = 2_252_349_704_110_079_u64;
    for more in [most + 1, u64::MAX] {
        let limit = format!("a sparse file says that it has {more} bytes, and UFS holds no more than {most}");
        refused_entries(&sparse("0\n", &more.to_string()), &limit);
    }
    let endless = format!("999999999\n{}", "1\n".repeat(600_000));
    refused_entries(&sparse(&endless, "10"), "a sparse file has a broken map");
}

#[test]
fn a_sparse_file_in_an_old_format() {
    let old = pax(&[("GNU.sparse.map", b"0,1"), ("GNU.sparse.size", b"10")]);
    refused_entries(&[old, file("s")], "it has sparse files in an old pax format");
}

#[test]
fn sets_that_contradict_each_other() {
    let fixture = Fixture::tiny();
    let mut base = Archive::default();
    base.directory("boot")
        .file("boot/loader.efi", &noise(1000, 1))
        .file("boot/kernel", b"a file");
    let kernel = fs::read(fixture.at("sets/kernel.txz")).unwrap();
    write(
        &fixture.at("sets"),
        &[("base.txz", &base.finish().0), ("kernel.txz", &kernel)],
    );
    fails(
        &fixture,
        "/boot/kernel: is a file in base.txz, and kernel.txz needs something else there",
    );
}

#[test]
fn manifests_of_sets_that_are_none() {
    for (text, cause) in [
        (
            "<html><body>Not Found</body></html>\n",
            "MANIFEST: line 1 is not `<set><TAB><SHA-256>",
        ),
        ("base.txz\tabc\t1\n", "line 1 is not"),
        ("base.txz 0123456789abcdef\n", "line 1 is not"),
        ("", "does not list base.txz"),
    ] {
        let fixture = Fixture::tiny();
        fs::write(fixture.at("sets/MANIFEST"), text).unwrap();
        fails(&fixture, cause);
    }
    let fixture = Fixture::tiny();
    fs::write(fixture.at("sets/MANIFEST"), [0xff, 0xfe, 0]).unwrap();
    fails(&fixture, "MANIFEST: ");
}
