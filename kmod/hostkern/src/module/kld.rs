//! kldload(2) and kldunload(2).

use core::ffi::{CStr, c_char, c_int};

use kpi::Errno;
use kpi::raw::kernel::MOD_UNLOAD;
use kpi::raw::systm::thread;

use super::{Body, EEXIST, File, MOD_QUIESCE, Order, STATE, retire, run, tell};
use crate::netgraph;
use crate::socket::errno::EPERM;
use crate::sync::lock;
use crate::sysctl;
use crate::thread::{Credentials, credentials};

/// Has kldload(2) find a module that loads but has no node type.
pub fn provide_hollow(name: &str) {
    lock(STATE.get()).hollow.push(name.to_owned());
}

/// Adds a file without an object and returns its ID.
fn add(name: &str, body: Body) -> c_int {
    let mut state = lock(STATE.get());
    let id = state.next;
    state.next += 1;
    state.files.push(File {
        id,
        name: name.to_owned(),
        references: 1,
        body,
    });
    id
}

/// Loads the module `name`: one of netgraph's own types, as `ng_<type>`, or a hollow one.
fn load(name: &str) -> Result<c_int, c_int> {
    {
        let state = lock(STATE.get());
        if state.files.iter().any(|file| file.name == name) {
            return Err(EEXIST);
        }
    }
    let hollow = lock(STATE.get()).hollow.iter().any(|known| known == name);
    if hollow {
        return Ok(add(name, Body::Hollow));
    }
    let kind = name.strip_prefix("ng_").ok_or(Errno::ENOENT.get())?;
    match netgraph::load_type(kind) {
        Ok(()) => Ok(add(name, Body::NodeType)),
        Err(errno) => Err(errno.get()),
    }
}

/// Unloads a file; one that is referred to more than once loses a reference only.
///
/// # Errors
/// `ENOENT`: there is no such file. Else what its module answered.
pub fn unload(id: c_int) -> Result<(), Errno> {
    unload_file(id).map_err(|error| Errno::check(error).err().unwrap_or(Errno::EINVAL))
}

fn unload_file(id: c_int) -> Result<(), c_int> {
    let (sets, modules) = {
        let mut state = lock(STATE.get());
        let modules: Vec<_> = state
            .modules
            .iter()
            .filter(|module| module.file == id)
            .copied()
            .collect();
        let file = state
            .files
            .iter_mut()
            .find(|file| file.id == id)
            .ok_or(Errno::ENOENT.get())?;
        if file.references > 1 {
            file.references -= 1;
            return Ok(());
        }
        let Body::Object(object) = &file.body else {
            let kind = file.name.strip_prefix("ng_").map(str::to_owned);
            let is_type = matches!(file.body, Body::NodeType);
            drop(state);
            if let Some(kind) = kind.filter(|_| is_type) {
                netgraph::unload_type(&kind).map_err(Errno::get)?;
            }
            retire(id);
            return Ok(());
        };
        ((object.set("set_sysctl_set"), object.set("set_sysuninit_set")), modules)
    };
    for module in &modules {
        let error = tell(module.data, MOD_QUIESCE);
        // A module need not know the event.
        if error != 0 && error != Errno::EOPNOTSUPP.get() && error != Errno::EINVAL.get() {
            return Err(error);
        }
    }
    for module in &modules {
        match tell(module.data, MOD_UNLOAD) {
            0 => {}
            error => return Err(error),
        }
    }
    sysctl::unregister(&sets.0);
    run(&sets.1, Order::Backward);
    retire(id);
    Ok(())
}

/// `kern_kldload`
///
/// # Safety
/// `file` is a C string, `fileid` null or a variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kern_kldload(_td: *mut thread, file: *const c_char, fileid: *mut c_int) -> c_int {
    if credentials() != Credentials::Root {
        return EPERM;
    }
    // SAFETY: the caller says so.
    let name = unsafe { CStr::from_ptr(file) }.to_string_lossy().into_owned();
    match load(&name) {
        Ok(id) => {
            // SAFETY: the caller says so.
            if let Some(fileid) = unsafe { fileid.as_mut() } {
                *fileid = id;
            }
            0
        }
        Err(error) => error,
    }
}

/// `kern_kldunload`
///
/// # Safety
/// None beyond that of any call into the kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kern_kldunload(_td: *mut thread, fileid: c_int, _flags: c_int) -> c_int {
    if credentials() != Credentials::Root {
        return EPERM;
    }
    unload(fileid).map_or_else(|errno| errno.get(), |()| 0)
}
