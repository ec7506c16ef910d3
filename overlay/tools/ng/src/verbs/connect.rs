//! `ng connect`.

use clap::Args;
use netgraph::{Address, Errno, Start, Transport};
use serde::Serialize;

use super::{miscounted, usage};
use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Connect two nodes
///
/// Connects HOOK of the node at PATH, or of ng's own node without PATH, to PEERHOOK of the node at PEER. A PEER without a
/// node's name in it starts at the node at PATH.
#[derive(Debug, Args)]
#[command(override_usage = "ng connect [PATH] <PEER> <HOOK> <PEERHOOK>")]
pub struct Connect {
    /// The usage line has them by name
    #[arg(hide = true)]
    arguments: Vec<String>,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    peer: &'a str,
    hook: &'a str,
    peer_hook: &'a str,
}

impl Connect {
    /// Finds what is wrong with the arguments.
    pub fn check(&self) -> Result<()> {
        self.request().map(drop)
    }

    fn request(&self) -> Result<(Address, netgraph::Connect)> {
        let (path, [peer, hook, peer_hook]) = match self.arguments.as_slice() {
            [peer, hook, peer_hook] => (".", [peer, hook, peer_hook]),
            [path, peer, hook, peer_hook] => (path.as_str(), [peer, hook, peer_hook]),
            other => return Err(miscounted("connect", "[PATH] PEER HOOK PEERHOOK", other.len())),
        };
        let path: Address = path.parse().map_err(usage)?;
        let request = netgraph::Connect {
            peer: peer.parse().map_err(usage)?,
            hook: hook.parse().map_err(usage)?,
            peer_hook: peer_hook.parse().map_err(usage)?,
        };
        if path == request.peer && request.hook == request.peer_hook {
            let text = format!("a link has two hooks, and both ends are `{}` of `{path}`", request.hook);
            return Err(usage(text));
        }
        Ok((path, request))
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let (path, request) = self.request()?;
        let result = session.socket.request(&path, &request);
        result.map_err(|error| explain(session, &path, &request, error))?;
        let output = Output {
            path: path.as_str(),
            peer: request.peer.as_str(),
            hook: request.hook.as_str(),
            peer_hook: request.peer_hook.as_str(),
        };
        session.done("connect", &output)
    }
}

pub(crate) fn explain<T: Transport>(
    session: &mut Session<T>,
    path: &Address,
    request: &netgraph::Connect,
    error: netgraph::Error,
) -> Failure {
    let socket = &mut session.socket;
    let peer = seen_from(path, &request.peer);
    let hint = match error.errno() {
        Some(Errno::ENOENT | Errno::ENXIO) => {
            explain::missing(socket, path).or_else(|| explain::missing(socket, &peer))
        }
        Some(Errno::EEXIST) => explain::same_hook(socket, (path, &request.hook), (&peer, &request.peer_hook))
            .or_else(|| explain::taken_hook(socket, path, &request.hook))
            .or_else(|| explain::taken_hook(socket, &peer, &request.peer_hook)),
        Some(Errno::EINVAL) => explain::hook_of_node(socket, path, request.hook.as_str())
            .or_else(|| explain::hook_of_node(socket, &peer, request.peer_hook.as_str())),
        _ => return explain::refusal(socket, error),
    };
    let hints = hint.into_iter().collect();
    Failure::Netgraph { error, hints }
}

/// The peer's address from ng's own node instead of from the node at the path.
fn seen_from(path: &Address, peer: &Address) -> Address {
    if peer.start() != Start::Here {
        return peer.clone();
    }
    let hops = peer.hops().filter_map(|hop| hop.parse().ok());
    let mut address = path.clone();
    for hop in hops {
        address = address.beyond(&hop).unwrap_or(address);
    }
    address
}
