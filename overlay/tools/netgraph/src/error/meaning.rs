//! What an error number means after an operation: facts of sys/netgraph (ng_base.c, ng_socket.c, ng_parse.c), which no list
//! of error numbers tells.

use super::Operation;
use crate::errno::Errno;

/// What the error number means after that operation, with its symbol.
pub(super) fn meaning(operation: Operation, errno: Errno) -> String {
    let text = particular(operation, errno).or_else(|| general(errno));
    match (text, errno.name()) {
        (Some(text), Some(name)) => format!("{text} ({name})"),
        (Some(text), None) => text.to_owned(),
        (None, _) => errno.to_string(),
    }
}

type Text = Option<&'static str>;

fn particular(operation: Operation, errno: Errno) -> Text {
    use Operation::{
        Attach, Bind, ClearStatistics, Connect, GetEvents, GetHookPolicy, GetStatistics, Linger, ListHooks, ListNames,
        ListNodes, ListTypes, Load, MakePeer, Name, NoLinger, Open, Receive, ReceiveData, Reply, Send, SendData,
        SetEvents, SetHookPolicy, TakeStatistics, TextConfig, TextStatus, ToAscii, ToBinary,
    };
    match operation {
        Open => opening(errno),
        Load => loading(errno),
        Bind | Name => naming(operation, errno),
        Attach => attaching(errno),
        MakePeer => making(errno).or_else(|| linking(errno)),
        Connect => linking(errno),
        ListHooks | ListNames | ListNodes | ListTypes => listing(errno),
        TextStatus | TextConfig if errno == Errno::EINVAL => Some("the node's type has none"),
        ToAscii => to_ascii(errno),
        ToBinary => to_binary(errno),
        Linger | NoLinger | SetEvents | GetEvents | SetHookPolicy | GetHookPolicy | GetStatistics | ClearStatistics
        | TakeStatistics => of_a_socket(operation, errno),
        Send | Reply => sending(errno),
        SendData => sending_data(errno),
        Receive | ReceiveData if errno == Errno::ENOBUFS => {
            Some("something was lost, since the socket's receive buffer was full")
        }
        _ => None,
    }
}

/// What may happen to any message.
fn general(errno: Errno) -> Text {
    Some(match errno {
        Errno::ENOENT => "there is no such node or hook",
        Errno::ENXIO => "the node there is going away, or it lacks what it needs for this",
        Errno::ENOTCONN | Errno::EPIPE => "this process's node has been shut down",
        Errno::ENOBUFS => "a socket buffer was too small for it",
        Errno::EMSGSIZE => "it is longer than the socket's send buffer (net.graph.maxdgram)",
        Errno::ENOMEM => "the kernel has no memory left for it",
        Errno::EINTR => "a signal ended the wait for the node, which may do it all the same",
        Errno::EAGAIN => "the node has not done it within the socket's time limit; it may do it yet",
        Errno::EINPROGRESS => "the node has not done it yet",
        Errno::ECONNRESET => "the hosted kernel went away",
        _ => return None,
    })
}

fn opening(errno: Errno) -> Text {
    Some(match errno {
        Errno::EPERM => "only root may open one, and in a jail only with a network stack of its own (vnet)",
        Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT => {
            "this kernel has no netgraph sockets, and the module ng_socket is not there"
        }
        Errno::ENOEXEC => "the module ng_socket was made for another kernel; the message buffer (dmesg) says more",
        Errno::ENXIO => "the module ng_socket does not know this kernel",
        Errno::ENOBUFS => {
            "its buffers (net.graph.recvspace, net.graph.maxdgram) are larger than kern.ipc.maxsockbuf allows"
        }
        Errno::ECONNREFUSED => "nobody serves a hosted kernel there",
        Errno::EACCES => "this user may not open the hosted kernel's socket",
        Errno::EPROTO => "the hosted kernel is of another version than this program",
        _ => return None,
    })
}

fn loading(errno: Errno) -> Text {
    Some(match errno {
        Errno::ENOENT => "there is no such module",
        Errno::EPERM => "only root may load modules, and none at all once securelevel is above 0",
        Errno::ENOEXEC => "it was made for another kernel; the message buffer (dmesg) says more",
        _ => return None,
    })
}

fn naming(operation: Operation, errno: Errno) -> Text {
    Some(match (operation, errno) {
        (_, Errno::EADDRINUSE) => "another node has that name",
        (Operation::Bind, Errno::EINVAL) => "the kernel does not take that name, or the node has one",
        (_, Errno::EINVAL) => "the kernel does not take that name",
        _ => return None,
    })
}

fn attaching(errno: Errno) -> Text {
    Some(match errno {
        Errno::EADDRINUSE => "the node has a data socket already",
        Errno::EISCONN => "the data socket belongs to a node already",
        Errno::EINVAL => "it is no node of type socket",
        _ => return None,
    })
}

fn making(errno: Errno) -> Text {
    Some(match errno {
        Errno::ENXIO => "there is no such node type",
        Errno::ENOENT => "there is no such node, or no module for that type",
        Errno::ENOEXEC => "the type's module was made for another kernel; the message buffer (dmesg) says more",
        Errno::EPERM => "this process may not load the type's module, or the node's policy refuses the hook",
        Errno::EINVAL => "one of the types does not accept a hook of that name, or no node of that type can be made",
        _ => return None,
    })
}

