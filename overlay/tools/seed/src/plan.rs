//! What a seed asks for, checked as a whole before anything is changed.

use std::collections::BTreeMap;

use crate::document::{self, Node};
use crate::error::{Error, Result};
use crate::network::{Card, Network, openstack, v1, v2};
use crate::volume::{Kind, Seed};
use crate::{graphs, meta, rc, text, user};

/// Everything that a seed asks for.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What tells this seed from others: it is applied once.
    pub instance: String,
    /// The host's name.
    pub hostname: Option<String>,
    /// Accounts; the appliance has root's.
    pub accounts: Vec<Account>,
    /// Variables of rc.conf(5).
    pub rc: Settings,
    /// Name servers and domains.
    pub resolver: Resolver,
    /// Files to write.
    pub files: Vec<File>,
    /// Commands for sh(1), to run once at the end of the boot.
    pub commands: Vec<String>,
    /// The text of a graph.
    pub graph: Option<String>,
    /// What the seed says that means nothing here.
    pub notes: Vec<String>,
}

/// Variables and their values.
pub type Settings = BTreeMap<String, String>;

/// Whom to ask for names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolver {
    /// Addresses, in order.
    pub servers: Vec<std::net::IpAddr>,
    /// Domains, in order.
    pub search: Vec<String>,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Public keys that open it.
    pub keys: Vec<String>,
    /// The hash of its password.
    pub hash: Option<String>,
    /// Who it is.
    pub gecos: String,
    /// Its shell.
    pub shell: Option<String>,
    /// Groups that it is in, besides its own.
    pub groups: Vec<String>,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, below /etc or /usr/local/etc.
    pub path: String,
    /// What it holds.
    pub content: Vec<u8>,
    /// Who may read and write it.
    pub mode: u32,
    /// The content goes behind what is there.
    pub append: bool,
}

/// What means nothing here, in the order in which it was met.
#[derive(Debug, Default)]
pub struct Notes(Vec<String>);

/// Lines about what is not known, at most.
const MOST_NOTES: usize = 100;

impl Notes {
    /// A key that is not known.
    pub fn unknown(&mut self, node: &Node, key: &str) {
        let place = node
            .at
            .map_or(String::new(), |at| format!("{}:{}:", at.line, at.column));
        self.add(format!("{}:{place} `{}`", node.file, key.escape_debug()));
    }

    /// Anything else.
    pub fn add(&mut self, note: String) {
        if self.0.len() < MOST_NOTES {
            self.0.push(note);
        }
    }
}

impl Plan {
    /// Reads and checks a seed. `cards` are those of the machine, if it is there: then every interface that is named has to be
    /// one, and `graph` is the graph that the machine has now.
    ///
    /// # Errors
    /// The first thing that cannot be done, with its place.
    pub fn read(seed: &Seed, cards: Option<&[Card]>, graph: Option<&str>) -> Result<Self> {
        let (mut plan, mut notes) = (Self::default(), Notes::default());
        meta::read(seed, &mut plan, &mut notes)?;
        let user = user::read(seed, &mut plan, &mut notes)?;
        let network = network(seed, user.as_ref(), &mut notes)?;
        plan.take_graph(seed, cards, graph, network, &mut notes)?;
        plan.notes = notes.0;
        Ok(plan)
    }

    fn take_graph(
        &mut self,
        seed: &Seed,
        cards: Option<&[Card]>,
        present: Option<&str>,
        network: Option<Network>,
        notes: &mut Notes,
    ) -> Result<()> {
        if let Some(text) = seed.text("graph.yaml")? {
            if self.graph.is_some() {
                return Err(Error::Seed {
                    file: "graph.yaml".into(),
                    at: None,
                    cause: "user-data brings a graph, too".into(),
                    hint: "leave one of them out".into(),
                });
            }
            self.graph = Some(text.to_owned());
        }
        let name = if seed.has("graph.yaml") {
            "graph.yaml"
        } else {
            "user-data: ngforge: graph"
        };
        let graph = match (&self.graph, present) {
            (Some(text), _) => Some(graphs::check(text, name, cards)?),
            // The graph that is there is not this seed's business, even if it is wrong.
            (None, Some(text)) => graphs::check(text, "graph.yaml", None).ok(),
            (None, None) => None,
        };
        if self.graph.is_some() {
            self.rc.insert("ngforge_enable".into(), "YES".into());
        }
        if let Some(network) = network {
            let owned = graph.map_or(Vec::new(), |graph| graphs::owned(&graph, cards.unwrap_or_default()));
            rc::network(&network, cards, &owned, &mut self.rc, notes)?;
            self.resolver = Resolver {
                servers: network.servers,
                search: network.search,
            };
        }
        if let Some(name) = &self.hostname {
            self.rc.insert("hostname".into(), name.clone());
        }
        Ok(())
    }

    /// The account of that name, which is made if there is none.
    pub(crate) fn account(&mut self, name: &str) -> &mut Account {
        let place = self.accounts.iter().position(|account| account.name == name);
        let place = place.unwrap_or_else(|| {
            self.accounts.push(Account {
                name: name.into(),
                ..Account::default()
            });
            self.accounts.len() - 1
        });
        &mut self.accounts[place]
    }
}

/// The network configuration, from its own file or from user-data.
fn network(seed: &Seed, user: Option<&Node>, notes: &mut Notes) -> Result<Option<Network>> {
    if seed.kind == Kind::ConfigDrive {
        return match seed.text("network_data.json")? {
            Some(text) => openstack::read(&document::json("network_data.json", text)?, notes).map(Some),
            None => Ok(None),
        };
    }
    let own = match seed.text("network-config")? {
        Some(text) => Some(document::yaml("network-config", text)?),
        None => user.and_then(|user| user.get("network")).cloned(),
    };
    let Some(own) = own else { return Ok(None) };
    let config = own.get("network").unwrap_or(&own);
    let version =
        { config.get("version") }.ok_or_else(|| config.error("there is no `version`", "begin with `version: 2`"))?;
    match version.text("version")? {
        "1" => v1::read(config, notes).map(Some),
        "2" => v2::read(config, notes).map(Some),
        other => Err(version.error(format!("version {other:?} is not known"), "use version 1 or 2")),
    }
}

/// The instance-id: a short line.
pub(crate) fn instance(node: &Node, name: &str) -> Result<String> {
    let id = text::line(node, name, 128)?;
    match id.trim() {
        "" => Err(node.error(format!("`{name}` is empty"), "give each instance an id of its own")),
        id => Ok(id.into()),
    }
}
