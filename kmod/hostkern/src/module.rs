//! Modules: linker sets, module events, kldload(2) and kldunload(2).
//!
//! A file is what kldload(2) loads, a module what it contains. Files come from the loader, or are netgraph's own node types,
//! which take no file.

mod kld;
mod metadata;
mod sets;
#[cfg(test)]
mod tests;

pub use kld::{kern_kldload, kern_kldunload, provide_hollow, unload};
pub use metadata::{Dependency, Metadata};
pub use sets::{LinkerSet, Object};

use core::ffi::{CStr, c_int, c_void};

use kpi::Errno;
use kpi::raw::kernel::{MOD_LOAD, MOD_UNLOAD, moduledata, sysinit};
use kpi::raw::netgraph::NG_ABI_VERSION;

use crate::slot::Slot;
use crate::sync::{Mutex, lock};
use crate::{abi, clock, report, sysctl};

const EEXIST: c_int = 17;
const ENOEXEC: c_int = 8;
const MOD_QUIESCE: c_int = 3;

/// A module of a file: its `moduledata`.
#[derive(Debug, Clone, Copy)]
struct Module {
    data: usize,
    file: c_int,
}

struct File {
    id: c_int,
    name: String,
    references: u32,
    body: Body,
}

/// What a file is made of.
enum Body {
    Object(Box<dyn Object>),
    /// A node type of netgraph's own, by name.
    NodeType,
    /// A module that loads, but has no node type.
    Hollow,
}

struct State {
    files: Vec<File>,
    modules: Vec<Module>,
    /// Names of modules that could be loaded, but have no node type.
    hollow: Vec<String>,
    /// Memory of modules that are gone: nobody gets it, so that who still uses it is found.
    retired: Vec<Box<dyn Object>>,
    next: c_int,
}

static STATE: Slot<Mutex<State>> = Slot::new();

pub(crate) fn boot() {
    STATE.fill(Mutex::new(State {
        files: Vec::new(),
        modules: Vec::new(),
        hollow: Vec::new(),
        retired: Vec::new(),
        next: 1,
    }));
}

/// Unloads every file that lets itself be unloaded; the others' names are returned.
pub(crate) fn unload_all() -> Vec<String> {
    let files: Vec<_> = lock(STATE.get()).files.iter().map(|file| file.id).rev().collect();
    let stuck = files.into_iter().filter_map(|id| {
        let error = unload(id).err()?;
        let name = lock(STATE.get()).files.iter().find(|file| file.id == id)?.name.clone();
        Some(format!("{name} cannot be unloaded: error {}", error.get()))
    });
    stuck.collect()
}

/// Takes the memory of all modules away.
pub(crate) fn halt() {
    STATE.empty();
}

/// Why a file was not linked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LinkError {
    /// The file is for another kernel.
    #[error("{name} depends on {dependency}, and the kernel has {dependency} version {version}")]
    Dependency {
        /// The file.
        name: String,
        /// What it needs.
        dependency: String,
        /// What there is of it.
        version: i32,
    },
    /// A module of this name is there already.
    #[error("module {0} is loaded already")]
    Exists(String),
    /// The module refused to be loaded.
    #[error("module {0} failed to load; the message buffer says why")]
    Refused(String),
}

impl LinkError {
    /// What kldload(2) answers.
    #[must_use]
    pub fn errno(&self) -> c_int {
        match self {
            Self::Exists(_) => EEXIST,
            Self::Dependency { .. } | Self::Refused(_) => ENOEXEC,
        }
    }
}

/// Links a file into the kernel: registers its modules and sysctls and runs its sysinits. Returns the file's ID.
///
/// # Errors
/// The file is for another kernel, or a module is there already, or refuses. Then everything has been taken back.
pub fn link(object: Box<dyn Object>, name: &str) -> Result<c_int, LinkError> {
    let metadata = Metadata::of(&*object);
    check(&metadata, name)?;
    let id = register(&metadata, name)?;
    let sysctls = object.set("set_sysctl_set");
    let (init, uninit) = (object.set("set_sysinit_set"), object.set("set_sysuninit_set"));
    lock(STATE.get()).files.push(File {
        id,
        name: name.to_owned(),
        references: 1,
        body: Body::Object(object),
    });
    sysctl::register(&sysctls);
    run(&init, Order::Forward);
    let failed = !metadata.modules.is_empty() && !lock(STATE.get()).modules.iter().any(|module| module.file == id);
    if failed {
        sysctl::unregister(&sysctls);
        run(&uninit, Order::Backward);
        retire(id);
        return Err(LinkError::Refused(name.to_owned()));
    }
    sysctl::enable(&sysctls);
    Ok(id)
}

