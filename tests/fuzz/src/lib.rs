//! Fuzz targets: netgraph sockets in the hosted kernel, with the module linked in, compared with what is expected of them
//! ([`oracle`]).
//!
//! There is one kernel per process. Each execution starts with an empty one and leaves an empty one behind: no node, no
//! memory that was not there before, no lock held, no complaint in the message buffer ([`machine`]). Calls are made on the
//! kernel and on the model, one after the other, and their results and the graph compared ([`pair`]).
//!
//! * [`address`]: what bind(2), connect(2) and sendto(2) make of an address.
//! * [`control`]: what becomes of arbitrary datagrams on control sockets.
//! * [`archive`]: what the image builder makes of arbitrary archives.
//! * [`package`]: what it makes of what packages say of themselves.
//! * [`calls`]: what becomes of arbitrary sequences of calls.
//! * [`table`]: what becomes of a disk's partition table when it is moved to a larger disk; no kernel has a part in it.
//!
//! Three more have nothing to do with sockets:
//!
//! * [`state`]: the record of which root slot boots, from arbitrary sectors, and steps from there.
//! * [`update_file`]: update files, arbitrary and spoilt.
//! * [`seed`]: what becomes of seeds of cloud-init.
//!
//! And without a kernel:
//!
//! * [`elf`]: what an image build makes of programs and kernel modules.
//!
//! Run by `cargo xtask fuzz`, or by `cargo fuzz run --fuzz-dir tests/fuzz TARGET`.

pub mod address;
pub mod archive;
pub mod calls;
pub mod control;
pub mod elf;
pub mod machine;
pub mod package;
mod pair;
pub mod seed;
pub mod state;
pub mod table;
mod text;
pub mod update_file;

pub use pair::Pair;
