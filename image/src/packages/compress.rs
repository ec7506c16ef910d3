//! The compression of a package or catalogue: whatever its first bytes say, as for tar(1).

use std::io::{self, BufReader, Read};

use liblzma::stream::Stream;

/// Memory that a decoder may take, in bytes; also the largest window of zstd, as a power of two.
const MEMORY_LIMIT: u64 = 160 << 20;
const WINDOW_LOG: u32 = 27;
/// Bytes read at a time.
const BUFFER: usize = 256 * 1024;
/// Bytes that tell one compression from the other.
const MAGIC: usize = 6;

/// Reads what `compressed` holds: zstd, xz, gzip, bzip2, or plain tar (pkg-repository(5), `packing_format`).
///
/// # Errors
/// `compressed` cannot be read, or the decoder cannot be set up.
pub fn open<'a>(mut compressed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut magic = [0; MAGIC];
    let mut len = 0;
    while len < MAGIC {
        match compressed.read(&mut magic[len..])? {
            0 => break,
            count => len += count,
        }
    }
    let whole = io::Cursor::new(magic[..len].to_vec()).chain(compressed);
    let whole = BufReader::with_capacity(BUFFER, whole);
    Ok(match &magic[..len] {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::Decoder::with_buffer(whole)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(decoder)
        }
        b"\xfd7zXZ\0" => {
            let stream = Stream::new_auto_decoder(MEMORY_LIMIT, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(whole, stream))
        }
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(whole)),
        _ => Box::new(whole),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text(compressed: &[u8]) -> String {
        let mut text = String::new();
        open(compressed).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn every_compression_is_known_by_its_first_bytes() {
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(b"words").unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"words").unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(b"words").unwrap();
        let zstd = zstd::encode_all(&b"words"[..], 1).unwrap();
        for compressed in [
            xz.finish().unwrap(),
            gzip.finish().unwrap(),
            bzip2.finish().unwrap(),
            zstd,
        ] {
            assert_eq!(text(&compressed), "words");
        }
        assert_eq!(text(b"words"), "words");
        assert_eq!(text(b"w"), "w");
    }
}