/// What happens when two hooks are to be connected.
fn linking(errno: Errno) -> Text {
    Some(match errno {
        Errno::EEXIST | Errno::EISCONN => "a hook of that name is there already",
        Errno::EADDRINUSE => "what the hook stands for is in use",
        Errno::EINVAL => "one of the nodes does not accept a hook of that name",
        Errno::EPERM => "the policy of one of the nodes refuses the hook",
        Errno::ELOOP => "the node would be connected to itself",
        _ => return None,
    })
}

fn listing(errno: Errno) -> Text {
    Some(match errno {
        Errno::ENOBUFS => "the list does not fit into the socket's receive buffer (kern.ipc.maxsockbuf is the most)",
        Errno::ENOMEM => "the kernel has no memory left for the list",
        _ => return None,
    })
}

fn to_ascii(errno: Errno) -> Text {
    Some(match errno {
        Errno::ENOSYS => "the node's type knows no such message",
        Errno::EINVAL => "its arguments are not of the form that belongs to it",
        Errno::EOPNOTSUPP => "its arguments have no form in words",
        _ => return None,
    })
}

fn to_binary(errno: Errno) -> Text {
    Some(match errno {
        Errno::ENOSYS => "the node's type knows no such command",
        Errno::EINVAL => "the arguments are not of the form that the command takes",
        Errno::ENOENT => "there is no such node, or the command has no such argument",
        Errno::E2BIG => "a text or an array among the arguments is longer than its field",
        Errno::EALREADY => "an argument is given twice",
        Errno::ERANGE => "the arguments take more than 20 KiB",
        Errno::EOPNOTSUPP => "the command's arguments have no form in words",
        _ => return None,
    })
}

fn of_a_socket(operation: Operation, errno: Errno) -> Text {
    if errno != Errno::EINVAL {
        return None;
    }
    Some(match operation {
        Operation::Linger | Operation::NoLinger => "it is no node of type socket, or its control socket is closed",
        Operation::SetEvents | Operation::GetEvents => {
            "this kernel's module ng_socket has no events (FreeBSD's own has none), or it is no node of type socket"
        }
        Operation::SetHookPolicy | Operation::GetHookPolicy => {
            "this kernel's module ng_socket has no hook policies (FreeBSD's own has none), or it is no node of type socket"
        }
        _ => "this kernel's module ng_socket does not count (FreeBSD's own does not), or it is no node of type socket",
    })
}

fn sending(errno: Errno) -> Text {
    Some(match errno {
        Errno::EINVAL => "the node knows no such command, or not with such arguments",
        Errno::ENOTCONN => "this process's node has been shut down, or the one addressed is not connected",
        Errno::ENOBUFS => "the receive buffer of its reader is full",
        _ => return None,
    })
}

fn sending_data(errno: Errno) -> Text {
    Some(match errno {
        Errno::EHOSTUNREACH | Errno::ENOENT => "this process's node has no such hook",
        Errno::EDESTADDRREQ => "the hook must be named unless there is exactly one",
        Errno::EINVAL => "a node that it came to does not take such a packet",
        Errno::ENETDOWN => "the hook is being disconnected, or an interface beyond it is down",
        Errno::ENOBUFS => "there is no room for it where it came to",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_means_different_things() {
        let rows = [
            (Operation::MakePeer, Errno::ENXIO, "there is no such node type (ENXIO)"),
            (
                Operation::Name,
                Errno::EADDRINUSE,
                "another node has that name (EADDRINUSE)",
            ),
            (
                Operation::Attach,
                Errno::EADDRINUSE,
                "the node has a data socket already (EADDRINUSE)",
            ),
            (
                Operation::ToBinary,
                Errno::ENOENT,
                "there is no such node, or the command has no such argument (ENOENT)",
            ),
            (
                Operation::ListHooks,
                Errno::ENOENT,
                "there is no such node or hook (ENOENT)",
            ),
            (
                Operation::MakePeer,
                Errno::EEXIST,
                "a hook of that name is there already (EEXIST)",
            ),
        ];
        for (operation, errno, text) in rows {
            assert_eq!(meaning(operation, errno), text, "{operation:?}");
        }
    }

    #[test]
    fn stock_modules_are_named_where_they_lack_something() {
        for operation in [Operation::SetEvents, Operation::SetHookPolicy, Operation::GetStatistics] {
            let text = meaning(operation, Errno::EINVAL);
            assert!(text.contains("FreeBSD's own"), "{operation:?}: {text}");
        }
        let linger = meaning(Operation::Linger, Errno::EINVAL);
        assert!(!linger.contains("FreeBSD's own"), "{linger}");
    }

    #[test]
    fn what_nobody_foresaw_is_told_as_it_is() {
        assert_eq!(meaning(Operation::Shutdown, Errno::EIO), "input/output error (EIO)");
        assert_eq!(meaning(Operation::Shutdown, Errno(9999)), "error 9999");
    }
}
