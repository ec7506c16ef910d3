//! What can be tried.

use std::fmt;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the message of that name, or says itself in Display")]
pub enum Operation {
    Open,
    Load,
    Bind,
    Attach,
    MakePeer,
    Connect,
    Name,
    RemoveHook,
    Shutdown,
    GetNodeInfo,
    ListHooks,
    ListNames,
    ListNodes,
    ListTypes,
    TextStatus,
    TextConfig,
    ToAscii,
    ToBinary,
    Linger,
    NoLinger,
    SetEvents,
    GetEvents,
    SetHookPolicy,
    GetHookPolicy,
    GetStatistics,
    ClearStatistics,
    TakeStatistics,
    Send,
    Reply,
    Receive,
    SendData,
    ReceiveData,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open a netgraph socket",
            Self::Load => "load the kernel module",
            Self::Bind => "name the own node",
            Self::Attach => "attach the data socket to",
            Self::MakePeer => "make a peer (mkpeer) at",
            Self::Connect => "connect",
            Self::Name => "name",
            Self::RemoveHook => "remove a hook of",
            Self::Shutdown => "shut down",
            Self::GetNodeInfo => "ask about",
            Self::ListHooks => "list the hooks of",
            Self::ListNames => "list the named nodes by",
            Self::ListNodes => "list the nodes by",
            Self::ListTypes => "list the node types by",
            Self::TextStatus => "ask for the status of",
            Self::TextConfig => "configure",
            Self::ToAscii => "put a message into words by",
            Self::ToBinary => "convert the command by",
            Self::Linger => "keep without hooks",
            Self::NoLinger => "let go with its last hook",
            Self::SetEvents => "set the events of",
            Self::GetEvents => "ask for the events of",
            Self::SetHookPolicy => "set the hook policy of",
            Self::GetHookPolicy => "ask for the hook policy of",
            Self::GetStatistics => "ask for the statistics of",
            Self::ClearStatistics => "clear the statistics of",
            Self::TakeStatistics => "take the statistics of",
            Self::Send => "send a message to",
            Self::Reply => "answer",
            Self::Receive => "receive a control message",
            Self::SendData => "send a packet through hook",
            Self::ReceiveData => "receive a packet",
        })
    }
}
