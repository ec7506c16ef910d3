//! The races of the C module (D) and of ours (X): what must come of them whichever way the threads run; and that each model
//! sees its race, which it does not survive without the mutex that guards against it.

mod delivery;
mod ends;
mod lookups;
mod sending;

/// What every node has.
const STATE: &str = "ng_socket state";
/// What keeps lookups off a node that is being freed.
const LOOKUP: &str = "ng_socket lookup";
/// That of a socket, `SOCK_LOCK`.
const SOCKET: &str = "socket";
