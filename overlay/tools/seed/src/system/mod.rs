//! The appliance that a plan is applied to.
//!
//! All files are made beside those that they replace, then given their names one after the other; whatever fails, those that
//! were replaced come back. What tells that a seed was applied is one of the files: with `ng-update cfg save`, which replaces
//! what is saved in one step, it is saved together with all that it stands for, or nothing is, and the next boot begins anew.

mod accounts;
mod cards;
mod change;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::network::Card;
use crate::plan::{Plan, Resolver};
use change::{Change, Changes};

/// What ng-seed keeps of its own.
const OWN: &str = "usr/local/etc/ngforge/seed";
/// Where the graph is.
const GRAPH: &str = "usr/local/etc/ngforge/graph.yaml";
/// Makes the account databases.
const DATABASES: &str = "usr/sbin/pwd_mkdb";
/// Saves what is below /etc.
const SAVE: &str = "usr/local/sbin/ng-update";

/// An appliance, by its root folder.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

/// What was done about a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The files that were written.
    pub files: usize,
    /// What could not be done here, though it is right.
    pub notes: Vec<String>,
}

impl Machine {
    /// The one whose root folder this is.
    pub fn at(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// Its network cards.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn cards(&self) -> Result<Vec<Card>> {
        cards::list()
    }

    /// The text of its graph, if it has one.
    pub fn graph(&self) -> Option<String> {
        fs::read_to_string(self.root.join(GRAPH)).ok()
    }

    /// The instance-id of the seed that was applied last.
    pub fn instance(&self) -> Option<String> {
        let text = fs::read_to_string(self.own("instance")).ok()?;
        Some(text.trim_end().to_owned())
    }

    fn own(&self, name: &str) -> PathBuf {
        self.root.join(OWN).join(name)
    }

    /// Does all that a plan says, or nothing.
    ///
    /// # Errors
    /// A file cannot be written; what there was is there again.
    pub fn apply(&self, plan: &Plan) -> Result<Done> {
        let mut done = Done::default();
        let changes = self.changes(plan, &mut done)?;
        done.files = changes.len();
        let has_accounts = changes.has(&self.root.join(accounts::PASSWORDS));
        let applied = changes.apply()?;
        if has_accounts && let Err(error) = self.make_databases() {
            applied.undo();
            // The databases follow the file that is there again.
            let _ = self.make_databases();
            return Err(error);
        }
        Ok(done)
    }

    fn changes(&self, plan: &Plan, done: &mut Done) -> Result<Changes> {
        let mut all = Changes::default();
        let mut put = |path: PathBuf, text: String, mode| all.push(Change::new(path, text.into_bytes(), mode));
        if !plan.rc.is_empty() {
            let path = self.root.join("etc/rc.conf.local");
            let lines: String = plan
                .rc
                .iter()
                .map(|(key, value)| format!("{key}=\"{value}\"\n"))
                .collect();
            put(path.clone(), with_block(&path, &lines), 0o644);
        }
        if let (Some(name), path) = (&plan.hostname, self.root.join("etc/hostname"))
            && path.is_file()
        {
            put(path, format!("{name}\n"), 0o644);
        }
        if plan.resolver != Resolver::default() {
            let path = self.root.join("etc/resolvconf.conf");
            put(path.clone(), with_block(&path, &resolvconf(&plan.resolver)), 0o644);
            put(self.root.join("etc/resolv.conf"), resolv(&plan.resolver), 0o644);
        }
        if let Some(graph) = &plan.graph {
            put(self.root.join(GRAPH), graph.clone(), 0o644);
        }
        for account in plan.accounts.iter().filter(|account| !account.keys.is_empty()) {
            put(
                self.own("keys").join(&account.name),
                account.keys.join("\n") + "\n",
                0o644,
            );
        }
        if !plan.commands.is_empty() {
            put(self.own("commands"), format!("{}\n", plan.commands.join("\n")), 0o600);
        }
        put(self.own("instance"), format!("{}\n", plan.instance), 0o644);
        for change in accounts::changes(&self.root, &plan.accounts, done)? {
            all.push(change);
        }
        for file in &plan.files {
            all.push(self.file(file)?);
        }
        Ok(all)
    }

