//! The tests, by the part of ng_socket(4) they belong to. A name begins with the line of the tables (`rows.yaml`).

use crate::Test;
use crate::outcome::Outcome;

mod backend;
mod connect;
mod control;
mod creation;
mod data;
mod datagram;
mod defects;
mod end;
mod extensions;
mod hooks;
mod jail;
mod kernel;
mod races;
mod signals;
pub mod storm;
mod waiting;

/// What a test runs in another process or in a jail, by name.
pub type Probe = (&'static str, fn(&str) -> Outcome);

const IN_JAIL: &str = "in-jail";
const READER: &str = "reader";
/// [`storm::probe`]
pub const STORM: &str = "storm";

/// Every probe.
pub const PROBES: &[Probe] = &[(IN_JAIL, jail::probe), (READER, signals::reader), (STORM, storm::probe)];

/// Every test, in the order in which they run.
pub fn all() -> impl Iterator<Item = &'static Test> {
    let groups: [&'static [Test]; 16] = [
        creation::TESTS,
        control::TESTS,
        datagram::TESTS,
        waiting::TESTS,
        connect::TESTS,
        data::TESTS,
        hooks::TESTS,
        end::TESTS,
        jail::TESTS,
        kernel::TESTS,
        backend::TESTS,
        signals::TESTS,
        defects::TESTS,
        extensions::TESTS,
        races::TESTS,
        storm::TESTS,
    ];
    groups.into_iter().flatten()
}
