use std::io::Write;

use super::*;
use crate::layer::Layer;

/// An archive made entry by entry, without the checks that `tar::Builder` makes.
#[derive(Default)]
struct Maker(Vec<u8>);

impl Maker {
    fn add(mut self, name: &str, kind: EntryType, link: &str, contents: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let len = (1..5)
                .map(|digits| rest + digits)
                .find(|len| len.to_string().len() + rest == *len);
            text.push_str(&format!("{} {key}={value}\n", len.unwrap()));
        }
        self.add("pax", EntryType::XHeader, "", text.as_bytes())
    }

    fn xz(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(&self.0).unwrap();
        encoder.finish().unwrap()
    }
}

fn read(compressed: &[u8]) -> Result<Layer> {
    let folder = tempfile::tempdir().unwrap();
    let mut layer = Writer::new(folder.path())?;
    read_into(Path::new("base.txz"), compressed, 2, &mut layer)?;
    layer.finish()
}

fn refusal(maker: Maker) -> String {
    let error = read(&maker.xz()).unwrap_err().to_string();
    assert!(error.starts_with("base.txz: ") && error.contains("\nhint: "), "{error}");
    error
}

fn file(name: &str) -> Maker {
    Maker::default().add(name, EntryType::Regular, "", b"x")
}

#[test]
fn entries_arrive_with_their_metadata() {
    let maker = Maker::default()
        .add("./", EntryType::Directory, "", b"")
        .pax(&[("SCHILY.fflags", "schg,uarch"), ("mtime", "1700000001.5")])
        .add("./sbin/init", EntryType::Regular, "", b"init")
        .add("./sbin/oinit", EntryType::Link, "./sbin/init", b"")
        .add("./home", EntryType::Symlink, "/usr/home", b"");
    let layer = read(&maker.xz()).unwrap();
    let [root, init, oinit, home] = &layer.index.entries[..] else {
        panic!("{:?}", layer.index)
    };
    assert_eq!((&root.path[..], &root.body), (&b""[..], &EntryBody::Directory));
    assert_eq!(init.attributes.flags, 0x2_0800);
    assert_eq!(
        (init.attributes.mtime, init.attributes.mtime_nanos),
        (1_700_000_001, 500_000_000)
    );
    assert_eq!(oinit.body, EntryBody::HardLink(b"sbin/init".to_vec()));
    assert_eq!(home.body, EntryBody::Symlink(b"/usr/home".to_vec()));
}

#[test]
fn absolute_names_are_refused() {
    assert!(refusal(file("/etc/passwd")).contains("`/etc/passwd`: has an absolute name"));
}

#[test]
fn names_that_lead_out_are_refused() {
    assert!(refusal(file("a/../../etc/passwd")).contains("leads out of the root"));
    let link = file("a").add("b", EntryType::Link, "../etc/passwd", b"");
    assert!(refusal(link).contains("leads out of the root"));
}

#[test]
fn devices_and_pipes_are_refused() {
    for (kind, what) in [
        (EntryType::Char, "a device node"),
        (EntryType::Block, "a device node"),
        (EntryType::Fifo, "a named pipe"),
    ] {
        let maker = Maker::default().add("dev/thing", kind, "", b"");
        assert!(refusal(maker).contains(&format!("`dev/thing`: is {what}")));
    }
}

#[test]
fn duplicates_are_refused() {
    assert!(refusal(file("a").add("./a", EntryType::Regular, "", b"y")).contains("is there twice"));
}

#[test]
fn nothing_lies_below_a_link() {
    let maker =
        Maker::default()
            .add("etc", EntryType::Symlink, "/tmp", b"")
            .add("etc/passwd", EntryType::Regular, "", b"x");
    assert!(refusal(maker).contains("lies below `etc`, which is not a directory"));
}

#[test]
fn hard_links_need_an_earlier_file() {
    let maker = file("a").add("b", EntryType::Link, "c", b"");
    assert!(refusal(maker).contains("`b`: is a hard link to `c`"));
}

#[test]
fn unknown_flags_are_refused() {
    let maker = Maker::default().pax(&[("SCHILY.fflags", "shiny")]);
    assert!(refusal(maker.add("a", EntryType::Regular, "", b"")).contains("unknown file flag `shiny`"));
}

#[test]
fn truncation_anywhere_is_noticed() {
    let noise: Vec<u8> = (0..200_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let whole = file("a").add("b", EntryType::Regular, "", &noise).xz();
    for len in [0, 5, 100, whole.len() / 2, whole.len() - 1] {
        let error = read(&whole[..len]).unwrap_err().to_string();
        assert!(
            error.contains("breaks off") || error.contains("damaged"),
            "{len}: {error}"
        );
    }
}

#[test]
fn tampering_is_noticed() {
    let noise: Vec<u8> = (0..50_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut whole = file("a").add("b", EntryType::Regular, "", &noise).xz();
    let middle = whole.len() / 2;
    whole[middle] ^= 1;
    assert!(read(&whole).unwrap_err().to_string().contains("damaged"));
    let mut trailing = file("a").xz();
    trailing.extend_from_slice(b"more");
    assert!(read(&trailing).unwrap_err().to_string().contains("damaged"));
}

#[test]
fn a_tar_that_ends_inside_a_file_is_noticed() {
    let mut maker = file("a").add("b", EntryType::Regular, "", &[7; 5000]);
    maker.0.truncate(maker.0.len() - 4096);
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(&maker.0).unwrap();
    let error = read(&encoder.finish().unwrap()).unwrap_err().to_string();
    assert!(error.contains("entry `a`") && error.contains("breaks off"), "{error}");
}

#[test]
fn sparse_files_of_gnu_pax_1_0() {
    let far = 600u64 << 30;
    let mut contents = format!("2\n0\n3\n{far}\n3\n").into_bytes();
    contents.resize(512, 0);
    contents.extend_from_slice(b"abcdef");
    let size = (far + 3).to_string();
    let maker = Maker::default().pax(&[
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "big"),
        ("GNU.sparse.realsize", &size),
    ]);
    let layer = read(&maker.add("GNUSparseFile.0/big", EntryType::Regular, "", &contents).xz()).unwrap();
    let entry = &layer.index.entries[0];
    assert_eq!(entry.path, b"big");
    let EntryBody::File(data) = &entry.body else {
        panic!("{entry:?}")
    };
    assert_eq!((data.size, data.runs.len()), (far + 3, 2));
}

#[test]
fn times_before_1970_and_fractions() {
    assert_eq!(pax_time("12"), Some((12, 0)));
    assert_eq!(pax_time("12.000000001"), Some((12, 1)));
    assert_eq!(pax_time("-1.25"), Some((-2, 750_000_000)));
    assert_eq!(pax_time("x"), None);
}
