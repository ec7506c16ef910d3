//! Seeds: whatever is in their files and on their volumes, they are refused, or nothing in the plan leaves its place.

use std::path::Path;
use std::sync::LazyLock;

use seed::network::Card;
use seed::volume::Kind;
use seed::{Plan, Seed};

/// Bytes of a sector of a disc.
const SECTOR: usize = 2048;
/// Sectors of the template.
const SECTORS: usize = 24;

/// A disc with two files, to which mistakes are made.
static DISC: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut disc = vec![0; SECTORS * SECTOR];
    let mut put = |at: usize, bytes: &[u8]| disc[at..at + bytes.len()].copy_from_slice(bytes);
    put(16 * SECTOR, b"\x01CD001\x01");
    put(16 * SECTOR + 40, b"CIDATA                          ");
    put(16 * SECTOR + 156, &record(b"\0", 20, SECTOR as u32, 2, b""));
    put(17 * SECTOR, b"\xffCD001\x01");
    let mut at = 20 * SECTOR;
    for (name, sector, length, rock) in [
        (&b"META_DAT.;1"[..], 21, 15, &b"NM\x0e\x01\0meta-data"[..]),
        (b"USER_DAT.;1", 22, 24, b"NM\x0e\x01\0user-data"),
    ] {
        let record = record(name, sector, length, 0, rock);
        put(at, &record);
        at += record.len();
    }
    put(21 * SECTOR, b"instance-id: a\n");
    put(22 * SECTOR, b"#cloud-config\nfqdn: a.b\n");
    disc
});

fn record(name: &[u8], sector: u32, length: u32, flags: u8, rock: &[u8]) -> Vec<u8> {
    let mut record = vec![0; 33];
    record[2..6].copy_from_slice(&sector.to_le_bytes());
    record[10..14].copy_from_slice(&length.to_le_bytes());
    record[25] = flags;
    record[32] = name.len() as u8;
    record.extend_from_slice(name);
    record.resize(record.len().next_multiple_of(2), 0);
    record.extend_from_slice(rock);
    record.resize(record.len().next_multiple_of(2), 0);
    record[0] = record.len() as u8;
    record
}

/// The template with pieces of the input written over it: where, how many bytes, which.
fn damaged(mut data: &[u8]) -> Vec<u8> {
    let mut disc = DISC.clone();
    while let [low, high, count, rest @ ..] = data {
        // Most places are in what is read: descriptors and directory.
        let place = usize::from(u16::from_le_bytes([*low, *high])) % (8 * SECTOR) + 16 * SECTOR;
        let (piece, behind) = rest.split_at(rest.len().min(usize::from(*count % 64)));
        let room = (disc.len() - place).min(piece.len());
        disc[place..place + room].copy_from_slice(&piece[..room]);
        data = behind;
    }
    disc
}

fn cards() -> Vec<Card> {
    let card = |number: u8| Card {
        name: format!("vtnet{number}"),
        mac: "52:54:00:00:00:01".parse().ok(),
    };
    (0..2).map(card).collect()
}

fn files(kind: Kind, files: &[(&'static str, &[u8])]) -> Seed {
    Seed::of(
        kind,
        Path::new("seed"),
        files.iter().map(|(name, bytes)| (*name, bytes.to_vec())),
    )
}

fn seed(data: &[u8]) -> Option<Seed> {
    let (mode, rest) = data.split_first()?;
    let meta = &b"instance-id: a\n"[..];
    let user = [b"#cloud-config\n", rest].concat();
    Some(match mode % 6 {
        0 => return Seed::of_bytes(&damaged(rest)).ok().flatten(),
        1 => files(Kind::NoCloud, &[("meta-data", rest)]),
        2 => files(Kind::NoCloud, &[("meta-data", meta), ("user-data", &user)]),
        3 => files(Kind::NoCloud, &[("meta-data", meta), ("network-config", rest)]),
        4 => files(Kind::NoCloud, &[("meta-data", meta), ("graph.yaml", rest)]),
        _ => files(
            Kind::ConfigDrive,
            &[("meta_data.json", b"{\"uuid\": \"a\"}"), ("network_data.json", rest)],
        ),
    })
}

/// What holds of every plan.
fn check(plan: &Plan) {
    let is_line = |text: &str| !text.chars().any(char::is_control);
    let is_field = |text: &str| is_line(text) && !text.contains(':');
    assert!(!plan.instance.is_empty() && is_line(&plan.instance));
    for (key, value) in &plan.rc {
        assert!(
            key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "{key}"
        );
        assert!(
            is_line(value) && !value.contains(['"', '$', '`', '\\', '\'']),
            "{key}={value}"
        );
    }
    for file in &plan.files {
        assert!(
            file.path.starts_with("/etc/") || file.path.starts_with("/usr/local/etc/"),
            "{}",
            file.path
        );
        assert!(file.path.split('/').all(|part| part != ".."), "{}", file.path);
        assert!(file.mode <= 0o777);
    }
    for account in &plan.accounts {
        assert!(
            is_field(&account.name) && !account.name.contains(['/', '.']),
            "{account:?}"
        );
        assert!(is_field(&account.gecos), "{account:?}");
        assert!(
            { account.hash.iter() }.chain(&account.shell).all(|text| is_field(text)),
            "{account:?}"
        );
        assert!(
            account.keys.iter().chain(&account.groups).all(|text| is_line(text)),
            "{account:?}"
        );
    }
}

/// One execution.
pub fn execute(data: &[u8]) {
    let Some(seed) = seed(data) else { return };
    match Plan::read(&seed, Some(&cards()), None) {
        Ok(plan) => check(&plan),
        Err(error) => assert!(error.to_string().contains("\nhint: "), "{error}"),
    }
}
