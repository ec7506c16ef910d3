use std::ffi::{c_ulong, c_void};

use kpi::raw::malloc::{M_NOWAIT, M_WAITOK, M_ZERO, malloc_type};

use super::*;
use crate::report::testing::{Kernel, death_by};

fn temp() -> *mut malloc_type {
    (&raw mut M_TEMP).cast()
}

/// Allocates of `M_TEMP`.
fn malloc(size: usize, flags: i32) -> *mut u8 {
    // SAFETY: the type is the kernel's own.
    unsafe { hostkern_malloc(size, temp(), flags) }.cast()
}

fn free(memory: *mut u8) {
    // SAFETY: what is wrong with it is reported.
    unsafe { hostkern_free(memory.cast(), temp()) }
}

/// The bytes of an allocation.
fn content(memory: *mut u8, size: usize) -> Vec<u8> {
    // SAFETY: the tests pass live memory of the size.
    unsafe { std::slice::from_raw_parts(memory, size) }.to_vec()
}

/// Writes a byte, wherever that is.
fn poke(memory: *mut u8, offset: isize) {
    // SAFETY: none; that it is found out is what the tests are for.
    unsafe { memory.wrapping_offset(offset).write_volatile(1) }
}

/// Reads a byte, wherever that is.
fn peek(memory: *mut u8, offset: isize) -> u8 {
    // SAFETY: as in poke().
    unsafe { memory.wrapping_offset(offset).read_volatile() }
}

fn new_type() -> malloc_type {
    malloc_type {
        ks_next: std::ptr::null_mut(),
        ks_version: 2020110501,
        ks_shortdesc: c"mine".as_ptr(),
        ks_mti: [0; 88],
    }
}

/// What is used of `M_TEMP`.
fn used() -> Option<(u64, u64, u64)> {
    let usage = usage();
    let temp = usage.iter().find(|usage| usage.name == "temp")?;
    Some((temp.live, temp.bytes, temp.total))
}

#[test]
fn memory_is_as_asked_for_and_accounted() {
    for kernel in [Kernel::plain, Kernel::guarded] {
        let kernel = kernel();
        let (zeros, garbage) = (malloc(100, M_WAITOK | M_ZERO), malloc(3, M_NOWAIT));
        assert_eq!(zeros.addr() % 16, 0);
        assert_eq!(content(zeros, 100), [0; 100]);
        assert_eq!(content(garbage, 3), [0xa5; 3]);
        assert_eq!(used(), Some((2, 103, 2)));
        free(garbage);
        free(std::ptr::null_mut());
        assert_eq!(used(), Some((1, 100, 2)));
        free(zeros);
        assert_eq!(kernel.halt(), Vec::<String>::new());
    }
}

#[test]
fn halt_lists_what_is_left() {
    let kernel = Kernel::plain();
    for _ in 0..3 {
        malloc(96, M_NOWAIT);
    }
    allocate(Zone::Item, 72, false);
    assert_eq!(kernel.halt(), ["3 × 96 bytes of temp", "1 × 72 bytes of zone Item"]);
}

