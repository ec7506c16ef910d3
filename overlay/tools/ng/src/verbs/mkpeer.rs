//! `ng mkpeer`.

use clap::Args;
use netgraph::{Address, Errno, GetNodeInfo, MakePeer, Transport};
use serde::Serialize;

use super::{NodeJson, miscounted, usage};
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
    #[arg(hide = true)]
    arguments: Vec<String>,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    r#type: &'a str,
    hook: &'a str,
    peer_hook: &'a str,
    node: Option<NodeJson<'a>>,
}

impl Mkpeer {
    /// Finds what is wrong with the arguments.
    pub fn check(&self) -> Result<()> {
        self.request().map(drop)
    }

    fn request(&self) -> Result<(Address, MakePeer)> {
        let (path, [kind, hook, peer_hook]) = match self.arguments.as_slice() {
            [kind, hook, peer_hook] => (".", [kind, hook, peer_hook]),
            [path, kind, hook, peer_hook] => (path.as_str(), [kind, hook, peer_hook]),
            other => return Err(miscounted("mkpeer", "[PATH] TYPE HOOK PEERHOOK", other.len())),
        };
        let request = MakePeer {
            type_name: kind.parse().map_err(usage)?,
            hook: hook.parse().map_err(usage)?,
            peer_hook: peer_hook.parse().map_err(usage)?,
        };
        Ok((path.parse().map_err(usage)?, request))
    }

    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let (path, request) = self.request()?;
        let result = session.socket.request(&path, &request);
        result.map_err(|error| explain(session, &path, &request, error))?;
        if !session.json {
            return Ok(());
        }
        let made = path.beyond(&request.hook).ok();
        let made = made.and_then(|made| session.socket.request(&made, &GetNodeInfo).ok());
        let output = Output {
            path: path.as_str(),
            r#type: request.type_name.as_str(),
            hook: request.hook.as_str(),
            peer_hook: request.peer_hook.as_str(),
            node: made.as_ref().map(|made| NodeJson::new(made, None)),
        };
        session.done("mkpeer", &output)
    }
}

fn explain<T: Transport>(
    session: &mut Session<T>,
    path: &Address,
    request: &MakePeer,
    error: netgraph::Error,
) -> Failure {
    let socket = &mut session.socket;
    let kind = request.type_name.as_str();
    let hint = match error.errno() {
        Some(Errno::ENOENT | Errno::ENXIO) => {
            explain::missing(socket, path).or_else(|| explain::missing_type(socket, kind))
        }
        Some(Errno::EPERM) => Some(explain::secured(&format!("ng_{kind}"))),
        Some(Errno::EEXIST) => explain::taken_hook(socket, path, &request.hook),
        Some(Errno::EINVAL) => {
            let new = (kind, request.peer_hook.as_str());
            explain::hook_of_type(socket, (path, request.hook.as_str()), new)
        }
        _ => return explain::refusal(socket, error),
    };
    let hints = hint.into_iter().collect();
    Failure::Netgraph { error, hints }
}
