//! Why a command was refused: its node does not know it, or its arguments are not in the form that it takes.

use graph::suggest;
use netgraph::{Address, Errno, Error, GetNodeInfo, Operation, Socket, Transport};

use crate::failure::Failure;
use crate::stock;

/// Asks around why the node refused the command.
pub fn refusal<T: Transport>(socket: &mut Socket<T>, to: &Address, command: &str, error: Error) -> Failure {
    let Error::Refused { operation, errno, .. } = error else {
        return super::refusal(socket, error);
    };
    let hint = match (operation, errno) {
        (Operation::ToBinary, Errno::ENOSYS) => unknown(socket, to, command),
        (Operation::ToBinary | Operation::Send, Errno::EINVAL) => form(socket, to, command),
        (Operation::Send, Errno::EINPROGRESS) => {
            Some("the node goes on with it by itself; at the prompt, `ng` shows what it tells afterwards".to_owned())
        }
        _ => return super::refusal(socket, error),
    };
    let hints = hint.into_iter().collect();
    Failure::Netgraph { error, hints }
}

/// The commands that the node does know.
fn unknown<T: Transport>(socket: &mut Socket<T>, to: &Address, command: &str) -> Option<String> {
    let kind = socket.request(to, &GetNodeInfo).ok()?.type_name;
    let known: Vec<&str> = stock::commands(&kind).collect();
    let instead = match suggest::nearest(command, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("ng_{kind}(4) tells what it knows besides the generic ones"),
        None => format!("it knows {}", suggest::listed(known)),
    };
    Some(format!("it is of type {kind}; {instead}"))
}

/// The form of the arguments: that of the answer to the command that asks for the same.
fn form<T: Transport>(socket: &mut Socket<T>, to: &Address, command: &str) -> Option<String> {
    let kind = socket.request(to, &GetNodeInfo).ok()?.type_name;
    let manual = format!("ng_{kind}(4) has the form of the arguments");
    Some(match answer(socket, to, command) {
        Some((asks, arguments)) => format!("`{asks}` answers in the form that `{command}` takes: {arguments}"),
        None => manual,
    })
}

fn answer<T: Transport>(socket: &mut Socket<T>, to: &Address, command: &str) -> Option<(String, String)> {
    let asks = format!("get{}", command.strip_prefix("set")?);
    let incoming = socket.command(to, &asks, "").ok()??;
    let (_, arguments) = socket.to_ascii(&incoming.from, &incoming.message).ok()?;
    (!arguments.is_empty()).then_some((asks, arguments))
}
