//! The hosted kernel: FreeBSD's neighbourhood of `ng_socket`, in user space.
//!
//! It implements the kernel interface that the module imports (mutexes, malloc(9), mbufs, socket buffers, sleep and
//! wakeup, epoch, domains, sysctl, module events), the netgraph core with a handful of node types, and the socket calls.
//! An `ng_socket.ko` is loaded into it as FreeBSD's own linker would ([`loader`]), or the module is linked natively
//! ([`native`]).
//!
//! One kernel per process at a time: the kernel's functions are C functions without a context argument. Everything that
//! changes lies in [`Kernel`], which [`Kernel::boot`] makes and the end of its guard takes down, checking for leaks.
//!
//! # Inside
//!
//! The layers, each knowing only those before it:
//!
//! 1. [`abi`]: where releases differ; [`sync`]: what everything waits with (std, or shuttle under the feature of that name); [`report`]: the message
//!    buffer and panic(9); [`faults`]: what is to fail, and when.
//! 2. [`memory`], [`thread`], [`mutex`], [`sleep`], [`clock`], [`epoch`], [`mbuf`]: the primitives.
//! 3. [`netgraph`]: nodes, hooks, items, messages, node types.
//! 4. [`socket`], [`domain`], [`sysctl`], [`counter`], [`module`]: what a module registers with.
//! 5. [`loader`], [`native`], [`process`], [`kernel`]: loading the module, and calling it.
//!
//! A lock of `sync` is never held while the module is called.

pub mod abi;
pub mod clock;
pub mod counter;
pub mod domain;
pub mod epoch;
pub mod faults;
pub mod kernel;
pub mod loader;
pub mod mbuf;
pub mod memory;
pub mod module;
pub mod mutex;
pub mod native;
pub mod netgraph;
pub mod process;
pub mod report;
pub mod sleep;
mod slot;
pub mod socket;
pub mod sync;
pub mod sysctl;
pub mod thread;

pub use kernel::{Config, Kernel, Subject};
pub use kpi::Errno;
pub use process::{Process, Received, Socket};