    fn file(&self, file: &crate::plan::File) -> Result<Change> {
        let path = self.root.join(file.path.trim_start_matches('/'));
        self.check_place(&path)?;
        let mut content = match file.append {
            true => fs::read(&path).unwrap_or_default(),
            false => Vec::new(),
        };
        content.extend_from_slice(&file.content);
        Ok(Change::new(path, content, file.mode))
    }

    /// A folder on the way may be a link that leads elsewhere.
    fn check_place(&self, path: &Path) -> Result<()> {
        let there = path.ancestors().skip(1).find_map(|folder| folder.canonicalize().ok());
        let allowed = ["etc", "usr/local/etc"].map(|folder| self.root.join(folder).canonicalize());
        let is_in = |folder: &PathBuf| there.as_ref().is_some_and(|there| there.starts_with(folder));
        if allowed.iter().flatten().any(is_in) && !path.is_dir() {
            return Ok(());
        }
        Err(Error::System {
            action: "write the file",
            path: path.into(),
            cause: "it is a folder, or a link leads out of /etc and /usr/local/etc".into(),
        })
    }

    fn make_databases(&self) -> Result<()> {
        let program = self.root.join(DATABASES);
        if !program.is_file() {
            return Ok(());
        }
        let passwords = self.root.join(accounts::PASSWORDS);
        run(
            Command::new(&program).arg("-p").arg(&passwords),
            "make the account databases",
        )
    }

    /// Saves what is below /etc for the next boots, where the appliance has means to.
    ///
    /// # Errors
    /// It is not saved.
    pub fn save(&self) -> Result<()> {
        let program = self.root.join(SAVE);
        if !program.is_file() {
            return Ok(());
        }
        run(Command::new(program).args(["cfg", "save"]), "save the configuration")
    }

    /// The commands of the seed that was applied last, once: they are not given again, whatever becomes of them.
    ///
    /// # Errors
    /// They cannot be put away.
    pub fn take_commands(&self) -> Result<Option<PathBuf>> {
        let (waiting, taken) = (self.own("commands"), self.own("commands.ran"));
        match fs::rename(&waiting, &taken) {
            Ok(()) => self.save().map(|()| Some(taken)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::System {
                action: "put the commands away",
                path: waiting,
                cause: error.to_string(),
            }),
        }
    }
}

fn run(command: &mut Command, action: &'static str) -> Result<()> {
    let path = PathBuf::from(command.get_program());
    let failed = |cause| Error::System {
        action,
        path: path.clone(),
        cause,
    };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(format!(
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}

/// First and last line of what is ours in a file that the owner may have, too.
const MARKS: [&str; 2] = ["# ng-seed: begin", "# ng-seed: end"];

/// The text of a file with our lines at its end, in place of those of an earlier seed.
fn with_block(path: &Path, lines: &str) -> String {
    let old = fs::read_to_string(path).unwrap_or_default();
    let mut text = String::new();
    let mut ours = false;
    for line in old.lines() {
        ours |= line == MARKS[0];
        if !ours {
            text += &format!("{line}\n");
        }
        ours &= line != MARKS[1];
    }
    format!("{text}{}\n{lines}{}\n", MARKS[0], MARKS[1])
}

fn words<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

/// resolvconf.conf(5): what DHCP says comes behind.
fn resolvconf(resolver: &Resolver) -> String {
    format!(
        "name_servers=\"{}\"\nsearch_domains=\"{}\"\n",
        words(&resolver.servers),
        words(&resolver.search)
    )
}

/// resolver(5).
fn resolv(resolver: &Resolver) -> String {
    let servers = resolver.servers.iter().map(|server| format!("nameserver {server}\n"));
    let search = (!resolver.search.is_empty()).then(|| format!("search {}\n", words(&resolver.search)));
    search.into_iter().chain(servers).collect()
}
