//! `ng shutdown`.

use clap::Args;
use netgraph::{Address, GetNodeInfo, Transport};
use serde::Serialize;

use crate::failure::Result;
use crate::session::Session;

/// Shut a node down
///
/// Its links are broken, and it goes; nodes of a lasting kind, such as those of Ethernet interfaces, only lose their links.
#[derive(Debug, Args)]
pub struct Shutdown {
    /// The node
    path: Address,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    gone: bool,
}

impl Shutdown {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let node = session.request(&self.path, &GetNodeInfo)?;
        session.request(&self.path, &netgraph::Shutdown)?;
        let stays = session.socket.request(&node.address(), &GetNodeInfo).is_ok();
        if stays {
            session.note(&format!(
                "`{}` ({}) lost its links and stays: nodes of that type do",
                node.label(),
                node.type_name
            ));
        }
        let output = Output {
            path: self.path.as_str(),
            gone: !stays,
        };
        session.done("shutdown", &output)
    }
}
