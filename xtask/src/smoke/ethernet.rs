//! Ethernet frames as tests write them.

use serde::Deserialize;

/// The shortest frame on a wire, without its checksum.
const SHORTEST: usize = 60;
/// Addresses and type.
const HEADER: usize = 14;
/// The longest frame without a VLAN tag.
const LONGEST: usize = 1514;

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Frame {
    /// Its bytes without the checksum, filled up to the length asked for, or the shortest.
    pub bytes: Vec<u8>,
}

/// What a test may write: either all bytes in hexadecimal, or the parts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    hex: Option<String>,
    to: Option<String>,
    from: Option<String>,
    #[serde(rename = "type")]
    ethertype: Option<u16>,
    payload: Option<String>,
    length: Option<usize>,
}

impl TryFrom<Written> for Frame {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let mut bytes = match &written.hex {
            Some(hex) => from_hex(hex)?,
            None => written.assemble()?,
        };
        if !(HEADER..=LONGEST).contains(&bytes.len()) {
            return Err(format!(
                "a frame has {HEADER} to {LONGEST} bytes: this one has {} (at least 14 bytes make the header)",
                bytes.len()
            ));
        }
        let length = written.length.unwrap_or(SHORTEST);
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(format!("length: {length} is not between {SHORTEST} and {LONGEST}"));
        }
        bytes.resize(bytes.len().max(length), 0);
        Ok(Self { bytes })
    }
}

impl Written {
    fn assemble(&self) -> Result<Vec<u8>, String> {
        let (Some(to), Some(from), Some(ethertype)) = (&self.to, &self.from, self.ethertype) else {
            return Err("a frame needs `hex`, or `to`, `from` and `type`".into());
        };
        let mut bytes = Vec::new();
        bytes.extend(address(to)?);
        bytes.extend(address(from)?);
        bytes.extend(ethertype.to_be_bytes());
        bytes.extend(self.payload.as_deref().unwrap_or_default().bytes());
        Ok(bytes)
    }
}

fn address(text: &str) -> Result<[u8; 6], String> {
    if text == "broadcast" {
        return Ok([0xff; 6]);
    }
    let bytes: Option<Vec<u8>> = text.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
    let array = bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
    array.ok_or_else(|| {
        format!("`{text}` is not an Ethernet address: it needs the form 02:00:00:00:00:01, or `broadcast`")
    })
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()),
        Some(_) => Err("`hex` has an odd number of digits".into()),
        None => Err("`hex` holds something that is not a hexadecimal digit".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Result<Frame, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn parts_and_hexadecimal_give_the_same_frame() {
        let parts = frame("{to: broadcast, from: '02:00:00:00:00:0a', type: 0x88b5, payload: hi}").unwrap();
        let hex = frame("{hex: 'ff:ff:ff:ff:ff:ff 02000000000a 88b5 6869'}").unwrap();
        assert_eq!(parts, hex);
        assert_eq!(parts.bytes.len(), SHORTEST);
        assert_eq!(
            parts.bytes[..16],
            *b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0a\x88\xb5hi"
        );
    }

    #[test]
    fn a_frame_is_filled_up_to_its_length() {
        let frame = frame("{hex: 'ffffffffffff02000000000188b5', length: 1514}").unwrap();
        assert_eq!(frame.bytes.len(), 1514);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let long = format!("{{hex: '{}'}}", "00".repeat(LONGEST + 1));
        let cases = [
            ("{}", "needs `hex`, or"),
            ("{hex: '0'}", "odd number"),
            ("{hex: 'xy'}", "not a hexadecimal digit"),
            ("{to: x, from: broadcast, type: 1}", "`x` is not an Ethernet address"),
            ("{hex: '00', vlan: 3}", "unknown field `vlan`"),
            ("{hex: 'ffffffffffff02000000000188b5', length: 59}", "length: 59"),
            (long.as_str(), "this one has 1515"),
        ];
        for (text, expected) in cases {
            let error = frame(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
