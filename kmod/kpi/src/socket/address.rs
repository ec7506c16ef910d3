//! `struct sockaddr_ng`: what processes pass in, and what they get.

use crate::netgraph::{HookName, NodeName};
use crate::raw::socketvar::{AF_NETGRAPH, sockaddr};

/// The longest address a `sockaddr` can carry, without its two bytes of head.
const LONGEST: usize = 253;

/// An address that a process passed in: up to 253 bytes, of which those before the first NUL count.
pub struct Address<'a> {
    data: &'a [u8],
}

impl<'a> Address<'a> {
    /// Looks at a socket address; `None` for a null pointer.
    ///
    /// # Safety
    /// `pointer` is null, or an address whose `sa_len` bytes are readable while `'a` lasts, as those from the system
    /// calls are.
    pub(crate) unsafe fn new(pointer: *const sockaddr) -> Option<Self> {
        if pointer.is_null() {
            return None;
        }
        // SAFETY: every socket address has its length at its beginning.
        let length = usize::from(unsafe { (*pointer).sa_len });
        let head = size_of::<sockaddr>();
        let data = pointer.cast::<u8>().wrapping_add(head);
        // SAFETY: sa_len bytes are readable (caller), the head among them.
        let data = unsafe { core::slice::from_raw_parts(data, length.saturating_sub(head)) };
        Some(Self { data })
    }

    /// An address of these bytes, as a process would have passed them.
    #[cfg(test)]
    fn of(data: &'a [u8]) -> Self {
        Self { data }
    }

    /// Everything behind the head.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The bytes before the first NUL, or all of them.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.data.split(|byte| *byte == 0).next().unwrap_or(&[])
    }

    /// Whether a NUL ends the text.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.data.contains(&0)
    }

    /// The text, copied and terminated.
    #[must_use]
    pub fn path(&self) -> Path {
        let mut bytes = [0; LONGEST + 1];
        for (place, byte) in bytes.iter_mut().take(LONGEST).zip(self.text()) {
            *place = *byte;
        }
        Path(bytes)
    }
}

/// A path of up to 253 bytes and its NUL.
pub struct Path([u8; LONGEST + 1]);

impl Path {
    /// The path as C wants it.
    #[must_use]
    pub fn as_c_str(&self) -> &core::ffi::CStr {
        core::ffi::CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

/// An address of our own making, big enough for any node or hook name.
#[repr(C)]
pub struct OwnAddress {
    len: u8,
    family: u8,
    data: [u8; 32],
}

const _: () = assert!(size_of::<OwnAddress>() == OwnAddress::FULL_LENGTH as usize);

impl OwnAddress {
    /// How long the addresses are that receivers of control messages see: `sizeof(struct sockaddr_ng)`.
    #[cfg(not(feature = "freebsd15"))]
    pub const CONTROL_LENGTH: u8 = 16;
    /// How long the addresses are that receivers of control messages see: `sizeof(struct sockaddr_ng)`.
    #[cfg(feature = "freebsd15")]
    pub const CONTROL_LENGTH: u8 = 34;
    /// How long the addresses are that getsockname(2) returns.
    pub const FULL_LENGTH: u8 = 34;

    const fn with(data: [u8; 32], len: u8) -> Self {
        Self {
            len,
            family: AF_NETGRAPH,
            data,
        }
    }

    /// The hook a packet came in by; as long as the name needs.
    #[must_use]
    pub fn of_hook(name: &HookName) -> Self {
        let length = u8::try_from(name.len()).unwrap_or(31);
        Self::with(name.field(), length.saturating_add(3))
    }

    /// The node a message came from: `[id]:`.
    #[must_use]
    pub fn of_sender(id: u32) -> Self {
        Self::with(bracketed(id, b"]:"), Self::CONTROL_LENGTH)
    }

    /// A node's own name, for getsockname(2).
    #[must_use]
    pub const fn of_name(name: &NodeName) -> Self {
        Self::with(name.field(), Self::FULL_LENGTH)
    }

    /// The address of a node without a name, for getsockname(2): `[id]`.
    #[must_use]
    pub fn of_id(id: u32) -> Self {
        Self::with(bracketed(id, b"]"), Self::FULL_LENGTH)
    }

    pub(crate) const fn as_sockaddr(&self) -> *const sockaddr {
        core::ptr::from_ref(self).cast()
    }
}

/// `[`, the ID in lower-case hexadecimal without leading zeros, as netgraph writes and reads IDs, and `end`.
fn bracketed(id: u32, end: &[u8]) -> [u8; 32] {
    let mut text = [0; 32];
    let mut places = text.iter_mut();
    let mut put = |byte| {
        if let Some(place) = places.next() {
            *place = byte;
        }
    };
    put(b'[');
    let digits = (8 - id.leading_zeros() / 4).clamp(1, 8);
    for place in (0..digits).rev() {
        let value = (id >> (4 * place)) as u8 & 0xf;
        put(if value < 10 { b'0' + value } else { b'a' + (value - 10) });
    }
    for byte in end {
        put(*byte);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &OwnAddress) -> &[u8] {
        address.data.split(|byte| *byte == 0).next().unwrap_or(&[])
    }

    #[test]
    fn senders_are_written_as_netgraph_reads_them() {
        for (id, expected) in [
            (1, &b"[1]:"[..]),
            (0x1f, b"[1f]:"),
            (0xffff_ffff, b"[ffffffff]:"),
            (0x10, b"[10]:"),
        ] {
            let address = OwnAddress::of_sender(id);
            assert_eq!(text(&address), expected);
            assert_eq!(address.len, OwnAddress::CONTROL_LENGTH);
        }
    }

    #[test]
    fn hooks_take_the_room_they_need() {
        let address = OwnAddress::of_hook(&HookName::new(b"left2right").expect("a short name"));
        assert_eq!((address.len, address.family), (13, 32));
        assert_eq!(text(&address), b"left2right");
        let longest = HookName::new(&[b'x'; 31]).expect("31 bytes fit");
        assert_eq!(OwnAddress::of_hook(&longest).len, 34);
    }

    #[test]
    fn an_address_ends_at_its_nul_or_its_length() {
        assert_eq!(Address::of(b"br0:\0junk").text(), b"br0:");
        assert!(Address::of(b"br0:\0").is_terminated());
        assert_eq!(Address::of(b"br0:").text(), b"br0:");
        assert!(!Address::of(b"br0:").is_terminated());
        assert_eq!(Address::of(b"").path().as_c_str(), c"");
        assert_eq!(Address::of(&[b'a'; 253]).path().as_c_str().to_bytes().len(), 253);
    }
}
