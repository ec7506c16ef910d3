//! Fuzz targets: netgraph sockets in the hosted kernel, with the module linked in, compared with what is expected of them
//! ([`oracle`]).
//!
//! There is one kernel per process. Each execution starts with an empty one and leaves an empty one behind: no node, no
//! memory that was not there before, no lock held, no complaint in the message buffer ([`machine`]). Calls are made on the
//! kernel and on the model, one after the other, and their results and the graph compared ([`pair`]).
//!
//! * [`address`]: what bind(2), connect(2) and sendto(2) make of an address.
//! * [`control`]: what becomes of arbitrary datagrams on control sockets.
//! * [`calls`]: what becomes of arbitrary sequences of calls.
//!
//! And without a kernel:
//!
//! * [`elf`]: what an image build makes of programs and kernel modules.
//!
//! Run by `cargo xtask fuzz`, or by `cargo fuzz run --fuzz-dir tests/fuzz TARGET`.

pub mod address;
pub mod calls;
pub mod control;
pub mod elf;
pub mod machine;
mod pair;
mod text;

pub use pair::Pair;
