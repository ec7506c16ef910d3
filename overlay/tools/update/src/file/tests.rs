//! Update files: made, read back, and spoilt in every way that comes to mind.

use std::io::{self, Cursor, Read};

use ed25519_dalek::SigningKey;
use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

const KEY: [u8; 32] = [7; 32];

fn key() -> SigningKey {
    SigningKey::from_bytes(&KEY)
}

fn public() -> [[u8; 32]; 1] {
    [key().verifying_key().to_bytes()]
}

fn about(slot_bytes: u64) -> About {
    About {
        appliance: "ngforge".into(),
        release: "14.3".into(),
        build: "0123abcd".into(),
        slot_bytes,
        needs: Needs {
            disk: 1,
            machine: "amd64".into(),
        },
    }
}

/// Text, a hole, and a last chunk that is shorter.
fn contents() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..CHUNK as u32).map(|i| (i / 7 % 251) as u8).collect();
    bytes.resize(2 * CHUNK, 0);
    bytes.extend((0..4096u32).map(|i| (i * i % 253) as u8));
    bytes
}

fn file(contents: &[u8], key: Option<&SigningKey>) -> Vec<u8> {
    let about = about(contents.len() as u64);
    let mut writer = Writer::new(Cursor::new(Vec::new()), about).unwrap();
    for chunk in contents.chunks(CHUNK) {
        writer.add(pack(chunk)).unwrap();
    }
    writer.finish(key).unwrap().into_inner()
}

fn good() -> Vec<u8> {
    file(&contents(), Some(&key()))
}

fn read(file: &[u8], trust: Trust<'_>) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::open(file, trust)?;
    let mut contents = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        assert_eq!(chunk.at, contents.len() as u64);
        contents.extend(chunk.bytes);
    }
    Ok(contents)
}

fn refused(file: &[u8]) -> String {
    read(file, Trust::Keys(&public())).unwrap_err().to_string()
}

/// A file with a header that says what it likes, signed all the same.
fn crafted(metadata: &str, chunks: &[(u32, [u8; 32], [u8; 32])], stored: &[u8]) -> Vec<u8> {
    use ed25519_dalek::Signer;
    let mut bytes = MAGIC.to_vec();
    for number in [VERSION, metadata.len() as u32, chunks.len() as u32] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(metadata.as_bytes());
    for (size, stored, plain) in chunks {
        bytes.extend(size.to_le_bytes());
        bytes.extend(stored);
        bytes.extend(plain);
    }
    bytes.extend(public()[0]);
    let signature = key().sign(&bytes).to_bytes();
    bytes.extend(signature);
    bytes.extend(stored);
    bytes
}

