use std::ffi::c_char;

use super::*;
use crate::faults::{self, Site};
use crate::memory::{Zone, usage};
use crate::report::testing::{Kernel, death};

/// `length` bytes, none like its neighbour.
fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

fn devget(bytes: &[u8], offset: i32) -> *mut mbuf {
    let length = i32::try_from(bytes.len()).expect("a short sample");
    let buffer = bytes.as_ptr().cast_mut().cast::<c_char>();
    // SAFETY: the buffer has as many bytes.
    unsafe { m_devget(buffer, length, offset, std::ptr::null_mut(), None) }
}

/// The length of each mbuf of a chain.
fn lengths(chain: *const mbuf) -> Vec<usize> {
    // SAFETY: the tests pass valid chains.
    unsafe { Chain::new(chain) }
        .map(|buffer| buffer.bytes().len())
        .collect()
}

/// `m_pkthdr.len`, where FreeBSD has it.
fn packet_length(chain: *const mbuf) -> i32 {
    // SAFETY: the tests pass packets.
    unsafe { chain.wrapping_byte_add(56).cast::<i32>().read() }
}

fn free_all(chain: *mut mbuf) {
    // SAFETY: the tests have the chain alone.
    unsafe { m_freem(chain) }
}

#[test]
fn packets_hold_their_bytes() {
    for kernel in [Kernel::plain, Kernel::guarded] {
        let kernel = kernel();
        for length in [0, 1, 144, 145, 160, 161, 2048, 2049, 2300, 9000] {
            let packet = packet(&sample(length));
            // SAFETY: the packet is valid.
            assert_eq!(unsafe { bytes(packet) }, sample(length));
            // SAFETY: the packet is valid.
            assert_eq!(unsafe { super::length(packet) }, length);
            assert_eq!(packet_length(packet), length as i32);
            free_all(packet);
        }
        assert_eq!(kernel.halt(), Vec::<String>::new());
    }
}

#[test]
fn chain_and_charge_are_those_of_freebsd() {
    let _kernel = Kernel::plain();
    let cases: [(usize, i32, &[usize], usize); 6] = [
        (160, 0, &[160], 256),
        (161, 0, &[161], 2304),
        (160, 1, &[160], 2304),
        (2049, 0, &[2048, 1], 2560),
        (2100, 100, &[1948, 152], 2560),
        (2300, 0, &[2048, 252], 4608),
    ];
    for (length, offset, chain, expected) in cases {
        let packet = devget(&sample(length), offset);
        assert_eq!(lengths(packet), chain, "{length} bytes at {offset}");
        // SAFETY: the packet is valid.
        assert_eq!(unsafe { charge(packet) }, expected, "{length} bytes at {offset}");
        free_all(packet);
    }
}

#[test]
fn devget_of_nothing_is_null() {
    let _kernel = Kernel::plain();
    assert!(devget(&[], 0).is_null());
    assert!(devget(&[1], -1).is_null());
    assert!(devget(&[1], 161).is_null());
}

#[test]
fn copydata_crosses_mbufs() {
    let _kernel = Kernel::plain();
    let packet = packet(&sample(2300));
    let mut to = [0u8; 20];
    // SAFETY: there is room for as many bytes.
    unsafe { m_copydata(packet, 2040, 20, to.as_mut_ptr().cast()) };
    assert_eq!(to, sample(2300)[2040..2060]);
    free_all(packet);
}

#[test]
fn copy_is_independent_and_keeps_the_packet_flags() {
    let kernel = Kernel::plain();
    let original = packet(&sample(3000));
    const M_BCAST: u32 = 0x10;
    // SAFETY: the packet is valid, and ours.
    unsafe { (*original).m_type_flags |= M_BCAST << 8 };
    // SAFETY: the packet is valid.
    let copy = unsafe { copy(original) };
    free_all(original);
    // SAFETY: the copy is valid.
    assert_eq!(unsafe { bytes(copy) }, sample(3000));
    // SAFETY: the copy is valid.
    assert_eq!(unsafe { (*copy).m_type_flags } >> 8, M_BCAST | 2 | 1);
    assert_eq!(packet_length(copy), 3000);
    free_all(copy);
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn failure_of_any_part_leaves_nothing() {
    let kernel = Kernel::plain();
    for nth in 1..=4 {
        faults::arm(Site::Allocation, nth, false);
        assert!(packet(&sample(2300)).is_null());
        assert!(faults::disarm());
    }
    let total = |name: &str| {
        usage()
            .into_iter()
            .find(|usage| usage.name == name)
            .map_or(0, |usage| usage.total)
    };
    assert_eq!((total("Mbuf"), total("Cluster")), (4, 2));
    faults::arm(Site::Zone(Some(Zone::Cluster)), 1, false);
    assert!(packet(&sample(200)).is_null());
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn free_takes_one() {
    let _kernel = Kernel::plain();
    let packet = packet(&sample(2100));
    // SAFETY: the mbuf is ours.
    let rest = unsafe { m_free(packet) };
    assert_eq!(lengths(rest), [52]);
    free_all(rest);
}

/// A misuse: the test's name, what it does, and what the report says.
macro_rules! misuses {
    ($($name:ident($work:expr) => $report:expr;)*) => {
        $(#[test]
        fn $name() {
            let report = death(concat!("mbuf::tests::", stringify!($name)), || {
                let _kernel = Kernel::plain();
                let work: fn() = $work;
                work();
            });
            assert!(report.contains($report), "{report}");
        })*
    };
}

misuses! {
    double_free(|| { let packet = packet(&[1]); free_all(packet); free_all(packet) })
        => "panic: ";
    copydata_behind_the_end(|| {
        let mut to = [0u8; 4];
        // SAFETY: what is wrong is reported.
        unsafe { m_copydata(packet(&[1, 2, 3]), 1, 4, to.as_mut_ptr().cast()) }
    }) => "panic: m_copydata: the chain ends 2 bytes too early";
    bytes_outside(|| {
        let packet = packet(&[1]);
        // SAFETY: the packet is valid, and ours.
        unsafe { (*packet).m_len = 200 };
        // SAFETY: what is wrong is reported.
        unsafe { length(packet) };
    }) => "lie outside of it";
    copy_without_header(|| {
        let packet = packet(&[1]);
        // SAFETY: the packet is valid, and ours.
        unsafe { (*packet).m_type_flags = 1 };
        // SAFETY: the inside begins earlier now, so that the bytes lie inside.
        unsafe { copy(packet) };
    }) => "without a packet header is to be copied as a packet";
}
