//! Node types that come with the kernel. Each is registered on demand, as if its module were loaded.

mod arguments;
mod bridge;
pub mod capture;
mod echo;
mod eiface;
pub mod ether;
mod hole;
mod hub;
mod iface;
pub mod ifnet;
mod one2many;
mod split;
mod tee;
mod vlan;

use kpi::Errno;

use super::errors;
use super::native::Registration;
use super::state;
use crate::sync::lock;

/// Registers a type.
type Register = fn() -> errors::Result<Registration>;

/// The types, by name.
const TYPES: &[(&str, Register)] = &[
    ("bridge", Registration::new::<bridge::Bridge>),
    ("capture", Registration::new::<capture::Capture>),
    ("echo", Registration::new::<echo::Echo>),
    ("eiface", Registration::new::<eiface::Eiface>),
    ("ether", Registration::reserved::<ether::Ether>),
    ("hole", Registration::new::<hole::Hole>),
    ("hub", Registration::new::<hub::Hub>),
    ("iface", Registration::new::<iface::Iface>),
    ("one2many", Registration::new::<one2many::OneToMany>),
    ("split", Registration::new::<split::Split>),
    ("tee", Registration::new::<tee::Tee>),
    ("vlan", Registration::new::<vlan::Vlan>),
];

/// An errno of the core's as the rest of the kernel knows it.
fn public(result: errors::Result) -> Result<(), Errno> {
    Errno::check(errors::to_c(result))
}

/// Registers a type, such as `hub`; what the module `ng_hub` does when it is loaded.
///
/// # Errors
/// `ENOENT`: there is no such type here. `EEXIST`, as a number: it is registered.
pub fn load_type(name: &str) -> Result<(), Errno> {
    let known = TYPES.iter().find(|(known, _)| *known == name);
    let (name, register) = known.ok_or(Errno::ENOENT)?;
    let registered = register();
    let code = registered.as_ref().err().copied().unwrap_or(0);
    let mut loaded = lock(&state().loaded);
    loaded.extend(registered.map(|registration| (*name, registration)));
    Errno::check(code)
}

/// Unregisters a type.
///
/// # Errors
/// `ENOENT`: it is not registered by [`load_type`]. `EBUSY`: it has nodes.
pub fn unload_type(name: &str) -> Result<(), Errno> {
    let mut loaded = lock(&state().loaded);
    public(loaded.get(name).ok_or(Errno::ENOENT)?.end())?;
    if let Some(registration) = loaded.remove(name) {
        registration.free();
    }
    Ok(())
}

/// Unregisters the types that have no nodes, when the kernel is taken down. (The others stay in memory for their nodes.)
pub(super) fn forget() {
    for (name, _) in TYPES {
        // A type that is not registered, or has nodes that were reported, is left as it is.
        let _ = unload_type(name);
    }
}
