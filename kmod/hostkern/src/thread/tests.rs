use super::*;
use crate::report::testing::{Kernel, death};

/// The word at an offset of `struct thread`, as a module reads it.
fn word(offset: usize) -> usize {
    // SAFETY: the block is 2048 bytes, and aligned.
    unsafe { current().wrapping_byte_add(offset).cast::<usize>().read() }
}

/// `%gs:0`
fn gs() -> usize {
    let value: usize;
    // SAFETY: reads a word from where `%gs` points, which current() has set.
    unsafe { std::arch::asm!("mov {}, gs:0", out(reg) value, options(nostack, readonly)) };
    value
}

#[test]
fn curthread_is_in_gs_and_differs_between_threads() {
    let mine = current().addr();
    assert_eq!((gs(), mine % 64), (mine, 0));
    let other = crate::sync::thread::spawn(|| (current().addr(), gs()))
        .join()
        .expect("no panic");
    assert_eq!(other.0, other.1);
    assert_ne!(other.0, mine);
}

#[test]
fn with_sets_and_restores_what_modules_see() {
    let _kernel = Kernel::plain();
    with(Credentials::User, Vnet(3), || {
        assert_eq!((credentials(), vnet()), (Credentials::User, Vnet(3)));
        assert_eq!(word(Offsets::default().vnet), vnet_pointer(Vnet(3)).addr());
        assert_eq!(
            word(Offsets::default().ucred),
            credentials_pointer(Credentials::User).addr()
        );
        with(Credentials::Root, Vnet(1), || assert_eq!(vnet(), Vnet(1)));
        assert_eq!(vnet(), Vnet(3));
    });
    assert_eq!((credentials(), vnet()), (Credentials::Root, Vnet(0)));
}

#[test]
fn places_follow_the_release() {
    let _kernel = Kernel::plain();
    assert_eq!(vnet(), Vnet(0));
    for offsets in [Offsets::FREEBSD14, Offsets::FREEBSD15] {
        set_offsets(offsets);
        assert_eq!(word(offsets.vnet), vnet_pointer(Vnet(0)).addr());
        with(Credentials::User, Vnet(2), || {
            assert_eq!(word(offsets.vnet), vnet_pointer(Vnet(2)).addr());
            assert_eq!(word(offsets.ucred), credentials_pointer(Credentials::User).addr());
        });
    }
    assert_eq!(word(Offsets::FREEBSD14.vnet), 0);
}

#[test]
fn curvnet_may_be_set_by_the_module() {
    let _kernel = Kernel::plain();
    with(Credentials::Root, Vnet(0), || {
        let place = current().wrapping_byte_add(Offsets::default().vnet).cast::<usize>();
        // SAFETY: as in word(); nobody else looks.
        unsafe { place.write(vnet_pointer(Vnet(5)).addr()) };
        assert_eq!(vnet(), Vnet(5));
    });
    assert_eq!(vnet(), Vnet(0));
}

#[test]
fn privileges_are_those_of_root() {
    let _kernel = Kernel::plain();
    // SAFETY: the pointer is compared only.
    let check = || unsafe { priv_check(current(), 480) };
    assert_eq!(check(), 0);
    assert_eq!(with(Credentials::User, Vnet(0), check), libc::EPERM);
}

#[test]
fn privileges_of_another_thread_are_not_asked_for() {
    let report = death("thread::tests::privileges_of_another_thread_are_not_asked_for", || {
        // SAFETY: the pointer is compared only.
        unsafe { priv_check(std::ptr::null_mut(), 480) };
    });
    assert!(report.contains("panic: priv_check: not the current thread"), "{report}");
}

#[test]
fn no_virtual_network_is_a_panic() {
    let report = death("thread::tests::no_virtual_network_is_a_panic", || {
        let place = current().wrapping_byte_add(Offsets::default().vnet).cast::<usize>();
        // SAFETY: as in word().
        unsafe { place.write(0) };
        vnet();
    });
    assert!(
        report.contains("panic: curvnet is 0x0, which is no virtual network"),
        "{report}"
    );
}
