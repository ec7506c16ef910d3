//! Actions in words.

use super::{Action, LiveEnd};
use crate::{End, Graph};

impl Action {
    /// What is done, in the file's words, such as `make tap0.left (tee) at wan.lower`.
    #[must_use]
    pub fn describe(&self, graph: &Graph) -> String {
        let end = |end: &End| graph.end(end);
        let node = |index: usize| &graph.nodes()[index];
        match self {
            Self::Adopt { id, node: index } => format!("name {id} {}", node(*index).name),
            Self::Hold { end: held } => format!("hold {}", end(held)),
            Self::Disconnect { left, right, .. } => format!("disconnect {} -- {}", live(left), live(right)),
            Self::Remove { label, type_name, .. } => format!("shut down {label} ({type_name})"),
            Self::Make { at, new } => format!("make {} ({}) at {}", end(new), node(new.node).type_name(), end(at)),
            Self::MakeAlone { new } => format!("make {} ({})", end(new), node(new.node).type_name()),
            Self::Release { end: held } => format!("release {}", end(held)),
            Self::Connect { left, right } => format!("connect {} -- {}", end(left), end(right)),
            Self::SetMac { node: index } => {
                let mac = node(*index).mac.map(|mac| mac.to_string());
                format!(
                    "give {} the hardware address {}",
                    node(*index).name,
                    mac.unwrap_or_default()
                )
            }
            Self::Rename { node: index } => {
                let name = node(*index).rename.as_deref().unwrap_or_default();
                format!("rename the interface of {} to {name}", node(*index).name)
            }
            Self::MoveToJail { node: index } => {
                let jail = node(*index).jail.as_deref().unwrap_or_default();
                format!("move the interface of {} to the jail {jail}", node(*index).name)
            }
            Self::Send {
                node: index, message, ..
            } => {
                let (command, arguments) = &node(*index).messages[*message];
                let sentence = format!("send {} {command} {arguments}", node(*index).name);
                sentence.trim_end().to_owned()
            }
        }
    }
}

fn live(end: &LiveEnd) -> String {
    format!("{}.{}", end.label, end.hook)
}
