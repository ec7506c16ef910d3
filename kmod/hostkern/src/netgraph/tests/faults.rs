//! What happens when something fails, or is done wrong.

use super::*;
use crate::faults::{Site, arm, disarm};
use crate::memory::Zone;
use crate::netgraph::errors::ENOMEM;
use crate::netgraph::snapshot;
use crate::report::testing::{death, death_by};

/// Has the nth allocation of a zone fail while two nodes are connected, or a peer is made.
fn connect_while_failing(zone: Zone, nth: u64) -> bool {
    let (first, second) = (make("mailbox"), make("mailbox"));
    arm(Site::Zone(Some(zone)), nth, false);
    let path = format!("[{:x}]:", second.id());
    let codes = [join(&first, &path, "a", "b"), make_peer(&first, "hub", "c", "d")];
    let struck = disarm();
    assert!(
        codes.iter().all(|code| [0, ENOMEM].contains(code)),
        "{zone:?} {nth}: {codes:?}"
    );
    assert_eq!(codes.contains(&ENOMEM), struck, "{zone:?} {nth}: {codes:?}");
    dispose(first);
    dispose(second);
    assert_eq!(snapshot(), [], "{zone:?} {nth}");
    struck
}

#[test]
fn allocations_that_fail_leave_nothing() {
    let kernel = Kernel::boot();
    for (zone, allocations) in [(Zone::Node, 1), (Zone::Hook, 4), (Zone::Item, 1)] {
        for nth in 1..=allocations {
            assert!(connect_while_failing(zone, nth), "{zone:?} {nth} is reached");
        }
        assert!(!connect_while_failing(zone, allocations + 1), "{zone:?} has no more");
    }
    assert_eq!(kernel.halt(), Vec::<String>::new());
}

#[test]
fn a_reference_dropped_twice_is_found() {
    let name = "netgraph::tests::faults::a_reference_dropped_twice_is_found";
    let report = death_by(name, libc::SIGSEGV, || {
        let _kernel = Kernel::boot();
        let node = make("mailbox");
        let pointer = node.as_raw();
        dispose(node);
        // SAFETY: not at all: the node is gone, which is what is to be found.
        unsafe { exports::ng_unref_node(pointer) };
    });
    assert!(
        report.contains("use after free") && report.contains("zone Node"),
        "{report}"
    );
}

#[test]
fn a_relative_address_without_a_node_is_found() {
    let name = "netgraph::tests::faults::a_relative_address_without_a_node_is_found";
    let report = death(name, || {
        let _kernel = Kernel::boot();
        let _ = path::resolve(None, b".:");
    });
    assert!(report.contains("not used by a node"), "{report}");
}
