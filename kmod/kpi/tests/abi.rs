//! Holds the layouts and constants of `kpi::raw` against FreeBSD's own headers.
//!
//! A C file of static assertions is written from what kpi believes and compiled against the headers of the release. Those
//! come with PyPI's ziglang, which `scripts/setup` unpacks below `target/zig/`: 0.15.1 has FreeBSD 14.3's, 0.17.1 has
//! 15.0's. They lack Concurrency Kit's (Debian: libck-dev), which only declare types that no layout here depends on, and
//! `__FreeBSD_version`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use kpi::raw::socketvar::BUFFERS_SPLICE;
use kpi::raw::{CONSTANTS, LAYOUTS};

/// ziglang's version, and the `__FreeBSD_version` of its headers.
#[cfg(not(feature = "freebsd15"))]
const HEADERS: (&str, u32) = ("0.15.1", 1_403_000);
/// ziglang's version, and the `__FreeBSD_version` of its headers.
#[cfg(feature = "freebsd15")]
const HEADERS: (&str, u32) = ("0.17.1", 1_500_068);

/// Every header that a raw declaration mirrors, in an order that C takes.
const INCLUDES: &[&str] = &[
    "sys/param.h",
    "sys/systm.h",
    "sys/kernel.h",
    "sys/malloc.h",
    "sys/lock.h",
    "sys/mutex.h",
    "sys/mbuf.h",
    "sys/module.h",
    "sys/linker.h",
    "sys/priv.h",
    "sys/proc.h",
    "sys/epoch.h",
    "sys/domain.h",
    "sys/protosw.h",
    "sys/socket.h",
    "sys/socketvar.h",
    "sys/sysctl.h",
    "sys/uio.h",
    "sys/callout.h",
    "netgraph/ng_message.h",
    "netgraph/netgraph.h",
    "netgraph/ng_parse.h",
    "netgraph/ng_socket.h",
    "netgraph/ng_socketvar.h",
];

fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

fn probe() -> String {
    let mut c = format!("#define __FreeBSD_version {}\n", HEADERS.1);
    for include in INCLUDES {
        writeln!(c, "#include <{include}>").unwrap();
    }
    for layout in LAYOUTS {
        let kind = layout.c_type;
        if let Some(size) = layout.size {
            writeln!(c, "_Static_assert(sizeof({kind}) == {size}, \"size of {kind}\");").unwrap();
        }
        for (field, offset) in layout.fields {
            let offset_of = format!("__builtin_offsetof({kind}, {field})");
            writeln!(c, "_Static_assert({offset_of} == {offset}, \"{kind}, {field}\");").unwrap();
        }
    }
    let offsets = BUFFERS_SPLICE;
    for (field, offset) in [
        ("so_rcv", offsets.so_rcv),
        ("so_rcv_mtx", offsets.so_rcv_mtx),
        ("so_snd", offsets.so_snd),
    ] {
        writeln!(
            c,
            "_Static_assert(__builtin_offsetof(struct socket, {field}) == {offset}, \"socket, {field}\");"
        )
        .unwrap();
    }
    for (name, value) in CONSTANTS.iter().copied().flatten() {
        writeln!(c, "_Static_assert((__int128)({name}) == ({value}), \"{name}\");").unwrap();
    }
    c
}

/// Compiles `source` against the headers; what the compiler said if it refuses.
fn compile(source: &str) -> Result<(), String> {
    let (version, _) = HEADERS;
    let include = target().join("zig").join(version).join("ziglang/lib/libc/include");
    let (generic, machine) = (include.join("generic-freebsd"), include.join("x86_64-freebsd-none"));
    for folder in [&generic, &machine, &PathBuf::from("/usr/include/ck_queue.h")] {
        assert!(folder.exists(), "{} is not there; run scripts/setup", folder.display());
    }
    let scratch = tempfile::tempdir().expect("a temporary folder");
    // The ck headers lie among those of Linux, which must not be seen.
    let ck = scratch.path().join("ck");
    std::fs::create_dir(&ck).unwrap();
    for entry in std::fs::read_dir("/usr/include").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ck_") || name == "gcc" || name == "spinlock" {
            std::os::unix::fs::symlink(&path, ck.join(name)).unwrap();
        }
    }
    let file = scratch.path().join("probe.c");
    std::fs::write(&file, source).unwrap();
    let output = Command::new("clang")
        .args([
            "--target=x86_64-unknown-freebsd",
            "-fsyntax-only",
            "-nostdinc",
            "-ferror-limit=0",
            "-w",
        ])
        .args([
            "-D_KERNEL",
            "-DKLD_MODULE",
            "-DSMP=1",
            "-DMAC=1",
            "-DVIMAGE=1",
            "-mcmodel=kernel",
            "-mno-sse",
        ])
        .arg("-I")
        .arg(machine)
        .arg("-I")
        .arg(generic)
        .arg("-I")
        .arg(ck)
        .arg(file)
        .output()
        .expect("clang is needed to read FreeBSD's headers; run scripts/setup");
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn layouts_and_constants_are_those_of_the_headers() {
    if let Err(report) = compile(&probe()) {
        panic!("kpi::raw and FreeBSD's headers disagree:\n{report}");
    }
}

#[test]
fn a_wrong_layout_is_noticed() {
    let wrong = probe() + "_Static_assert(sizeof(struct ng_item) == 73, \"made up\");\n";
    let report = compile(&wrong).expect_err("the size of struct ng_item is not 73");
    assert!(report.contains("made up"), "{report}");
}
