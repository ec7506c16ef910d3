//! What stays must have what it needs: what a profile took away comes back, and what the appliance file took away is an error.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::Request;
use super::layers::Set;
use super::rcd;
use crate::elf::{Facts, Kld, Needs};
use crate::error::{Error, Result};
use crate::profile::Rules;
use crate::progress::Progress;
use crate::tree::{Body, NodeId, Tree, display, parent};

/// Where FreeBSD's dynamic linker looks after the places that a program names: ldconfig_paths of defaults/rc.conf.
const LIBRARY_FOLDERS: [&str; 5] = [
    "lib",
    "usr/lib",
    "usr/lib/compat",
    "usr/local/lib",
    "usr/local/lib/compat/pkg",
];
/// Where the kernel looks for modules.
const MODULE_FOLDERS: [&str; 2] = ["boot/kernel", "boot/modules"];
/// The kernel.
const KERNEL: &[u8] = b"boot/kernel/kernel";
/// More links in a row lead nowhere (MAXSYMLINKS).
const MOST_LINKS: usize = 32;

/// A tree, what was taken out of it, and what files need.
#[derive(Debug)]
pub struct World {
    /// What stays.
    pub tree: Tree,
    /// What was taken out, with the number of the rule.
    pub gone: BTreeMap<Vec<u8>, (NodeId, usize)>,
    /// What files need.
    pub facts: HashMap<NodeId, Facts>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            tree: Tree::new(),
            gone: BTreeMap::new(),
            facts: HashMap::new(),
        }
    }
}

/// The rules of a request.
///
/// # Errors
/// The profile cannot be read.
pub fn rules(request: &Request) -> Result<Rules> {
    let spec = &request.spec;
    // Without the text a rule is told without its line.
    let text = std::fs::read_to_string(&request.spec_file).unwrap_or_default();
    let file = request.spec_file.display().to_string();
    Rules::new(spec.profile, &spec.prune, &spec.keep, &file, &text)
}

/// Brings back what something needs, and takes away start scripts without a program.
///
/// # Errors
/// The appliance file takes away what something needs.
pub fn settle(
    world: &mut World,
    request: &Request,
    rules: &Rules,
    sets: &[Set],
    progress: &dyn Progress,
) -> Result<()> {
    let taken = world.gone.len();
    let mut work = Work {
        rules,
        brought: 0,
        absent: BTreeMap::new(),
        todo: VecDeque::new(),
        world,
    };
    work.modules_by_name(request)?;
    rcd::tidy(work.world, rules, sets, progress)?;
    work.todo.extend(work.world.tree.iter().map(|(path, _)| path.to_vec()));
    work.pam(sets)?;
    work.run()?;
    for (needed, by) in &work.absent {
        progress.note(&format!("{by} needs {needed}, which no set has"));
    }
    let brought = work.brought;
    if taken > 0 {
        progress.note(&format!(
            "profile {}: {} paths left out, {brought} came back because something needs them",
            format!("{:?}", request.spec.profile).to_lowercase(),
            world.gone.len()
        ));
    }
    Ok(())
}

struct Work<'a> {
    world: &'a mut World,
    rules: &'a Rules,
    brought: usize,
    /// What no set has, and who needs it.
    absent: BTreeMap<String, String>,
    todo: VecDeque<Vec<u8>>,
}

/// What became of a search.
enum Found {
    Here,
    Nowhere,
}

