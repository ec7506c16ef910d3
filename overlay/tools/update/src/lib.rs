//! Updates of an appliance with two root slots: the record that says which slot boots, the update file, and `ng-update`.

#![deny(unsafe_code)]

pub mod device;
pub mod file;
pub mod install;
pub mod state;
