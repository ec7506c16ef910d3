//! What can be tried.

use std::fmt;

macro_rules! operations {
    ($($name:ident = $text:literal;)*) => {
        /// What was being done, as [`Error`](crate::Error) tells it; most are the request of that name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Operation {
            $(#[doc = concat!("To ", $text, ".")]
            $name,)*
        }

        impl fmt::Display for Operation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

// The path follows the text.
operations! {
    Open = "open a netgraph socket";
    Load = "load the kernel module";
    Bind = "name the own node";
    Attach = "attach the data socket to";
    MakePeer = "make a peer (mkpeer) at";
    Connect = "connect";
    Name = "name";
    RemoveHook = "remove a hook of";
    Shutdown = "shut down";
    GetNodeInfo = "ask about";
    ListHooks = "list the hooks of";
    ListNames = "list the named nodes by";
    ListNodes = "list the nodes by";
    ListTypes = "list the node types by";
    TextStatus = "ask for the status of";
    TextConfig = "configure";
    ToAscii = "put a message into words by";
    ToBinary = "convert the command by";
    Linger = "keep without hooks";
    NoLinger = "let go with its last hook";
    SetEvents = "set the events of";
    GetEvents = "ask for the events of";
    SetHookPolicy = "set the hook policy of";
    GetHookPolicy = "ask for the hook policy of";
    GetStatistics = "ask for the statistics of";
    ClearStatistics = "clear the statistics of";
    TakeStatistics = "take the statistics of";
    Send = "send a message to";
    Reply = "answer";
    Receive = "receive a control message";
    SendData = "send a packet through hook";
    ReceiveData = "receive a packet";
}
