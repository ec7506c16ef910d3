//! Ids that image formats want to be random, derived from what the disk holds: the same disk has the same ids, and one
//! that differs anywhere has others.

use sha2::{Digest, Sha256};

use super::plan::Extent;

/// Where a disk's ids come from.
#[derive(Debug, Clone, Copy)]
pub struct Ids([u8; 32]);

impl Ids {
    /// For a disk of `size` bytes that holds `extents`.
    pub fn new(size: u64, extents: &[Extent]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(size.to_be_bytes());
        for extent in extents {
            hasher.update(extent.to_bytes());
        }
        Self(hasher.finalize().into())
    }

    /// A UUID (RFC 9562, version 8) for one purpose, in network byte order.
    pub fn uuid(&self, purpose: &str) -> [u8; 16] {
        let hash = Sha256::new().chain_update(self.0).chain_update(purpose).finalize();
        let mut uuid = [0; 16];
        uuid.copy_from_slice(&hash[..16]);
        uuid[6] = uuid[6] & 0x0f | 0x80;
        uuid[8] = uuid[8] & 0x3f | 0x80;
        uuid
    }

    /// The same as Windows stores it: the first three fields with their lowest byte first.
    pub fn guid(&self, purpose: &str) -> [u8; 16] {
        mixed(self.uuid(purpose))
    }

    /// A number that is neither 0 nor all ones.
    pub fn number(&self, purpose: &str) -> u32 {
        let uuid = self.uuid(purpose);
        u32::from_be_bytes([uuid[0], uuid[1], uuid[2], uuid[3]]).clamp(1, u32::MAX - 1)
    }
}

/// A UUID in network byte order as Windows stores it.
pub const fn mixed(uuid: [u8; 16]) -> [u8; 16] {
    let u = uuid;
    [
        u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_disk_and_the_purpose() {
        let (one, other) = (Ids::new(1, &[]), Ids::new(2, &[]));
        assert_eq!(one.uuid("a"), Ids::new(1, &[]).uuid("a"));
        assert_ne!(one.uuid("a"), one.uuid("b"));
        assert_ne!(one.uuid("a"), other.uuid("a"));
        assert_eq!((one.uuid("a")[6] >> 4, one.uuid("a")[8] >> 6), (8, 2));
    }

    #[test]
    fn windows_turns_three_fields_round() {
        let uuid = std::array::from_fn(|at| at as u8);
        assert_eq!(mixed(uuid), [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]);
    }
}
