//! sysctl(9).

mod handlers;

pub use handlers::{
    SYSCTL_IN, SYSCTL_OUT, sysctl_handle_64, sysctl_handle_int, sysctl_handle_long, sysctl_handle_string,
};

use core::ffi::CStr;

use kpi::Errno;
use kpi::raw::sysctl::{CTLTYPE_NODE, sysctl_oid};

use crate::module::LinkerSet;
use crate::slot::Slot;
use crate::socket::errno::EPERM;
use crate::sync::{Mutex, lock};
use crate::thread::{Credentials, credentials};
use handlers::Request;

/// The bits of `oid_kind` that say the type.
const CTLTYPE: u32 = 0xf;
const CTLFLAG_WR: u32 = 0x4000_0000;
const EISDIR: i32 = 21;

/// `net.graph`: modules refer to it as the parent of their own.
// SAFETY: the only symbol of this name in the program.
#[unsafe(no_mangle)]
pub static mut sysctl___net_graph: sysctl_oid = sysctl_oid {
    oid_children: core::ptr::null_mut(),
    oid_parent: core::ptr::null_mut(),
    oid_link: [0; 3],
    oid_number: 0,
    oid_kind: CTLTYPE_NODE | CTLFLAG_WR,
    oid_arg1: core::ptr::null_mut(),
    oid_arg2: 0,
    oid_name: c"graph".as_ptr(),
    oid_handler: None,
    oid_fmt: c"N".as_ptr(),
    oid_refcnt: 0,
    oid_running: 0,
    oid_descr: c"netgraph".as_ptr(),
    oid_label: core::ptr::null(),
};

/// A registered variable, or a branch.
#[derive(Debug, Clone, Copy)]
struct Registered {
    oid: usize,
    enabled: bool,
}

static STATE: Slot<Mutex<Vec<Registered>>> = Slot::new();

/// What [`halt`] says of variables that are there still.
pub(crate) const REGISTERED: &str = "sysctl variables of modules:";

pub(crate) fn boot() {
    STATE.fill(Mutex::new(Vec::new()));
}

pub(crate) fn halt() -> Vec<String> {
    let left = STATE.empty().map_or(0, |registered| lock(&registered).len());
    if left == 0 {
        return Vec::new();
    }
    vec![format!("{REGISTERED} {left}")]
}

/// Makes a file's variables known, but not yet usable.
pub(crate) fn register(set: &LinkerSet) {
    // SAFETY: the file is being linked, and this is its set of variables.
    let oids = unsafe { set.entries::<sysctl_oid>() };
    let registered = oids.into_iter().map(|oid| Registered {
        oid: oid as usize,
        enabled: false,
    });
    lock(STATE.get()).extend(registered);
}

/// Makes a file's variables usable.
pub(crate) fn enable(set: &LinkerSet) {
    // SAFETY: as in register.
    let oids = unsafe { set.entries::<sysctl_oid>() };
    for registered in lock(STATE.get()).iter_mut() {
        registered.enabled |= oids.contains(&(registered.oid as *mut sysctl_oid));
    }
}

/// Takes a file's variables away.
pub(crate) fn unregister(set: &LinkerSet) {
    // SAFETY: the file's memory is still there.
    let oids = unsafe { set.entries::<sysctl_oid>() };
    lock(STATE.get()).retain(|registered| !oids.contains(&(registered.oid as *mut sysctl_oid)));
}

/// A variable's structure.
fn oid(registered: Registered) -> &'static sysctl_oid {
    // SAFETY: registered, so that the file's memory is there; unregister comes before the memory goes.
    unsafe { &*(registered.oid as *const sysctl_oid) }
}

/// The variable's full name; `None` if nobody knows one of its parents.
fn full_name(all: &[Registered], registered: Registered) -> Option<String> {
    let variable = oid(registered);
    // SAFETY: a variable's name is a C string in the memory of its file.
    let name = unsafe { CStr::from_ptr(variable.oid_name) }.to_string_lossy();
    let parent = variable.oid_parent as usize;
    if parent == (&raw const sysctl___net_graph) as usize {
        return Some(format!("net.graph.{name}"));
    }
    // A parent's list of children is its first member.
    let parent = all.iter().find(|other| other.oid == parent)?;
    Some(format!("{}.{name}", full_name(all, *parent)?))
}

/// The names of all variables, in the order in which they were registered.
pub fn names() -> Vec<String> {
    let all = lock(STATE.get()).clone();
    let variables = all
        .iter()
        .filter(|one| one.enabled && oid(**one).oid_kind & CTLTYPE != CTLTYPE_NODE);
    variables.filter_map(|one| full_name(&all, *one)).collect()
}

fn find(name: &str) -> Result<&'static sysctl_oid, Errno> {
    let all = lock(STATE.get()).clone();
    let found = all
        .iter()
        .find(|one| one.enabled && full_name(&all, **one).as_deref() == Some(name));
    found.map(|one| oid(*one)).ok_or(Errno::ENOENT)
}

fn error(code: i32) -> Errno {
    Errno::check(code).err().unwrap_or(Errno::EINVAL)
}

fn call(variable: &'static sysctl_oid, request: &mut Request) -> Result<(), Errno> {
    let Some(handler) = variable.oid_handler else {
        return Err(error(EISDIR));
    };
    let oidp = core::ptr::from_ref(variable).cast_mut();
    // SAFETY: the variable's own handler, with its own arguments and a request that lives during the call.
    Errno::check(unsafe { handler(oidp, variable.oid_arg1, variable.oid_arg2, request.as_ptr()) })
}

/// The value of a variable, as sysctlbyname(3) gives it.
///
/// # Errors
/// `ENOENT`: there is none of this name. `EISDIR`: it is a branch. Else what its handler says.
pub fn read(name: &str) -> Result<Vec<u8>, Errno> {
    let mut request = Request::new(&[]);
    call(find(name)?, &mut request)?;
    Ok(request.into_old())
}

/// Sets a variable, with the calling thread's credentials.
///
/// # Errors
/// `EPERM`: it cannot be written, or not by this thread. `EINVAL`: the value is too short. Else as [`read`].
pub fn write(name: &str, value: &[u8]) -> Result<(), Errno> {
    let variable = find(name)?;
    if variable.oid_kind & CTLTYPE == CTLTYPE_NODE {
        return Err(error(EISDIR));
    }
    if variable.oid_kind & CTLFLAG_WR == 0 || credentials() != Credentials::Root {
        return Err(error(EPERM));
    }
    call(variable, &mut Request::new(value))
}