/// Whether the kernel is one that the file is for.
fn check(metadata: &Metadata, name: &str) -> Result<(), LinkError> {
    for dependency in &metadata.dependencies {
        let version = match dependency.name.as_str() {
            "kernel" => abi::booted().version,
            "netgraph" => NG_ABI_VERSION as i32,
            _ => 0,
        };
        if !(dependency.minimum..=dependency.maximum).contains(&version) {
            return Err(LinkError::Dependency {
                name: name.to_owned(),
                dependency: dependency.name.clone(),
                version,
            });
        }
    }
    Ok(())
}

/// Makes the file's modules known and returns the file's ID.
fn register(metadata: &Metadata, name: &str) -> Result<c_int, LinkError> {
    let mut state = lock(STATE.get());
    for data in &metadata.modules {
        let same = |module: &Module| module_name(module.data) == module_name(*data);
        if state.modules.iter().any(same) {
            return Err(LinkError::Exists(name.to_owned()));
        }
    }
    let file = state.next;
    state.next += 1;
    let modules = metadata.modules.iter().map(|data| Module { data: *data, file });
    state.modules.extend(modules);
    Ok(file)
}

/// The name in a `moduledata`.
fn module_name(data: usize) -> String {
    // SAFETY: a registered module's data lies in the memory of its file, which is there until the module is released.
    let name = unsafe { (*(data as *const moduledata)).name };
    // SAFETY: a C string of the same file.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// Tells a module of an event.
fn tell(data: usize, event: c_int) -> c_int {
    // SAFETY: as in module_name.
    let data = unsafe { &*(data as *const moduledata) };
    let module = core::ptr::from_ref(data).cast_mut().cast::<c_void>();
    match data.evhand {
        // SAFETY: the module's own handler; it takes the module, which nobody looks into, and its own pointer.
        Some(handler) => unsafe { handler(module, event, data.private) },
        None => Errno::EOPNOTSUPP.get(),
    }
}

/// `module_register_init`: the sysinit of every module.
///
/// # Safety
/// `data` is the `moduledata` of a file that is being linked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn module_register_init(data: *const c_void) {
    let data = data as usize;
    let known = |module: &Module| module.data == data;
    if !lock(STATE.get()).modules.iter().any(known) {
        report::panic(&format!(
            "module_register_init: module named {} not found",
            module_name(data)
        ));
    }
    let error = tell(data, MOD_LOAD);
    if error != 0 {
        tell(data, MOD_UNLOAD);
        let line = format!("module_register_init: MOD_LOAD ({}) error {error}", module_name(data));
        lock(STATE.get()).modules.retain(|module| module.data != data);
        report::note(&line);
    }
}

/// In which order a set of sysinits is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Forward,
    Backward,
}

/// Sorts a set where it is, by subsystem and order, and runs it.
fn run(set: &LinkerSet, order: Order) {
    let key = |entry: &*mut sysinit| {
        // SAFETY: an entry of a linked file's set leads to a sysinit of the same file.
        let entry = unsafe { &**entry };
        (entry.subsystem, entry.order)
    };
    // SAFETY: the set lies in the memory of a file that is linked, and this thread alone runs it.
    let entries = unsafe { set.entries_mut::<sysinit>() };
    match order {
        Order::Forward => entries.sort_by_key(key),
        Order::Backward => entries.sort_by_key(|entry| core::cmp::Reverse(key(entry))),
    }
    for entry in entries {
        // SAFETY: as above.
        let sysinit = unsafe { &**entry };
        if let Some(function) = sysinit.func {
            // SAFETY: a function of the file, or of the kernel, with the argument that the file gives it.
            unsafe { function(sysinit.udata) };
        }
    }
}

/// Takes a file's memory away: who still uses it faults.
fn retire(id: c_int) {
    let mut state = lock(STATE.get());
    state.modules.retain(|module| module.file != id);
    let Some(index) = state.files.iter().position(|file| file.id == id) else {
        return;
    };
    let file = state.files.remove(index);
    if let Body::Object(mut object) = file.body {
        clock::forget_copies();
        object.retire();
        state.retired.push(object);
    }
}
