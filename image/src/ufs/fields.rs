//! Little-endian fields at fixed offsets.

/// A record under construction.
pub struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// A record of `len` zero bytes.
    pub fn zeroed(len: usize) -> Self {
        Self { bytes: vec![0; len] }
    }

    /// Puts a 32-bit value at `at`.
    pub fn u32(&mut self, at: usize, value: u32) -> &mut Self {
        self.slice(at, &value.to_le_bytes())
    }

    /// Puts a 64-bit value at `at`.
    pub fn u64(&mut self, at: usize, value: u64) -> &mut Self {
        self.slice(at, &value.to_le_bytes())
    }

    /// Puts a 16-bit value at `at`.
    pub fn u16(&mut self, at: usize, value: u16) -> &mut Self {
        self.slice(at, &value.to_le_bytes())
    }

    /// Puts bytes at `at`.
    pub fn slice(&mut self, at: usize, value: &[u8]) -> &mut Self {
        self.bytes[at..at + value.len()].copy_from_slice(value);
        self
    }

    /// Sets bit `bit` of the map at `at`.
    pub fn bit(&mut self, at: usize, bit: usize) {
        self.bytes[at + bit / 8] |= 1 << (bit % 8);
    }

    /// Adds one to the 32-bit counter at `at`.
    pub fn count(&mut self, at: usize) {
        let mut value = [0; 4];
        value.copy_from_slice(&self.bytes[at..at + 4]);
        self.u32(at, u32::from_le_bytes(value) + 1);
    }

    /// The record as it is.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Puts the check hash of the whole record, taken while the hash field is zero, at `at`.
    pub fn seal(mut self, at: usize) -> Vec<u8> {
        self.u32(at, 0);
        let hash = check_hash(&self.bytes);
        self.u32(at, hash);
        self.bytes
    }
}

/// UFS check hash: CRC-32C from all ones, without the final inversion (`calculate_crc32c(~0, ...)`).
pub fn check_hash(bytes: &[u8]) -> u32 {
    !crc32c::crc32c(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_hash_is_the_uninverted_castagnoli_crc() {
        // CRC-32C of "123456789" is e3069283.
        assert_eq!(check_hash(b"123456789"), !0xe306_9283);
    }
}
