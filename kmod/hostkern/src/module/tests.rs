//! Files made here: which sysinits run and when, what is left of a load that fails.

use core::ffi::c_void;
use core::ptr::null_mut;

use kpi::raw::kernel::{MDT_MODULE, MDT_STRUCT_VERSION, SI_ORDER_ANY, SI_SUB_KMEM, SI_SUB_PROTO_DOMAIN, mod_metadata};

use super::*;
use crate::kernel::{Config, Kernel, Subject};
use crate::process::Process;

static TRACE: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

fn trace(what: &'static str) {
    lock(&TRACE).push(what);
}

unsafe extern "C" fn early(_: *const c_void) {
    trace("early");
}

unsafe extern "C" fn late(_: *const c_void) {
    trace("late");
}

/// Answers every event with the number behind `answer`, but `MOD_UNLOAD` with success.
unsafe extern "C" fn handler(_: *mut c_void, event: c_int, answer: *mut c_void) -> c_int {
    trace(match event {
        MOD_LOAD => "load",
        MOD_UNLOAD => "unload",
        _ => "quiesce",
    });
    if event == MOD_UNLOAD { 0 } else { answer as c_int }
}

/// A file of one module, whose structures stay for ever.
struct Made {
    init: &'static mut [*mut c_void],
    uninit: &'static mut [*mut c_void],
    metadata: &'static mut [*mut c_void],
}

// SAFETY: its structures are used by the kernel's thread only.
unsafe impl Send for Made {}

fn leak<T>(value: T) -> *mut c_void {
    core::ptr::from_mut(Box::leak(Box::new(value))).cast()
}

fn leak_set(members: Vec<*mut c_void>) -> &'static mut [*mut c_void] {
    Box::leak(members.into_boxed_slice())
}

fn entry(subsystem: u32, function: unsafe extern "C" fn(*const c_void), udata: *mut c_void) -> *mut c_void {
    leak(sysinit {
        subsystem,
        order: SI_ORDER_ANY,
        next: null_mut(),
        func: Some(function),
        udata,
    })
}

fn made(answer: c_int) -> Made {
    let data = leak(moduledata {
        name: c"made".as_ptr(),
        evhand: Some(handler),
        private: answer as usize as *mut c_void,
    });
    let metadata = leak(mod_metadata {
        md_version: MDT_STRUCT_VERSION,
        md_type: MDT_MODULE,
        md_data: data,
        md_cval: c"made".as_ptr(),
    });
    Made {
        init: leak_set(vec![
            entry(SI_SUB_PROTO_DOMAIN + 1, late, null_mut()),
            entry(SI_SUB_PROTO_DOMAIN, module_register_init, data),
            entry(SI_SUB_KMEM, early, null_mut()),
        ]),
        uninit: leak_set(vec![
            entry(SI_SUB_KMEM, early, null_mut()),
            entry(SI_SUB_PROTO_DOMAIN, late, null_mut()),
        ]),
        metadata: leak_set(vec![metadata]),
    }
}

impl Object for Made {
    fn set(&self, name: &str) -> LinkerSet {
        let set: &[*mut c_void] = match name {
            "set_sysinit_set" => self.init,
            "set_sysuninit_set" => self.uninit,
            "set_modmetadata_set" => self.metadata,
            _ => &[],
        };
        LinkerSet::new(set.as_ptr().cast_mut(), set.len())
    }

    fn retire(&mut self) {
        trace("retired");
    }
}

fn boot() -> Kernel {
    let config = Config {
        subject: Subject::None,
        guard_pages: true,
        check_leaks: true,
    };
    let kernel = Kernel::boot(config).expect("a kernel without a module");
    lock(&TRACE).clear();
    kernel
}

fn traced() -> Vec<&'static str> {
    core::mem::take(&mut *lock(&TRACE))
}

#[test]
fn sysinits_run_in_order_and_back() {
    let kernel = boot();
    let id = link(Box::new(made(0)), "made").expect("it loads");
    assert_eq!(traced(), ["early", "load", "late"]);
    assert_eq!(
        link(Box::new(made(0)), "again"),
        Err(LinkError::Exists("again".to_owned()))
    );
    assert_eq!(traced(), [""; 0], "what is refused has not run");
    assert_eq!(kernel.unload(id), Ok(()));
    assert_eq!(traced(), ["quiesce", "unload", "late", "early", "retired"]);
    assert_eq!(kernel.unload(id), Err(Errno::ENOENT));
}

#[test]
fn a_load_that_fails_is_taken_back() {
    let kernel = boot();
    let refused = link(Box::new(made(12)), "made");
    assert_eq!(refused, Err(LinkError::Refused("made".to_owned())));
    assert_eq!(
        traced(),
        ["early", "load", "unload", "late", "late", "early", "retired"]
    );
    let line = "module_register_init: MOD_LOAD (made) error 12".to_owned();
    assert!(report::message_buffer().contains(&line));
    drop(kernel);
}

/// kldload(2) by name.
fn load(process: Process, name: &CStr) -> Result<c_int, c_int> {
    let mut id = 0;
    let load = || {
        let td = crate::thread::current();
        // SAFETY: a C string, and a variable.
        unsafe { kern_kldload(td, name.as_ptr(), &raw mut id) }
    };
    match crate::thread::with(process.credentials, process.vnet, load) {
        0 => Ok(id),
        error => Err(error),
    }
}

#[test]
fn modules_are_loaded_by_name_by_root() {
    let kernel = boot();
    assert_eq!(load(Process::USER, c"ng_hole"), Err(1));
    assert_eq!(load(Process::ROOT, c"ng_nonesuch"), Err(Errno::ENOENT.get()));
    let id = load(Process::ROOT, c"ng_hole").expect("netgraph has the type");
    assert_eq!(load(Process::ROOT, c"ng_hole"), Err(EEXIST));
    assert_eq!(kernel.unload(id), Ok(()));
    provide_hollow("ng_hollow");
    let id = load(Process::ROOT, c"ng_hollow").expect("it is provided");
    assert_eq!(kernel.unload(id), Ok(()));
}
