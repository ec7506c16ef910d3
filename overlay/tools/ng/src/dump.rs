//! Bytes for people, in the form of ngctl(8) and nghook(8).

use std::fmt::Write;

/// Sixteen bytes a line: offset, hexadecimal, ASCII.
pub fn lines(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (number, row) in bytes.chunks(16).enumerate() {
        let hex: String = row.iter().map(|byte| format!("{byte:02x} ")).collect();
        let ascii: String = row.iter().map(|&byte| printable(byte)).collect();
        let _ = writeln!(text, "{:04x}:  {hex:48} {ascii:16}", number * 16);
    }
    text
}

/// All bytes in hexadecimal, without spaces.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn printable(byte: u8) -> char {
    if byte == b' ' || byte.is_ascii_graphic() {
        char::from(byte)
    } else {
        '.'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_sixteen_bytes() {
        let text = lines(b"hello, netgraph!\x01\xff");
        let expected = "0000:  68 65 6c 6c 6f 2c 20 6e 65 74 67 72 61 70 68 21  hello, netgraph!\n\
                        0010:  01 ff                                            ..              \n";
        assert_eq!(text, expected);
        assert_eq!(hex(&[1, 255]), "01ff");
    }
}
