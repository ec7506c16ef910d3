//! Which paths of the sets stay: the profile's lists, and the appliance's own on top.
//!
//! The first of these that names a path, or a folder above it, decides: `keep` of the appliance, `prune` of the
//! appliance, `keep` of the profile, `prune` of the profile. What none names stays.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use super::Profile;
use crate::build::glob;
use crate::error::Result;
use crate::suggest;
use crate::tree::{NodeId, Tree, parent};

/// A pattern and where it stands.
#[derive(Debug)]
pub struct Rule {
    /// As it is written.
    pub pattern: String,
    /// Such as `overlay/appliance.yaml:31`.
    pub place: String,
    list: List,
    used: Cell<bool>,
}

/// Which list a pattern is from, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Keep,
    Prune,
    ProfileKeep,
    ProfilePrune,
}

impl Rule {
    /// Whether it is the appliance's own.
    pub fn is_own(&self) -> bool {
        self.list < List::ProfileKeep
    }

    fn matches(&self, path: &[u8]) -> bool {
        glob::matches(self.pattern.trim_matches('/').as_bytes(), path)
    }
}

/// All patterns, the strongest list first.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

/// What was taken out of a tree.
#[derive(Debug, Default)]
pub struct Selected {
    /// Each path with what was there, and which rule took it.
    pub gone: BTreeMap<Vec<u8>, (NodeId, usize)>,
}

/// The strongest rule of those that take and of those that keep a path or a folder above it, for each side.
type Standing = [Option<usize>; 4];

impl Rules {
    /// The rules of a profile and of an appliance file, whose text tells the lines.
    ///
    /// # Errors
    /// The profile cannot be read.
    pub fn new(profile: Profile, prune: &[String], keep: &[String], file: &str, text: &str) -> Result<Self> {
        let lists = profile.lists()?;
        let own = |key, list, patterns: &[String]| rules(key, list, patterns, file, text);
        let given = |key, list, patterns: &[String]| rules(key, list, patterns, profile.file(), profile.text());
        let mut all = own("keep", List::Keep, keep);
        all.extend(own("prune", List::Prune, prune));
        all.extend(given("keep", List::ProfileKeep, &lists.keep));
        all.extend(given("prune", List::ProfilePrune, &lists.prune));
        Ok(Self(all))
    }

    /// The rule with this number.
    pub fn get(&self, number: usize) -> &Rule {
        &self.0[number]
    }

    /// Takes out of a tree what the rules say.
    pub fn apply(&self, tree: &mut Tree) -> Selected {
        let mut standings: HashMap<&[u8], Standing> = HashMap::new();
        let mut gone = BTreeMap::new();
        let mut staying: Vec<&[u8]> = Vec::new();
        for (path, id) in tree.iter().filter(|(path, _)| !path.is_empty()) {
            let above = standings.get(parent(path)).copied().unwrap_or_default();
            let standing = self.standing(path, above);
            standings.insert(path, standing);
            match taken_by(standing) {
                Some(rule) => drop(gone.insert(path.to_vec(), (id, rule))),
                None => staying.push(path),
            }
        }
        for path in staying {
            let mut folder = parent(path);
            while gone.remove(folder).is_some() {
                folder = parent(folder);
            }
        }
        for path in gone.keys() {
            tree.detach(path);
        }
        Selected { gone }
    }

    fn standing(&self, path: &[u8], mut standing: Standing) -> Standing {
        for (number, rule) in self.0.iter().enumerate() {
            let side = &mut standing[rule.list as usize];
            if (side.is_none() || !rule.used.get()) && rule.matches(path) {
                rule.used.set(true);
                side.get_or_insert(number);
            }
        }
        standing
    }

    /// A line for each of the appliance's own patterns that matches nothing; to be asked after [`Rules::apply`].
    pub fn idle(&self, known: &[&[u8]]) -> Vec<String> {
        let idle = self.0.iter().filter(|rule| rule.is_own() && !rule.used.get());
        idle.map(|rule| {
            let near = nearest(&rule.pattern, known);
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("{}: the pattern `{}` matches nothing{hint}", rule.place, rule.pattern)
        })
        .collect()
    }
}

fn taken_by(standing: Standing) -> Option<usize> {
    match standing {
        [Some(_), ..] => None,
        [_, Some(rule), ..] => Some(rule),
        [_, _, Some(_), _] => None,
        [_, _, _, rule] => rule,
    }
}

fn rules(key: &str, list: List, patterns: &[String], file: &str, text: &str) -> Vec<Rule> {
    let mut from = suggest::find_key(text, key).0;
    let rules = patterns.iter().map(|pattern| {
        from = line_of(text, pattern, from);
        Rule {
            pattern: pattern.clone(),
            place: format!("{file}:{from}"),
            list,
            used: Cell::new(false),
        }
    });
    rules.collect()
}

/// The first line that has a pattern in it, from line `from` on; `from` if there is none.
fn line_of(text: &str, pattern: &str, from: usize) -> usize {
    let mut lines = text.lines().zip(1usize..).skip(from.saturating_sub(1));
    lines
        .find(|(line, _)| line.contains(pattern))
        .map_or(from, |(_, number)| number)
}

/// The path most like a pattern that has no wildcards.
fn nearest(pattern: &str, known: &[&[u8]]) -> Option<String> {
    let pattern = pattern.trim_matches('/');
    if glob::literal_start(pattern.as_bytes()) < pattern.len() {
        return None;
    }
    let depth = pattern.matches('/').count();
    let folder = parent(pattern.as_bytes());
    let alike = |path: &&&[u8]| {
        let same_name = path.ends_with(&pattern.as_bytes()[folder.len()..]) && !folder.is_empty();
        same_name || parent(path) == folder && path.iter().filter(|byte| **byte == b'/').count() == depth
    };
    let names = known
        .iter()
        .filter(alike)
        .map(|path| String::from_utf8_lossy(path).into_owned());
    let names: Vec<String> = names.collect();
    suggest::nearest(pattern, names.iter().map(String::as_str)).map(str::to_owned)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