fn sum(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn metadata(slot_bytes: u64) -> String {
    serde_json::to_string(&about(slot_bytes)).unwrap()
}

/// One chunk of 4096 bytes that is `stored` in the file.
fn one(stored: &[u8], plain: &[u8]) -> Vec<u8> {
    let entry = (stored.len() as u32, sum(stored), sum(plain));
    crafted(&metadata(4096), &[entry], stored)
}

#[test]
fn what_is_written_is_read() {
    let file = good();
    assert_eq!(read(&file, Trust::Keys(&public())).unwrap(), contents());
    assert!(file.len() < contents().len() / 2, "{}", file.len());
    let reader = Reader::open(&file[..], Trust::Keys(&public())).unwrap();
    assert_eq!(reader.header().chunks[1].stored, 0);
    assert_eq!(reader.seal().key, public()[0]);
}

#[test]
fn the_bytes_are_where_the_documentation_has_them() {
    let file = good();
    assert_eq!(&file[..12], b"\x89NGU\r\n\x1a\n\x01\0\0\0");
    let meta = metadata(contents().len() as u64);
    assert_eq!(&file[12..20], [meta.len() as u32, 3].map(u32::to_le_bytes).concat());
    assert_eq!(&file[20..20 + meta.len()], meta.as_bytes());
    let table = 20 + meta.len();
    assert_eq!(&file[table + 36..table + 68], sum(&contents()[..CHUNK]));
    let seal = table + 3 * 68;
    assert_eq!(&file[seal..seal + 32], public()[0]);
    let size = u32::from_le_bytes(file[table..table + 4].try_into().unwrap()) as usize;
    assert_eq!(&file[table + 4..table + 36], sum(&file[seal + 96..seal + 96 + size]));
}

#[test]
fn every_truncation_is_told() {
    let file = file(&contents()[CHUNK - 8192..CHUNK], Some(&key()));
    for end in 0..file.len() {
        let said = refused(&file[..end]);
        assert!(said.contains("was not transferred to its end"), "{end}: {said}");
    }
}

#[test]
fn every_changed_byte_is_seen() {
    let good = file(&contents()[CHUNK - 8192..CHUNK], Some(&key()));
    for at in 0..good.len() {
        let mut file = good.clone();
        file[at] ^= 0x10;
        assert!(read(&file, Trust::Keys(&public())).is_err(), "byte {at}");
    }
}

#[test]
fn only_a_trusted_signature_opens_a_file() {
    let unsigned = file(&contents(), None);
    assert_eq!(refused(&unsigned), "it is not signed");
    assert_eq!(read(&unsigned, Trust::Anyone).unwrap(), contents());
    let foreign = file(&contents(), Some(&SigningKey::from_bytes(&[8; 32])));
    let said = refused(&foreign);
    let trusted = format!("but this appliance trusts {}", fingerprint(&public()[0]));
    assert!(
        said.starts_with("it is signed with the key ") && said.ends_with(&trusted),
        "{said}"
    );
    let nobody = read(&good(), Trust::Keys(&[])).unwrap_err().to_string();
    assert!(nobody.ends_with("trusts no key at all"), "{nobody}");
    let mut zero_signature = good();
    let seal = zero_signature.len() - 96;
    zero_signature[seal..].fill(0);
    assert!(read(&zero_signature, Trust::Keys(&public())).is_err());
}

#[test]
fn a_file_is_signed_again() {
    let mut unsigned = Cursor::new(file(&contents(), None));
    assert_eq!(reseal(&mut unsigned, &key()).unwrap().appliance, "ngforge");
    assert_eq!(unsigned.into_inner(), good());
    let said = reseal(Cursor::new(b"no update file at all".to_vec()), &key()).unwrap_err();
    assert!(said.to_string().contains("no update file"), "{said}");
}

#[test]
fn chunks_in_another_order_are_refused() {
    let halves = [[1u8; CHUNK], [2u8; CHUNK]].concat();
    let good = file(&halves, Some(&key()));
    let size = pack(&halves[..CHUNK]).stored_len();
    let (head, chunks) = good.split_at(good.len() - 2 * size);
    let turned = [head, &chunks[size..], &chunks[..size]].concat();
    assert!(
        refused(&turned).contains("chunk 1 of 2 is not the one in its table"),
        "{}",
        refused(&turned)
    );
}

#[test]
fn hostile_headers_are_refused() {
    let rows: [(Vec<u8>, &str); 14] = [
        (b"NGU not one of ours at all......".to_vec(), "no update file"),
        (
            changed(8, &2u32.to_le_bytes()),
            "version 2, and this program knows version 1",
        ),
        (
            changed(12, &u32::MAX.to_le_bytes()),
            "its header names 4294967295 bytes of metadata; 2 to 65536",
        ),
        (changed(12, &0u32.to_le_bytes()), "names 0 bytes of metadata"),
        (
            changed(16, &u32::MAX.to_le_bytes()),
            "names 4294967295 chunks; 1 to 65536",
        ),
        (changed(16, &0u32.to_le_bytes()), "names 0 chunks"),
        (changed(16, &65536u32.to_le_bytes()), "it ends in its header"),
        (
            crafted("{}", &[entry()], b""),
            "its metadata is wrong: missing field `appliance`",
        ),
        (crafted("[[[[[[[", &[entry()], b""), "its metadata is wrong"),
        (
            crafted(&"[".repeat(60_000), &[entry()], b""),
            "its metadata is wrong: invalid type: sequence",
        ),
        (crafted(&metadata(0), &[entry()], b""), "names 0 chunks"),
        (crafted(&metadata(4097), &[entry()], b""), "no multiple of 512"),
        (
            crafted(&metadata(u64::MAX - 511), &[entry()], b""),
            "names 17592186044416 chunks",
        ),
        (crafted(&metadata(5 << 20), &[entry()], b""), "not what 1 chunks hold"),
    ];
    for (file, said) in rows {
        assert!(refused(&file).contains(said), "{said}: {}", refused(&file));
    }
}

#[test]
fn hostile_names_and_needs_are_refused() {
    let good = metadata(4096);
    let rows = [
        ("\"ngforge\"", "\"\"", "`appliance` is not 1 to 128 printable"),
        ("\"14.3\"", "\"\\u001b[2J\"", "`release` is not 1 to 128 printable"),
        ("\"0123abcd\"", &format!("\"{}\"", "a".repeat(129)), "`build` is not"),
        ("\"disk\":1", "\"disk\":1,\"moon\":\"full\"", "unknown field `moon`"),
        ("\"disk\":1", "\"disk\":-1", "its metadata is wrong"),
    ];
    for (from, to, said) in rows {
        let file = crafted(&good.replace(from, to), &[entry()], b"");
        assert!(refused(&file).contains(said), "{said}: {}", refused(&file));
    }
}

#[test]
fn hostile_chunks_are_refused() {
    let plain = vec![9; 4096];
    let packed = compress_to_vec(&plain, 6);
    let bomb = compress_to_vec(&vec![0; 64 << 20], 9);
    let short = compress_to_vec(&plain[..4095], 6);
    let huge = (MOST_STORED as u32 + 1, [0; 32], [0; 32]);
    let rows: [(Vec<u8>, &str); 8] = [
        (one(&bomb, &plain), "it is too long"),
        (one(&short, &plain), "it is too short"),
        (
            one(&[&packed[..], b"x"].concat(), &plain),
            "something follows its stream",
        ),
        (one(&packed[..packed.len() - 1], &plain), "its stream of deflate"),
        (one(&[0xff; 40], &plain), "its stream of deflate"),
        (one(&packed, b"other"), "its contents"),
        (one(b"", &plain), "its contents"),
        (
            crafted(&metadata(4096), &[huge], &[0; 100]),
            "names 1064961 bytes of a chunk; 0 to 1064960",
        ),
    ];
    for (file, said) in rows {
        assert!(refused(&file).contains(said), "{said}: {}", refused(&file));
    }
    let followed = [&good()[..], b"\n"].concat();
    assert!(refused(&followed).contains("something follows its last chunk"));
    assert_eq!(read(&one(&packed, &plain), Trust::Keys(&public())).unwrap(), plain);
}

#[test]
fn a_source_that_fails_is_told_as_that() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the line is dead"))
        }
    }
    let error = Reader::open(Failing, Trust::Anyone).err().unwrap();
    assert_eq!(error.to_string(), "it cannot be read: the line is dead");
}

#[test]
fn keys_are_read_as_ssh_keygen_writes_them() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL5kAiC1Mp3TzFOCXqzMnuhn1CV+LAJ1K6iFrIBOxM7f me";
    let text = format!("# ours\n\n{line}\n{line}\n");
    assert_eq!(keys(&text).map(|keys| keys.len()), Ok(2));
    let rows = [
        ("ssh-ed25519 AAAA", "line 1: is no public key"),
        ("\nrubbish", "line 2: is no public key"),
        (
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc=",
            "line 1: is",
        ),
    ];
    for (text, said) in rows {
        let why = keys(text).unwrap_err();
        assert!(why.starts_with(said), "{why}");
    }
}

fn changed(at: usize, to: &[u8]) -> Vec<u8> {
    let mut file = good();
    file[at..at + to.len()].copy_from_slice(to);
    file
}

fn entry() -> (u32, [u8; 32], [u8; 32]) {
    (0, sum(b""), sum(&[0; 4096]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..3000), keep in 0..400usize) {
        let mut file = good();
        file.truncate(keep);
        file.extend(noise);
        prop_assert!(read(&file, Trust::Anyone).is_err());
    }
}
