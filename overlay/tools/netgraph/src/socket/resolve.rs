//! Where an address leads.

use super::Socket;
use crate::address::{Address, Start};
use crate::errno::Errno;
use crate::error::{Error, Operation, Result};
use crate::info::NodeInfo;
use crate::request::{GetNodeInfo, ListHooks, ListNames};
use crate::transport::Transport;

impl<T: Transport> Socket<T> {
    /// The node at an address, found hop by hop by messages to short addresses only.
    ///
    /// # Errors
    /// ENOENT when the node or a hook on the way does not exist.
    pub fn resolve(&mut self, address: &Address) -> Result<NodeInfo> {
        let absent = || Error::Refused {
            operation: Operation::GetNodeInfo,
            path: address.to_string(),
            errno: Errno::ENOENT,
        };
        let here = Address::here();
        let mut node = match address.start() {
            Start::Here => self.request(&here, &GetNodeInfo)?,
            Start::Id(id) => self.request(&id.into(), &GetNodeInfo)?,
            Start::Name(name) => {
                let mut nodes = self.request(&here, &ListNames)?.into_iter();
                nodes
                    .find(|node| node.name.as_deref() == Some(&name))
                    .ok_or_else(absent)?
            }
        };
        for hop in address.hops() {
            let mut links = self.request(&node.address(), &ListHooks)?.links.into_iter();
            node = links.find(|link| link.hook == hop).ok_or_else(absent)?.peer;
        }
        Ok(node)
    }
}
