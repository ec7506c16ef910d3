//! Control messages as types: what every node understands (netgraph(4), "Control messages"), and what socket nodes do.

use crate::error::Operation;
use crate::wire::{GENERIC_COOKIE, HAS_REPLY, Malformed, Message, READONLY};

/// Messages without arguments: number and name of the command, whether it is answered, and what reads the answer.
macro_rules! without_arguments {
    ($cookie:expr; $($(#[$doc:meta])* $type:ident = $number:expr, $name:literal, $answered:literal -> $reply:ty: $read:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $type;

            impl $crate::request::Request for $type {
                const COOKIE: u32 = $cookie;
                const COMMAND: u32 = $number;
                const NAME: &'static str = $name;
                const OPERATION: $crate::error::Operation = $crate::error::Operation::$type;
                const ANSWERED: bool = $answered;
                type Reply = $reply;

                fn arguments(&self) -> Vec<u8> {
                    Vec::new()
                }

                fn reply(bytes: &[u8]) -> Result<$reply, $crate::wire::Malformed> {
                    $read(bytes)
                }
            }
        )*
    };
}

mod changes;
mod own;
mod queries;
mod words;

pub use changes::{Connect, MakePeer, Name, RemoveHook};
pub use own::{
    ClearStatistics, GetEvents, GetHookPolicy, GetStatistics, Linger, NoLinger, SetEvents, SetHookPolicy,
    TakeStatistics,
};
pub use queries::{GetNodeInfo, ListHooks, ListNames, ListNodes, ListTypes, Shutdown};
pub use words::{TextConfig, TextStatus, ToAscii, ToBinary};

/// Size of a path field with its terminating zero (`NG_PATHSIZ`).
const PATH: usize = 512;

/// Size of a name field with its terminating zero (`NG_HOOKSIZ` and the like).
const NAME: usize = 32;

/// Reads, and is always answered.
const QUERY: u32 = READONLY | HAS_REPLY;

/// A control message together with its answer, for [`Socket::request`](crate::Socket::request).
///
/// Those of this library are the generic ones, which every node understands, and those of socket nodes. The messages of any
/// other node type can be types as well; their numbers and layouts are in the type's header (netgraph/ng_tee.h and so on):
///
/// ```
/// use netgraph::{Malformed, Reader, Request};
///
/// /// `NGM_TEE_GET_STATS`: here, only how many frames came in on the right.
/// struct FramesOnTheRight;
///
/// impl Request for FramesOnTheRight {
///     const COOKIE: u32 = 916_107_047;
///     const COMMAND: u32 = 1;
///     const NAME: &'static str = "getstats";
///     const ANSWERED: bool = true;
///     type Reply = u64;
///
///     fn arguments(&self) -> Vec<u8> {
///         Vec::new()
///     }
///
///     fn reply(bytes: &[u8]) -> Result<u64, Malformed> {
///         let mut reader = Reader::new("a tee's statistics", bytes);
///         let _octets = reader.u64()?;
///         reader.u64()
///     }
/// }
///
/// assert_eq!(FramesOnTheRight.message().name, "getstats");
/// ```
pub trait Request {
    /// The type cookie: which node type defined the command.
    const COOKIE: u32 = GENERIC_COOKIE;
    /// The command number, flag bits included.
    const COMMAND: u32;
    /// The command's name, as NGM_ASCII2BINARY takes it; at most 31 bytes count.
    const NAME: &'static str;
    /// Which operation it is in error messages.
    const OPERATION: Operation = Operation::Send;
    /// Whether an answer comes back. A command whose number does not say so may be answered all the same.
    const ANSWERED: bool = Self::COMMAND & HAS_REPLY != 0;
    /// What the answer holds; `()` without one.
    type Reply;

    /// The arguments' bytes.
    fn arguments(&self) -> Vec<u8>;

    /// Reads the answer's arguments; no bytes at all if there is no answer.
    ///
    /// # Errors
    /// They are not of the layout that belongs to the command.
    fn reply(bytes: &[u8]) -> Result<Self::Reply, Malformed>;

    /// The message as it is sent, but for its token.
    fn message(&self) -> Message {
        Message {
            command: Self::COMMAND,
            flags: 0,
            token: 0,
            cookie: Self::COOKIE,
            name: Self::NAME.to_owned(),
            data: self.arguments(),
        }
    }
}

/// Reads the answer of a command that has none.
fn nothing(_: &[u8]) -> Result<(), Malformed> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_numbers_carry_their_flags() {
        assert_eq!(Shutdown::COMMAND, 1);
        assert_eq!(ListTypes::COMMAND, 0x3000_000a);
        assert_eq!(ToBinary::COMMAND, 0x3000_000d);
        assert_eq!(
            (Shutdown::ANSWERED, ListTypes::ANSWERED, TextConfig::ANSWERED),
            (false, true, true)
        );
    }
}
