//! Layouts of fixed fields: what control messages carry as arguments.

use super::Malformed;

/// Text in a field of `SIZE` bytes, cut to fit, with zeros behind it, at least one: how messages carry names
/// (netgraph/ng_message.h, `NG_HOOKSIZ` and the like, 32 each).
///
/// ```
/// assert_eq!(netgraph::padded::<8>("left"), *b"left\0\0\0\0");
/// ```
#[must_use]
pub fn padded<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let mut field = [0; SIZE];
    let length = text.len().min(SIZE.saturating_sub(1));
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
    field
}

/// Text up to the first zero, or to the end; what is no UTF-8 is replaced.
#[must_use]
pub fn until_zero(bytes: &[u8]) -> String {
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    match str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Reads one field after another, in the order of a C structure, and never past the end.
///
/// Numbers are in the host's byte order, as the kernel has them, unless a method's name says otherwise. Nothing is skipped
/// for alignment: what a structure has as padding is to be [taken](Self::take).
///
/// ```
/// # fn main() -> Result<(), netgraph::Malformed> {
/// let bytes = [5u32.to_ne_bytes(), *b"ab\0\0"].concat();
/// let mut reader = netgraph::Reader::new("an example", &bytes);
/// assert_eq!(reader.u32()?, 5);
/// assert_eq!(reader.text::<4>()?, "ab");
/// assert!(reader.u8().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Reads these bytes; errors call them `what`.
    #[must_use]
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            what,
            bytes,
            position: 0,
        }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// There are fewer: [`Malformed::Short`].
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.position.saturating_add(count);
        let Some(part) = self.bytes.get(self.position..end) else {
            return Err(Malformed::Short {
                what: self.what,
                expected: end,
                received: self.bytes.len(),
            });
        };
        self.position = end;
        Ok(part)
    }

    fn array<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], Malformed> {
        let mut field = [0; SIZE];
        field.copy_from_slice(self.take(SIZE)?);
        Ok(field)
    }

    /// An `u_int8_t`.
    ///
    /// # Errors
    /// There is none left.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_ne_bytes)
    }

    /// An `u_int16_t`.
    ///
    /// # Errors
    /// There are fewer than 2 bytes left.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_ne_bytes)
    }

    /// An `u_int32_t`.
    ///
    /// # Errors
    /// There are fewer than 4 bytes left.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_ne_bytes)
    }

    /// An `u_int64_t`.
    ///
    /// # Errors
    /// There are fewer than 8 bytes left.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_ne_bytes)
    }

    /// 4 bytes, little-endian on every host.
    ///
    /// # Errors
    /// There are fewer than 4 bytes left.
    pub fn u32_le(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// 8 bytes, little-endian on every host.
    ///
    /// # Errors
    /// There are fewer than 8 bytes left.
    pub fn u64_le(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// Text in a field of `SIZE` bytes, up to its first zero.
    ///
    /// # Errors
    /// There are fewer than `SIZE` bytes left.
    pub fn text<const SIZE: usize>(&mut self) -> Result<String, Malformed> {
        self.take(SIZE).map(until_zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_still_terminated() {
        assert_eq!(padded::<4>("abcdef"), *b"abc\0");
        assert_eq!(padded::<0>("a"), []);
    }

    #[test]
    fn numbers_have_the_order_that_is_asked_for() {
        let bytes: Vec<u8> = (1..=12).collect();
        let mut reader = Reader::new("numbers", &bytes);
        assert_eq!(reader.clone().u32_le(), Ok(0x0403_0201));
        assert_eq!(reader.u32(), Ok(u32::from_ne_bytes([1, 2, 3, 4])));
        assert_eq!(reader.u64_le(), Ok(0x0c0b_0a09_0807_0605));
        let short = Malformed::Short {
            what: "numbers",
            expected: 14,
            received: 12,
        };
        assert_eq!(reader.u16(), Err(short));
    }
}
