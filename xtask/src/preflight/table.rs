//! The table of programs and files.

use super::Importance::{Comfort, MainJob, Tests};
use super::{Importance, Packages, Tool};

const fn packages(debian: &'static str, fedora: &'static str, arch: &'static str, freebsd: &'static str) -> Packages {
    Packages {
        debian,
        fedora,
        arch,
        freebsd,
    }
}

const fn tool(
    name: &'static str,
    purpose: &'static str,
    importance: Importance,
    version: &'static str,
    packages: Packages,
) -> Tool {
    Tool {
        name,
        purpose,
        importance,
        version,
        minimum: None,
        packages,
    }
}

/// A tool that must be new enough.
const fn at_least(major: u32, minor: u32, tool: Tool) -> Tool {
    Tool {
        minimum: Some((major, minor)),
        ..tool
    }
}

/// Every program, the main job's first.
pub const TOOLS: &[Tool] = &[
    tool(
        "cc",
        "build the native parts of `cargo xtask`",
        MainJob,
        "--version",
        packages("build-essential", "gcc", "base-devel", "llvm"),
    ),
    tool(
        "make",
        "build the OpenSSL inside `cargo xtask`",
        MainJob,
        "--version",
        packages("build-essential", "make", "base-devel", "gmake"),
    ),
    tool(
        "perl",
        "build the OpenSSL inside `cargo xtask`",
        MainJob,
        "--version",
        packages("perl", "perl", "perl", "perl5"),
    ),
    tool(
        "ld.lld",
        "link the kernel module",
        MainJob,
        "--version",
        packages("lld", "lld", "lld", "llvm"),
    ),
    // 7.2 brought -netdev dgram.
    at_least(
        7,
        2,
        tool(
            "qemu-system-x86_64",
            "boot the image",
            MainJob,
            "--version",
            packages(
                "qemu-system-x86",
                "qemu-system-x86-core",
                "qemu-system-x86",
                "qemu-nox11",
            ),
        ),
    ),
    tool(
        "qemu-img",
        "lay a throw-away layer over the image",
        MainJob,
        "--version",
        packages("qemu-utils", "qemu-img", "qemu-img", "qemu-tools"),
    ),
    tool(
        "python3",
        "run ziglang, the linker of the FreeBSD programs",
        MainJob,
        "--version",
        packages("python3-venv", "python3", "python", "python3"),
    ),
    tool(
        "apt-get",
        "fetch the Debian packages of a hosted base",
        Comfort,
        "--version",
        packages("apt", "apt", "apt", "(Linux only)"),
    ),
    tool(
        "setpriv",
        "stop the virtual machine even if the harness is killed",
        Comfort,
        "--version",
        packages("util-linux", "util-linux", "util-linux", "(Linux only)"),
    ),
    tool(
        "cargo-nextest",
        "run the tests faster",
        Comfort,
        "--version",
        packages(
            "(cargo install cargo-nextest)",
            "cargo-nextest",
            "cargo-nextest",
            "cargo-nextest",
        ),
    ),
    tool(
        "clang",
        "compile the probes that check kernel structures against FreeBSD's headers",
        Tests,
        "--version",
        packages("clang", "clang", "clang", "llvm"),
    ),
    tool(
        "sshd",
        "test the SSH half of the harness",
        Tests,
        "-V",
        packages("openssh-server", "openssh-server", "openssh", "(base system)"),
    ),
    tool(
        "ssh-keygen",
        "make keys for the tests of the SSH half",
        Tests,
        "",
        packages("openssh-client", "openssh-clients", "openssh", "(base system)"),
    ),
    tool(
        "bsdtar",
        "compare the speed of image builds",
        Tests,
        "--version",
        packages("libarchive-tools", "bsdtar", "libarchive", "(base system)"),
    ),
    tool(
        "valgrind",
        "count the instructions of socket operations and of ng",
        Tests,
        "--version",
        packages("valgrind", "valgrind", "valgrind", "valgrind"),
    ),
    tool(
        "mandoc",
        "check the manual pages",
        Tests,
        "",
        packages("mandoc", "mandoc", "mandoc", "(base system)"),
    ),
    tool(
        "zsh",
        "check ng's completions",
        Tests,
        "--version",
        packages("zsh", "zsh", "zsh", "zsh"),
    ),
    tool(
        "fish",
        "check ng's completions",
        Tests,
        "--version",
        packages("fish", "fish", "fish", "fish"),
    ),
    tool(
        "fls",
        "read images back with sleuthkit",
        Tests,
        "-V",
        packages("sleuthkit", "sleuthkit", "sleuthkit", "sleuthkit"),
    ),
    tool(
        "grub-fstest",
        "read images back with GRUB",
        Tests,
        "--version",
        packages("grub-common", "grub2-tools-extra", "grub", "(Linux only)"),
    ),
    tool(
        "mdir",
        "read EFI system partitions back",
        Tests,
        "--version",
        packages("mtools", "mtools", "mtools", "mtools"),
    ),
    tool(
        "fsck.fat",
        "check EFI system partitions",
        Tests,
        "",
        packages("dosfstools", "dosfstools", "dosfstools", "(Linux only)"),
    ),
    tool(
        "zstd",
        "read compressed images back",
        Tests,
        "--version",
        packages("zstd", "zstd", "zstd", "(base system)"),
    ),
    tool(
        "sgdisk",
        "check partition tables",
        Tests,
        "--version",
        packages("gdisk", "gdisk", "gptfdisk", "gdisk"),
    ),
    tool(
        "sfdisk",
        "check partition tables",
        Tests,
        "--version",
        packages("fdisk", "util-linux", "util-linux", "(Linux only)"),
    ),
];

/// Files that are needed besides programs: the name [`install_command`] knows them by, and their packages.
pub(super) const FILES: &[(&str, Packages)] = &[
    ("ovmf", packages("ovmf", "edk2-ovmf", "edk2-ovmf", "edk2-qemu-x64")),
    (
        "libck",
        packages("libck-dev", "ck-devel", "concurrencykit", "concurrencykit"),
    ),
    (
        "rust-src",
        packages(
            "rustc-web cargo-web rust-web-src",
            "rust-src",
            "rust-src",
            "rust-nightly",
        ),
    ),
];
