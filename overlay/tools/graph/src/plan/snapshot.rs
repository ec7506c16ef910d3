//! A live graph, as far as planning needs it.

use netgraph::NodeId;

/// A live graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every node.
    pub nodes: Vec<LiveNode>,
}

/// A live node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNode {
    /// Its ID.
    pub id: NodeId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether it does not have that name, but was to get it.
    pub assumed: bool,
    /// The name of its type.
    pub type_name: String,
    /// How many hooks it has.
    pub hooks: u32,
    /// Its links; needed for the declared and the recorded nodes, and for those without a name.
    pub links: Vec<Link>,
}

/// A link of a live node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The hook on this side.
    pub hook: String,
    /// The node on the other side.
    pub peer: NodeId,
    /// The hook on the other side.
    pub peer_hook: String,
    /// Whether `ng tap` sits in between.
    pub tapped: bool,
}

impl LiveNode {
    /// The link at a hook.
    #[must_use]
    pub fn link(&self, hook: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.hook == hook)
    }

    /// What to call it in messages: its name, or its ID.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// What a file calls it that was made of the live graph, when it has no name of its own: `unnamed-` and its ID.
    #[must_use]
    pub fn stand_in(&self) -> String {
        format!("unnamed-{:x}", self.id.0)
    }

    /// Whether it has no name but one that its type gives by itself: that of its interface.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        let Some(name) = &self.name else { return true };
        let prefix = match self.type_name.as_str() {
            "eiface" => "ngeth",
            "iface" => "ng",
            _ => return false,
        };
        let digits = name.strip_prefix(prefix).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    }
}
