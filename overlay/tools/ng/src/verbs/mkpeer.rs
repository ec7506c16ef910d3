//! `ng mkpeer`.

use clap::Args;
use netgraph::{Address, Errno, HookName, MakePeer, Transport, TypeName};

use super::usage;
use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Make a node and connect it to the node at PATH
///
/// The new node's hook PEERHOOK is connected to HOOK of the node at PATH; without PATH, to ng's own node. The module of the
/// type is loaded when it is missing.
#[derive(Debug, Args)]
#[command(override_usage = "ng mkpeer [PATH] <TYPE> <HOOK> <PEERHOOK>")]
pub struct Mkpeer {
    /// The usage line has them by name
    #[arg(num_args = 3..=4, required = true, hide = true)]
    arguments: Vec<String>,
}

impl Mkpeer {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let (path, [kind, hook, peer_hook]) = match self.arguments.as_slice() {
            [kind, hook, peer_hook] => (".", [kind, hook, peer_hook]),
            [path, kind, hook, peer_hook] => (path.as_str(), [kind, hook, peer_hook]),
            _ => return Err(usage("mkpeer takes three or four arguments")),
        };
        let path: Address = path.parse().map_err(usage)?;
        let request = MakePeer {
            type_name: kind.parse().map_err(usage)?,
            hook: hook.parse().map_err(usage)?,
            peer_hook: peer_hook.parse().map_err(usage)?,
        };
        let result = session.socket.request(&path, &request);
        result.map_err(|error| explain(session, &path, &request.hook, &request.type_name, error))
    }
}

fn explain<T: Transport>(
    session: &mut Session<T>,
    path: &Address,
    hook: &HookName,
    kind: &TypeName,
    error: netgraph::Error,
) -> Failure {
    let socket = &mut session.socket;
    let hint = match error.errno() {
        Some(Errno::ENOENT | Errno::ENXIO) => {
            explain::missing(socket, path).or_else(|| explain::missing_type(socket, kind.as_str()))
        }
        Some(Errno::EEXIST) => explain::taken_hook(socket, path, hook),
        Some(Errno::EINVAL) if kind.as_str() == "socket" => {
            Some("nodes of type socket come from socket(2) only".to_owned())
        }
        Some(Errno::EINVAL) => Some(format!("ng_{kind}(4) lists the hooks of that type")),
        _ => None,
    };
    let hints = hint.into_iter().collect();
    Failure::Netgraph { error, hints }
}
