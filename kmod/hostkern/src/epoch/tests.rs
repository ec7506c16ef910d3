use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;
use crate::report::testing::{Kernel, death};

fn epoch() -> *mut c_void {
    net_epoch_preempt.0.cast_mut().cast()
}

/// A tracker, by its address.
fn tracker(number: usize) -> *mut epoch_tracker {
    std::ptr::without_provenance_mut(0x1000 * number)
}

fn enter(number: usize) {
    // SAFETY: nothing is read through the pointers.
    unsafe { _epoch_enter_preempt(epoch(), tracker(number)) }
}

fn exit(number: usize) {
    // SAFETY: nothing is read through the pointers.
    unsafe { _epoch_exit_preempt(epoch(), tracker(number)) }
}

fn wait() {
    // SAFETY: nothing is read through the pointer.
    unsafe { epoch_wait_preempt(epoch()) }
}

/// A counter, and work that counts.
fn counter() -> (Arc<AtomicU32>, impl FnOnce() + Send + 'static) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    (count, move || {
        counted.fetch_add(1, Ordering::Relaxed);
    })
}

#[test]
fn sections_nest() {
    let _kernel = Kernel::plain();
    enter(1);
    enter(2);
    exit(1);
    assert!(is_inside());
    exit(2);
    assert!(!is_inside());
    assert_outside();
}

#[test]
fn work_is_done_at_once_outside_and_later_inside() {
    let _kernel = Kernel::plain();
    let (count, work) = counter();
    defer(work);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let (count, work) = counter();
    enter(1);
    enter(2);
    defer(work);
    exit(2);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    exit(1);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn work_waits_for_earlier_sections_of_others_only() {
    let _kernel = Kernel::plain();
    let (count, work) = counter();
    let (entered, is_entered) = channel();
    let (leave, may_leave) = channel::<()>();
    let other = crate::sync::thread::spawn(move || {
        enter(1);
        entered.send(()).expect("the test waits");
        may_leave.recv().expect("the test says when");
        exit(1);
    });
    is_entered.recv().expect("the other enters");
    defer(work);
    enter(2);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    leave.send(()).expect("the other waits");
    other.join().expect("no panic");
    assert_eq!(count.load(Ordering::Relaxed), 1);
    exit(2);
}

#[test]
fn wait_is_for_sections_of_others() {
    let _kernel = Kernel::plain();
    let (entered, is_entered) = channel();
    let has_left = Arc::new(AtomicU32::new(0));
    let left = Arc::clone(&has_left);
    let other = crate::sync::thread::spawn(move || {
        enter(1);
        entered.send(()).expect("the test waits");
        crate::sync::thread::sleep(Duration::from_millis(30));
        left.store(1, Ordering::Relaxed);
        exit(1);
    });
    is_entered.recv().expect("the other enters");
    wait();
    assert_eq!(has_left.load(Ordering::Relaxed), 1);
    other.join().expect("no panic");
}

#[test]
fn halt_names_what_is_open() {
    let kernel = Kernel::plain();
    enter(1);
    defer(|| ());
    let left = kernel.halt();
    assert!(left[0].ends_with("is inside an epoch section"), "{left:?}");
    assert_eq!(left[1], "1 epoch callbacks have not run");
    TRACKERS.with_borrow_mut(|trackers| trackers.0.clear());
    SECTION.set(None);
}

/// A misuse: the test's name, what it does, and what the report says.
macro_rules! misuses {
    ($($name:ident($work:expr) => $report:expr;)*) => {
        $(#[test]
        fn $name() {
            let report = death(concat!("epoch::tests::", stringify!($name)), || {
                let _kernel = Kernel::plain();
                let work: fn() = $work;
                work();
            });
            assert!(report.contains($report), "{report}");
        })*
    };
}

misuses! {
    exit_by_another_tracker(|| { enter(1); exit(2) })
        => "panic: an epoch section is left with a tracker it was not entered with";
    tracker_in_use(|| { enter(1); enter(1) }) => "panic: an epoch section is entered twice with one tracker";
    return_inside(|| { enter(1); crate::thread::assert_clean() })
        => "panic: the thread returns to user space inside an epoch section";
    wait_inside(|| { enter(1); wait() }) => "panic: a wait for the end of all epoch sections inside of one";
    no_epoch(|| {
        // SAFETY: nothing is read through the pointers.
        unsafe { _epoch_enter_preempt(std::ptr::null_mut(), tracker(1)) }
    }) => "panic: 0x0 is no epoch";
    allocation_that_sleeps_inside(|| { enter(1); crate::memory::allocate(crate::memory::Zone::Item, 8, true); })
        => "panic: an allocation of zone Item that may sleep inside an epoch section";
    sleep_inside(|| {
        enter(1);
        // SAFETY: there is no mutex.
        unsafe { crate::sleep::sleep(1, std::ptr::null_mut(), false, "test", Some(Duration::ZERO)) };
    }) => "panic: a sleep on test inside an epoch section";
    end_of_the_thread_inside(|| {
        let _ = crate::sync::thread::spawn(|| enter(1)).join();
    }) => "panic: the thread ends inside an epoch section";
}