impl Work<'_> {
    fn run(&mut self) -> Result<()> {
        let providers = self.providers();
        while let Some(path) = self.todo.pop_front() {
            let Some(facts) = self.world.tree.id(&path).and_then(|id| self.world.facts.get(&id)) else {
                continue;
            };
            match facts.clone() {
                Facts::Program(needs) => self.program(&path, &needs)?,
                Facts::Script(interpreter) => self.need(&path, &interpreter, std::slice::from_ref(&interpreter))?,
                Facts::Kld(kld) => self.kld(&path, &kld, &providers)?,
            }
        }
        Ok(())
    }

    fn program(&mut self, path: &[u8], needs: &Needs) -> Result<()> {
        if let Some(interpreter) = &needs.interpreter {
            self.need(path, interpreter, std::slice::from_ref(interpreter))?;
        }
        let own = display(parent(path));
        let folders: Vec<String> = needs
            .search
            .iter()
            .map(|folder| folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", &own))
            .chain(LIBRARY_FOLDERS.map(str::to_owned))
            .collect();
        for library in &needs.libraries {
            let places: Vec<String> = match library.contains('/') {
                true => vec![library.clone()],
                false => folders.iter().map(|folder| format!("{folder}/{library}")).collect(),
            };
            self.need(path, library, &places)?;
        }
        Ok(())
    }

    fn kld(&mut self, path: &[u8], kld: &Kld, providers: &Providers) -> Result<()> {
        for name in &kld.depends {
            if providers.kernel.contains(name) {
                continue;
            }
            if let Some(places) = providers.files.get(name) {
                self.need(path, name, places)?;
            }
        }
        Ok(())
    }

    /// Sees to it that one of these places is there.
    fn need(&mut self, by: &[u8], what: &str, places: &[String]) -> Result<()> {
        for place in places {
            if let Found::Here = self.bring(by, what, normal(place.as_bytes()))? {
                return Ok(());
            }
        }
        self.absent.entry(what.to_owned()).or_insert_with(|| display(by));
        Ok(())
    }

    /// Follows links from a place to a file, and brings back what was taken on the way.
    fn bring(&mut self, by: &[u8], what: &str, mut place: Vec<u8>) -> Result<Found> {
        for _ in 0..MOST_LINKS {
            let Some((at, rest)) = self.first_link_or_gone(&place) else {
                let there = self.world.tree.id(&place).is_some();
                return Ok(if there { Found::Here } else { Found::Nowhere });
            };
            if self.world.tree.id(&at).is_none() {
                self.restore(by, what, &at)?;
                continue;
            }
            match self.world.tree.get(&at).map(|node| &node.body) {
                Some(Body::Symlink(target)) => place = followed(&at, target, &rest),
                _ => return Ok(Found::Nowhere),
            }
        }
        Ok(Found::Nowhere)
    }

    /// The first part of a path that is a link or was taken out, and what follows it.
    fn first_link_or_gone(&self, path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let ends = path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(|(at, _)| at);
        ends.chain([path.len()]).find_map(|end| {
            let part = &path[..end];
            let special = match self.world.tree.get(part) {
                Some(node) => matches!(node.body, Body::Symlink(_)),
                None => self.world.gone.contains_key(part),
            };
            special.then(|| (part.to_vec(), path[end..].to_vec()))
        })
    }

    fn restore(&mut self, by: &[u8], what: &str, path: &[u8]) -> Result<()> {
        let Some((id, rule)) = self.world.gone.get(path).copied() else {
            return Ok(());
        };
        let rule = self.rules.get(rule);
        if rule.is_own() {
            return Err(Error::Tree {
                path: display(by),
                cause: format!(
                    "needs {what} ({}), which the pattern `{}` in {} leaves out",
                    display(path),
                    rule.pattern,
                    rule.place
                ),
                hint: format!(
                    "add `- {}` to `keep:` in the appliance file, or prune {} as well",
                    String::from_utf8_lossy(path),
                    display(by)
                ),
            });
        }
        self.world.gone.remove(path);
        self.world.tree.attach(path, id)?;
        self.brought += 1;
        self.todo.push_back(path.to_vec());
        Ok(())
    }

    /// Brings the kernel modules that the appliance names.
    fn modules_by_name(&mut self, request: &Request) -> Result<()> {
        let spec = &request.spec;
        let listed = spec
            .rc_conf
            .get("kld_list")
            .into_iter()
            .flat_map(|list| list.split_whitespace());
        let loaded = { spec.loader_conf.iter() }
            .filter(|(_, value)| value.eq_ignore_ascii_case("yes"))
            .filter_map(|(key, _)| key.strip_suffix("_load"));
        let names = listed
            .chain(loaded)
            .chain(request.kernel_modules.iter().map(String::as_str));
        let names: BTreeSet<String> = names.map(|name| name.trim_end_matches(".ko").to_owned()).collect();
        for name in names {
            for folder in MODULE_FOLDERS {
                let file = format!("{folder}/{name}.ko");
                self.bring(b"the appliance", &name, file.into_bytes())?;
            }
        }
        Ok(())
    }

    /// Which files bring a kernel module, among those that stay and those that were taken.
    fn providers(&self) -> Providers {
        let mut providers = Providers::default();
        let here = self.world.tree.iter();
        let gone = self.world.gone.iter().map(|(path, (id, _))| (path.as_slice(), *id));
        for (path, id) in here.chain(gone) {
            let Some(Facts::Kld(kld)) = self.world.facts.get(&id) else {
                continue;
            };
            if path == KERNEL {
                providers.kernel.extend(kld.provides.iter().cloned());
            } else if path.ends_with(b".ko") {
                for name in &kld.provides {
                    let file = String::from_utf8_lossy(path).into_owned();
                    providers.files.entry(name.clone()).or_default().push(file);
                }
            }
        }
        providers
    }

    /// Brings the modules that the files of pam.d(5) name: they are loaded by name.
    fn pam(&mut self, sets: &[Set]) -> Result<()> {
        let start = b"etc/pam.d/";
        let policies = self.world.tree.iter().filter(|(path, _)| path.starts_with(start));
        let mut wanted = Vec::new();
        for (path, id) in policies {
            let text = rcd::text(self.world.tree.node(id), sets)?;
            let modules = text.lines().filter(|line| !line.starts_with('#'));
            let modules = modules.filter_map(|line| line.split_whitespace().find(|word| word.ends_with(".so")));
            wanted.extend(modules.map(|module| (path.to_vec(), module.to_owned())));
        }
        for (path, module) in wanted {
            let places = ["usr/lib", "usr/local/lib"].map(|folder| format!("{folder}/{module}"));
            self.need(&path, &module, &places)?;
        }
        Ok(())
    }
}

/// Who brings which kernel module.
#[derive(Default)]
struct Providers {
    kernel: BTreeSet<String>,
    files: BTreeMap<String, Vec<String>>,
}

/// Where a link leads, with what follows it.
fn followed(link: &[u8], target: &[u8], rest: &[u8]) -> Vec<u8> {
    let from: &[u8] = if target.starts_with(b"/") { b"" } else { parent(link) };
    normal(&[from, b"/", target, rest].concat())
}

/// A path without empty names, `.` and `..`, relative to the root.
fn normal(path: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join(&b'/')
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;
