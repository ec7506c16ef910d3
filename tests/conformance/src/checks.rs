//! The checks, by the part of ng_socket(4) they prove. `bN` is the row of the list of behaviours.

use crate::Check;

mod backend;
mod connect;
mod control;
mod creation;
mod data;
mod datagram;
mod end;
mod hooks;
pub mod jail;
mod signal;
mod storm;

/// Every check, in the order in which they run.
pub fn all() -> impl Iterator<Item = &'static Check> {
    let groups: [&'static [Check]; 11] = [
        creation::CHECKS,
        control::CHECKS,
        datagram::CHECKS,
        connect::CHECKS,
        data::CHECKS,
        hooks::CHECKS,
        end::CHECKS,
        jail::CHECKS,
        backend::CHECKS,
        signal::CHECKS,
        storm::CHECKS,
    ];
    groups.into_iter().flatten()
}
