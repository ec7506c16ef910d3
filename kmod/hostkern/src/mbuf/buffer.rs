//! One mbuf: `struct mbuf` with its packet header, and the cluster behind `m_ext`.

use kpi::raw::mbuf::{M_FLAGS_SHIFT, M_PKTHDR, mbuf};

use crate::memory::{self, Zone};
use crate::report;

/// Bytes of a cluster.
const MCLBYTES: usize = 2048;
/// Bytes in an mbuf with a packet header, and without one.
const MHLEN: usize = 160;
const MLEN: usize = 224;
/// Room in front of a small packet, for a link-level header.
const MAX_LINKHDR: usize = 16;

const M_EXT: u32 = 1;
const MT_DATA: u32 = 1;
/// Flags that belong to a packet, and go to its copies: `M_PKTHDR M_EOR M_RDONLY..` less what says where bytes are:
/// `M_EOR`, `M_BCAST`, `M_MCAST`, `M_PROMISC`, `M_VLANTAG`, and the protocol's own.
const PACKET_FLAGS: u32 = 0x4 | 0x10 | 0x20 | 0x40 | 0x80 | 0x00ff_f000 & !0x2000;

// Offsets in `struct mbuf`, in bytes; the same in FreeBSD 14 and 15.
const PKTHDR: usize = 32;
const PKTHDR_SIZE: usize = 64;
const PKTHDR_TAGS: usize = PKTHDR + 16;
const PKTHDR_LEN: usize = PKTHDR + 24;
const EXT: usize = 96;
const EXT_COUNT: usize = EXT;
const EXT_SIZE: usize = EXT + 8;
const EXT_TYPE_FLAGS: usize = EXT + 12;
const EXT_BUF: usize = EXT + 16;
/// `ext_type` `EXT_CLUSTER`, `ext_flags` `EXT_FLAG_EMBREF`: the reference count is in this mbuf.
const CLUSTER: u32 = 1 | 1 << 8;

/// Whether an mbuf begins a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// It has a packet header.
    Packet,
    /// It is a later part.
    None,
}

/// An mbuf.
///
/// # Invariants
/// The pointer is to a valid mbuf.
pub(super) struct Buffer(*mut mbuf);

impl Buffer {
    /// The mbuf behind a pointer, `None` if it is null.
    ///
    /// # Safety
    /// `pointer` is a valid mbuf for as long as the value lives, or null.
    pub(super) unsafe fn at(pointer: *mut mbuf) -> Option<Self> {
        // INVARIANT: the caller says so.
        (!pointer.is_null()).then_some(Self(pointer))
    }

    /// An mbuf without bytes, with a cluster if it is to take more than fits; `room` bytes are left free in front.
    pub(super) fn allocate(head: Head, room: usize, bytes: usize) -> Option<Self> {
        let pointer = memory::allocate_garbage(Zone::Mbuf, size_of::<mbuf>(), false).cast::<mbuf>();
        // SAFETY: new memory of the size, or null; every member that is looked at is set now.
        let mut buffer = unsafe { Self::at(pointer) }?;
        buffer.clear(head);
        let inside = buffer.inside();
        if room + bytes > MHLEN {
            return buffer.add_cluster(room);
        }
        let link = if head == Head::Packet && room + bytes + MAX_LINKHDR <= MHLEN {
            MAX_LINKHDR
        } else {
            0
        };
        buffer.raw().m_data = inside.wrapping_add(room + link).cast();
        Some(buffer)
    }

    fn clear(&mut self, head: Head) {
        let raw = self.raw();
        raw.m_next = std::ptr::null_mut();
        raw.m_nextpkt = std::ptr::null_mut();
        raw.m_len = 0;
        raw.m_type_flags = MT_DATA;
        if head == Head::Packet {
            raw.m_type_flags |= M_PKTHDR << M_FLAGS_SHIFT;
            raw.m_dat[..PKTHDR_SIZE].fill(0);
        }
    }

    /// Gives the mbuf a cluster; without one, there is no mbuf either.
    fn add_cluster(mut self, room: usize) -> Option<Self> {
        let cluster = memory::allocate_garbage(Zone::Cluster, MCLBYTES, false);
        if cluster.is_null() {
            self.release();
            return None;
        }
        let raw = self.raw();
        raw.m_type_flags |= M_EXT << M_FLAGS_SHIFT;
        raw.m_data = cluster.wrapping_add(room).cast();
        self.set(EXT_COUNT, 1u32);
        self.set(EXT_SIZE, MCLBYTES as u32);
        self.set(EXT_TYPE_FLAGS, CLUSTER);
        self.set(EXT_BUF, cluster);
        Some(self)
    }

    fn raw(&mut self) -> &mut mbuf {
        // SAFETY: valid (invariant); whoever works on a chain has it alone.
        unsafe { &mut *self.0 }
    }

