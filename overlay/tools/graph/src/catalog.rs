//! What is known of the node types that come with FreeBSD: their hooks, how long their nodes live, what can be set and
//! asked, and between which hooks they pass frames on. Of all other types the kernel alone knows.
//!
//! Source: section 4 of the manual, ng_<type>(4), of FreeBSD 14 and 15, and the methods of the types where it is silent.
//! The types stand in one table per family; each says what differs from a plain one (`Type::named`).

mod bluetooth;
mod ethernet;
mod filter;
mod hooks;
mod internet;
mod passes;
mod ppp;
mod serial;

pub use hooks::Hooks;
pub use passes::Passes;

/// A node type.
#[derive(Debug)]
pub struct Type {
    /// Its name.
    pub name: &'static str,
    /// The kernel module that brings it, where that is not called `ng_<name>`.
    module: Option<&'static str>,
    /// Which hooks its nodes accept; no other ones.
    pub hooks: &'static [Hooks],
    /// How many hooks a node can have at once, where that is fewer than it has names for.
    pub most: Option<usize>,
    /// Sets of hooks of which only one can be in use.
    pub alternatives: &'static [&'static [&'static str]],
    /// Hooks without which a node does nothing of use.
    pub needs: &'static [&'static str],
    /// How long its nodes live.
    pub life: Life,
    /// Hooks that take the node along when they go, whatever else is connected.
    pub dies_with: &'static [&'static str],
    /// Whether a message `setpersistent` makes a node outlive its last hook.
    pub persistent: bool,
    /// Hooks that can be connected for a while without changing what the node does.
    spare: &'static [Hooks],
    /// What can be set by one message and asked by another one.
    pub settings: &'static [Setting],
    /// Commands, and fields of arguments, whose value netgraph reads in double quotes.
    pub texts: &'static [&'static str],
    /// Between which hooks a frame that comes in by one leaves by another.
    pub passes: Passes,
}

/// When a node goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// With its last hook.
    LastHook,
    /// Never: only when it is shut down. It is made by a first link with this hook.
    Lasting(&'static str),
    /// It cannot be made by a message, and comes and goes with something else, such as an interface.
    Given,
}

/// A pair of messages that set and ask the same.
#[derive(Debug)]
pub struct Setting {
    /// The command that sets it.
    pub set: &'static str,
    /// The command that asks for it; its answer is in the form of the arguments of the one that sets.
    pub get: &'static str,
    /// The field among the arguments of `set` whose value `get` takes as its argument: a node has such a setting for each
    /// hook or session. None where `get` takes none.
    pub key: Option<&'static str>,
    /// What a new node has, in the words of the answer, where that is always the same.
    pub default: Option<&'static str>,
}

impl Type {
    /// A type whose nodes accept hooks of any name, live as long as they have one, and pass nothing on.
    const fn named(name: &'static str) -> Self {
        Self {
            name,
            module: None,
            hooks: &[Hooks::Any],
            most: None,
            alternatives: &[],
            needs: &[],
            life: Life::LastHook,
            dies_with: &[],
            persistent: false,
            spare: &[],
            settings: &[],
            texts: &[],
            passes: Passes::Nothing,
        }
    }

    /// The kernel module that brings the type.
    #[must_use]
    pub fn module(&self) -> String {
        self.module.map_or_else(|| format!("ng_{}", self.name), str::to_owned)
    }

    /// Whether nodes of the type accept a hook of that name.
    #[must_use]
    pub fn accepts(&self, hook: &str) -> bool {
        self.hooks.iter().any(|hooks| hooks.accepts(hook))
    }

    /// The setting that a command sets.
    #[must_use]
    pub fn setting(&self, set: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.set == set)
    }
}

impl Setting {
    /// One that a node has once.
    const fn pair(set: &'static str, get: &'static str) -> Self {
        Self {
            set,
            get,
            key: None,
            default: None,
        }
    }

    /// One whose new nodes are all alike.
    const fn with_default(set: &'static str, get: &'static str, default: &'static str) -> Self {
        Self {
            set,
            get,
            key: None,
            default: Some(default),
        }
    }

    /// One for each hook or session, which that field names.
    const fn keyed(set: &'static str, get: &'static str, key: &'static str) -> Self {
        Self {
            set,
            get,
            key: Some(key),
            default: None,
        }
    }
}

const FAMILIES: [&[Type]; 6] = [
    ethernet::TYPES,
    filter::TYPES,
    internet::TYPES,
    ppp::TYPES,
    serial::TYPES,
    bluetooth::TYPES,
];

/// Every type that is known here.
pub fn all() -> impl Iterator<Item = &'static Type> {
    FAMILIES.into_iter().flatten()
}

/// The names of all types that are known here.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|kind| kind.name)
}

/// The type of that name, if it is known here.
#[must_use]
pub fn find(type_name: &str) -> Option<&'static Type> {
    all().find(|kind| kind.name == type_name)
}

/// What to say when nodes of the type accept no hook of that name; None when they do, or when the type is not known here.
#[must_use]
pub fn objection(type_name: &str, hook: &str) -> Option<String> {
    let kind = find(type_name)?;
    (!kind.accepts(hook)).then(|| hooks::hint(kind.hooks, hook))
}

/// The hook by which a node can be made that nothing connects to, for types whose nodes live without links.
#[must_use]
pub fn of_lasting_type(type_name: &str) -> Option<&'static str> {
    match find(type_name)?.life {
        Life::Lasting(hook) => Some(hook),
        Life::LastHook | Life::Given => None,
    }
}

/// A hook that a node of the type would accept besides those in use, to hold it by while its links change; none whose
/// coming or going would change what the node does.
#[must_use]
pub fn spare_hook(type_name: &str, in_use: &dyn Fn(&str) -> bool) -> Option<String> {
    let kind = find(type_name)?;
    let alike = |name: &str| {
        let mut sets = kind.alternatives.iter().filter(|set| set.contains(&name));
        sets.any(|set| set.iter().any(|other| in_use(other)))
    };
    kind.spare
        .iter()
        .find_map(|hooks| hooks.free(&|name| in_use(name) || alike(name)))
}

/// A hook that a node of the type would accept besides those in use, while no other one is connected: whatever it does, there
/// is nothing to do it to. One that takes the node along when it goes is none.
#[must_use]
pub fn free_hook(type_name: &str, in_use: &dyn Fn(&str) -> bool) -> Option<String> {
    let kind = find(type_name)?;
    let is_bad = |name: &str| in_use(name) || kind.dies_with.contains(&name);
    spare_hook(type_name, &is_bad).or_else(|| kind.hooks.iter().find_map(|hooks| hooks.free(&is_bad)))
}

#[cfg(test)]
mod tests;
