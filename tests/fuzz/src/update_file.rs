//! Update files: arbitrary bytes, and files with right sums whose parts are arbitrary or spoilt.

use std::io::Cursor;

use arbitrary::{Arbitrary, Result, Unstructured};
use sha2::{Digest, Sha256};
use update::file::{About, CHUNK, MAGIC, Needs, Reader, Trust, VERSION, Writer, pack};

/// How a file comes about.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Way {
    /// The bytes as they are.
    Raw,
    /// Arbitrary metadata and chunks below a header that fits.
    Crafted,
    /// A good file with some bytes changed.
    Spoilt,
}

/// No file makes the reader give out anything but chunks in order, with the right sums, of the announced size.
pub fn execute(input: &[u8]) {
    let mut u = Unstructured::new(input);
    let file = match u.arbitrary() {
        Ok(Way::Raw) => Ok(u.take_rest().to_vec()),
        Ok(Way::Crafted) => crafted(&mut u),
        Ok(Way::Spoilt) => spoilt(&mut u),
        Err(error) => Err(error),
    };
    if let Ok(file) = file {
        read(&file);
    }
}

fn read(file: &[u8]) {
    assert!(
        Reader::open(file, Trust::Keys(&[[9; 32]])).is_err(),
        "nobody signed this"
    );
    let Ok(mut reader) = Reader::open(file, Trust::Anyone) else {
        return;
    };
    let size = reader.header().about.slot_bytes;
    let mut end = 0;
    loop {
        match reader.next_chunk() {
            Ok(Some(chunk)) => {
                assert_eq!(chunk.at, end);
                assert_eq!(Sha256::digest(chunk.bytes)[..], chunk.sum);
                end += chunk.bytes.len() as u64;
                assert!(end <= size && chunk.bytes.len() <= CHUNK);
            }
            Ok(None) => {
                assert_eq!(end, size);
                return;
            }
            Err(_) => return,
        }
    }
}

fn about(slot_bytes: u64) -> About {
    About {
        appliance: "x".into(),
        release: "14.3".into(),
        build: "b".into(),
        slot_bytes,
        needs: Needs {
            disk: 1,
            machine: "amd64".into(),
        },
    }
}

fn crafted(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let metadata = match u.arbitrary()? {
        true => u.arbitrary::<Vec<u8>>()?,
        false => serde_json::to_vec(&about(u.int_in_range(0..=8_u64)? * 512)).unwrap_or_default(),
    };
    let stored: Vec<Vec<u8>> = (0..u.int_in_range(0..=2)?)
        .map(|_| u.arbitrary())
        .collect::<Result<_>>()?;
    let mut file = MAGIC.to_vec();
    for number in [VERSION, metadata.len() as u32, stored.len() as u32] {
        file.extend(number.to_le_bytes());
    }
    file.extend(&metadata);
    for chunk in &stored {
        file.extend((chunk.len() as u32).to_le_bytes());
        file.extend(Sha256::digest(chunk));
        file.extend(u.arbitrary::<[u8; 32]>()?);
    }
    file.extend([0; 96]);
    file.extend(stored.concat());
    Ok(file)
}

fn spoilt(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let most = u.len().clamp(1, 600);
    let len = u.int_in_range(1..=most)?.min(u.len());
    let plain = u.bytes(len)?;
    let mut contents = plain.to_vec();
    contents.resize(plain.len().max(1).next_multiple_of(512), 0);
    let writer = Writer::new(Cursor::new(Vec::new()), about(contents.len() as u64));
    let mut writer = writer.expect("this header is right");
    writer.add(pack(&contents)).expect("memory can be written");
    let mut file = writer.finish(None).expect("all chunks are there").into_inner();
    for _ in 0..u.int_in_range(0..=4)? {
        let at = u.int_in_range(0..=file.len() - 1)?;
        file[at] = u.arbitrary()?;
    }
    if u.ratio(1, 4)? {
        file.truncate(u.int_in_range(0..=file.len())?);
    }
    Ok(file)
}