#[test]
fn more_blocks_than_mappings_are_possible() {
    let kernel = Kernel::guarded();
    let blocks: Vec<_> = (0..40_000).map(|_| malloc(32, M_NOWAIT)).collect();
    assert!(blocks.iter().all(|block| !block.is_null()));
    blocks.into_iter().for_each(free);
    for _ in 0..40_000 {
        free(malloc(32, M_NOWAIT));
    }
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn faults_strike_allocations() {
    let _kernel = Kernel::plain();
    faults::arm(Site::Malloc(Some("temp".to_owned())), 1, false);
    let waiting = malloc(8, M_WAITOK);
    assert!(!waiting.is_null());
    assert!(malloc(8, M_NOWAIT).is_null());
    faults::arm(Site::Zone(Some(Zone::Node)), 1, true);
    assert!(allocate(Zone::Node, 8, true).is_null());
    free(waiting);
}

#[test]
fn types_come_and_go() {
    let _kernel = Kernel::plain();
    let mut kind = new_type();
    let pointer = &raw mut kind;
    expect_version(2020110501);
    // SAFETY: the type stays until malloc_uninit.
    unsafe { malloc_init(pointer.cast()) };
    // SAFETY: the type is registered.
    unsafe { hostkern_malloc(8, pointer, M_NOWAIT) };
    // SAFETY: the pointer is compared only.
    unsafe { malloc_uninit(pointer.cast()) };
    assert_eq!(
        report::message_buffer(),
        ["malloc_uninit: 1 allocations of mine, 8 bytes, are not freed"]
    );
}

#[test]
fn hash_tables_are_powers_of_two() {
    let kernel = Kernel::plain();
    for (elements, lists) in [(1, 1), (2, 2), (3, 2), (16, 16), (31, 16)] {
        let mut mask: c_ulong = 99;
        // SAFETY: the type is the kernel's own, the mask a variable.
        let table = unsafe { hashinit(elements, temp(), &raw mut mask) };
        assert_eq!(mask, lists - 1);
        assert_eq!(content(table.cast(), 8 * lists as usize), vec![0; 8 * lists as usize]);
        // SAFETY: the table just made.
        unsafe { hashdestroy(table, temp(), mask) };
    }
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn threads_allocate_at_the_same_time() {
    let kernel = Kernel::guarded();
    let work = || (0..500).for_each(|size| free(malloc(size, M_WAITOK)));
    let threads: Vec<_> = (0..4).map(|_| crate::sync::thread::spawn(work)).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

/// A misuse: the test's name, the kind of kernel, the signal it dies of, what it does, and what the report says.
macro_rules! misuses {
    ($($name:ident($kernel:ident, $signal:expr, $work:expr) => $report:expr;)*) => {
        $(#[test]
        fn $name() {
            let report = death_by(concat!("memory::tests::", stringify!($name)), $signal, || {
                let _kernel = Kernel::$kernel();
                let work: fn() = $work;
                work();
            });
            assert!(report.contains($report), "{report}");
        })*
    };
}

misuses! {
    use_after_free_faults(guarded, libc::SIGSEGV, || { let a = malloc(40, M_NOWAIT); free(a); peek(a, 8); })
        => "use after free: 8 bytes into 40 bytes of temp";
    overrun_faults(guarded, libc::SIGSEGV, || { let a = malloc(48, M_NOWAIT); poke(a, 48) })
        => "0 bytes behind the end of 48 bytes of temp at 0x";
    small_overrun_is_found_at_free(guarded, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); poke(a, 41); free(a) })
        => "panic: a write behind the end of 40 bytes of temp";
    underrun_is_found_at_free(guarded, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); poke(a, -1); free(a) })
        => "panic: a write before the beginning of 40 bytes of temp";
    null_pointer_faults(guarded, libc::SIGSEGV, || poke(std::ptr::without_provenance_mut(16), 0))
        => "fatal trap: signal 11 at address 0x10: null pointer";
    wild_pointer_faults(guarded, libc::SIGSEGV, || poke(std::ptr::without_provenance_mut(0xffff_fe00_0000_0000), 0))
        => "which is no memory that was allocated, or freed lately";
    thread_of_its_own_faults_with_report(guarded, libc::SIGSEGV, || {
        let work = || { let a = malloc(16, M_NOWAIT); free(a); peek(a, 0) };
        let _ = std::thread::Builder::new().name("worker".to_owned()).spawn(work).expect("a thread").join();
    }) => "allocated by thread worker, freed by thread worker";
    double_free_guarded(guarded, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); free(a); free(a) })
        => "panic: double free of temp: 40 bytes of temp at 0x";
    double_free_plain(plain, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); free(a); free(a) })
        => "panic: double free of temp: 40 bytes of temp at 0x";
    free_of_the_inside(plain, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); free(a.wrapping_add(8)) })
        => ", 8 bytes into 40 bytes of temp at 0x";
    free_of_something_else(plain, libc::SIGABRT, || { let mut a = 1u8; free(&raw mut a) })
        => "which is no memory that was allocated";
    free_to_another_type(plain, libc::SIGABRT, || {
        let another = (&raw mut M_PCB).cast();
        // SAFETY: what is wrong is reported.
        unsafe { hostkern_free(malloc(40, M_NOWAIT).cast(), another) }
    }) => "panic: free of pcb, but it is 40 bytes of temp";
    release_to_another_zone(plain, libc::SIGABRT, || {
        // SAFETY: what is wrong is reported.
        unsafe { release(Zone::Hook, allocate(Zone::Node, 8, false)) }
    }) => "panic: free of zone Hook, but it is 8 bytes of zone Node";
    overrun_plain(plain, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); poke(a, 40); free(a) })
        => "panic: a write behind the end of 40 bytes of temp";
    write_after_free_is_found_at_halt(plain, libc::SIGABRT, || { let a = malloc(40, M_NOWAIT); free(a); poke(a, 3) })
        => "panic: a write after free to 40 bytes of temp";
    unregistered_type(plain, libc::SIGABRT, || {
        let mut kind = new_type();
        // SAFETY: what is wrong is reported.
        unsafe { hostkern_malloc(8, &raw mut kind, M_NOWAIT) };
    }) => "is not registered by malloc_init";
    another_release(plain, libc::SIGABRT, || {
        expect_version(2024073001);
        let kind = new_type();
        // SAFETY: what is wrong is reported.
        unsafe { malloc_init((&raw const kind).cast::<c_void>()) }
    }) => "panic: malloc_init: type mine has version 2020110501, this kernel's is 2024073001";
    type_registered_twice(plain, libc::SIGABRT, || {
        let kind = new_type();
        for _ in 0..2 {
            // SAFETY: what is wrong is reported.
            unsafe { malloc_init((&raw const kind).cast::<c_void>()) }
        }
    }) => "panic: malloc_init: type mine is registered already";
    neither_wait_nor_nowait(plain, libc::SIGABRT, || { malloc(8, M_ZERO); })
        => "neither or both of M_NOWAIT, M_WAITOK";
    hash_table_in_use(plain, libc::SIGABRT, || {
        let mut mask: c_ulong = 0;
        // SAFETY: the type is the kernel's own, the mask a variable.
        let table = unsafe { hashinit(4, temp(), &raw mut mask) };
        poke(table.cast(), 16);
        // SAFETY: the table just made.
        unsafe { hashdestroy(table, temp(), mask) }
    }) => "panic: hashdestroy: list 2 is not empty";
    fault_before_a_panic_is_told(plain, libc::SIGABRT, || {
        faults::arm(Site::Allocation, 1, false);
        malloc(8, M_NOWAIT);
        report::panic("x")
    }) => "\n  injected before: Malloc(Some(\"temp\")), in thread ";
}