    /// A member at an offset.
    fn get<T: Copy>(&self, offset: usize) -> T {
        // SAFETY: the offsets of this file lie in the mbuf, which is valid (invariant), and are aligned for their types.
        unsafe { self.0.wrapping_byte_add(offset).cast::<T>().read() }
    }

    fn set<T>(&mut self, offset: usize, value: T) {
        // SAFETY: as in get().
        unsafe { self.0.wrapping_byte_add(offset).cast::<T>().write(value) }
    }

    fn flags(&self) -> u32 {
        // SAFETY: valid (invariant).
        unsafe { (*self.0).m_type_flags >> M_FLAGS_SHIFT }
    }

    pub(super) fn next(&self) -> *const mbuf {
        // SAFETY: valid (invariant).
        unsafe { (*self.0).m_next }
    }

    /// Where the bytes inside the mbuf begin.
    fn inside(&self) -> *mut u8 {
        let header = if self.flags() & M_PKTHDR == 0 { 0 } else { PKTHDR_SIZE };
        self.0.wrapping_byte_add(PKTHDR + header).cast()
    }

    /// The bytes there is room for, wherever they begin: the first, and how many.
    fn room(&self) -> (*mut u8, usize) {
        if self.flags() & M_EXT != 0 {
            return (self.get(EXT_BUF), self.cluster_size());
        }
        let size = if self.flags() & M_PKTHDR == 0 { MLEN } else { MHLEN };
        (self.inside(), size)
    }

    /// Bytes of the cluster, 0 without one.
    pub(super) fn cluster_size(&self) -> usize {
        if self.flags() & M_EXT == 0 {
            0
        } else {
            self.get::<u32>(EXT_SIZE) as usize
        }
    }

    /// The bytes of this mbuf; panics if they lie outside of its room.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: valid (invariant).
        let raw = unsafe { &*self.0 };
        let (data, length) = (raw.m_data, raw.m_len);
        let (first, size) = self.room();
        let offset = data.addr().wrapping_sub(first.addr());
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if offset.checked_add(length).is_none_or(|end| end > size) {
            report::panic(&format!(
                "mbuf {:p}: {length} bytes at {data:p} lie outside of it",
                self.0
            ));
        }
        // SAFETY: inside the mbuf or its cluster, as just checked.
        unsafe { std::slice::from_raw_parts(data.cast(), length) }
    }

    /// Appends what fits; returns the rest.
    pub(super) fn append<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (first, size) = self.room();
        let raw = self.raw();
        let length = raw.m_len as usize;
        let begin = raw.m_data.cast::<u8>().wrapping_add(length);
        let (now, later) = bytes.split_at(bytes.len().min(first.addr() + size - begin.addr()));
        // SAFETY: from the end of the bytes to at most the end of the room.
        unsafe { begin.copy_from_nonoverlapping(now.as_ptr(), now.len()) };
        raw.m_len = (length + now.len()) as i32;
        later
    }

    pub(super) fn set_next(&mut self, next: &Self) {
        self.raw().m_next = next.0;
    }

    /// Sets `m_pkthdr.len`; the mbuf has a packet header.
    pub(super) fn set_packet_length(&mut self, length: usize) {
        self.set(PKTHDR_LEN, i32::try_from(length).unwrap_or(i32::MAX));
    }

    /// Sets `m_pkthdr.rcvif`; the mbuf has a packet header.
    pub(super) fn set_interface(&mut self, interface: *mut std::ffi::c_void) {
        self.set(PKTHDR + 8, interface);
    }

    /// Takes over the packet header and the packet's flags of another mbuf, but for its tags, which have one owner.
    pub(super) fn copy_header(&mut self, from: &Self) {
        if from.flags() & M_PKTHDR == 0 {
            report::panic(&format!(
                "mbuf {:p} without a packet header is to be copied as a packet",
                from.0
            ));
        }
        self.set(PKTHDR, from.get::<[u8; PKTHDR_SIZE]>(PKTHDR));
        self.set(PKTHDR_TAGS, std::ptr::null_mut::<u8>());
        self.raw().m_type_flags |= (from.flags() & PACKET_FLAGS) << M_FLAGS_SHIFT;
    }

    /// Gives the mbuf and its cluster back.
    pub(super) fn release(self) {
        if self.flags() & M_EXT != 0 {
            // SAFETY: the cluster is this mbuf's alone.
            unsafe { memory::release(Zone::Cluster, self.get(EXT_BUF)) };
        }
        // SAFETY: whoever releases an mbuf has it alone.
        unsafe { memory::release(Zone::Mbuf, self.0.cast()) };
    }

    /// Another value for the same mbuf.
    pub(super) fn alias(&self) -> Self {
        // INVARIANT: as self's.
        Self(self.0)
    }

    pub(super) fn into_raw(self) -> *mut mbuf {
        self.0
    }
}
