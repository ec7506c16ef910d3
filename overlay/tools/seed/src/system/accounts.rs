//! Accounts in master.passwd(5) and group(5).

use std::fs;
use std::path::Path;

use super::Done;
use super::change::Change;
use crate::error::{Error, Result};
use crate::plan::Account;

/// Accounts with their passwords.
pub const PASSWORDS: &str = "etc/master.passwd";
/// Groups.
const GROUPS: &str = "etc/group";
/// The first number of accounts that are made.
const FIRST: u32 = 1001;
/// The shell of an account that names none.
const SHELL: &str = "/bin/sh";

/// The files that change so that these accounts are as they are asked for.
///
/// # Errors
/// The files cannot be read.
pub fn changes(root: &Path, accounts: &[Account], done: &mut Done) -> Result<Vec<Change>> {
    let wanted: Vec<&Account> = { accounts.iter() }
        .filter(|account| account.name != "root" || account.hash.is_some())
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (passwords, groups) = (root.join(PASSWORDS), root.join(GROUPS));
    if !passwords.is_file() {
        done.notes
            .push("accounts and passwords: this appliance has no master.passwd".into());
        return Ok(Vec::new());
    }
    let read = |path: &Path| {
        let failed = |error: std::io::Error| Error::System {
            action: "read the accounts",
            path: path.into(),
            cause: error.to_string(),
        };
        fs::read_to_string(path).map_err(failed)
    };
    let mut lines: Vec<String> = read(&passwords)?.lines().map(str::to_owned).collect();
    let mut grouped: Vec<String> = read(&groups)?.lines().map(str::to_owned).collect();
    for account in wanted {
        add(account, &mut lines, &mut grouped, done);
    }
    Ok(vec![
        Change::new(passwords, (lines.join("\n") + "\n").into_bytes(), 0o600),
        Change::new(groups, (grouped.join("\n") + "\n").into_bytes(), 0o644),
    ])
}

fn add(account: &Account, lines: &mut Vec<String>, groups: &mut Vec<String>, done: &mut Done) {
    let name = &account.name;
    match lines.iter_mut().find(|line| line.split(':').next() == Some(name)) {
        Some(line) => change(account, line),
        None => {
            let number = unused(lines, groups);
            let hash = account.hash.as_deref().unwrap_or("*");
            let shell = account.shell.as_deref().unwrap_or(SHELL);
            let gecos = &account.gecos;
            lines.push(format!(
                "{name}:{hash}:{number}:{number}::0:0:{gecos}:/home/{name}:{shell}"
            ));
            groups.push(format!("{name}:*:{number}:"));
        }
    }
    for group in &account.groups {
        match groups.iter_mut().find(|line| line.split(':').next() == Some(group)) {
            Some(line) => join(line, name),
            None => done.notes.push(format!("users: {name}: there is no group {group}")),
        }
    }
}

/// An account that is there gets its password, and its shell if one is named.
fn change(account: &Account, line: &mut String) {
    let mut fields: Vec<&str> = line.split(':').collect();
    if let (Some(hash), Some(field)) = (&account.hash, fields.get_mut(1)) {
        *field = hash;
    }
    if let (Some(shell), Some(field)) = (&account.shell, fields.get_mut(9)) {
        *field = shell;
    }
    *line = fields.join(":");
}

fn join(line: &mut String, name: &str) {
    let members = line.rsplit(':').next().unwrap_or_default();
    if members.split(',').any(|member| member == name) {
        return;
    }
    if !members.is_empty() {
        line.push(',');
    }
    line.push_str(name);
}

/// A number that neither an account nor a group has.
fn unused(lines: &[String], groups: &[String]) -> u32 {
    let all = lines.iter().chain(groups);
    let taken: Vec<u32> = all.filter_map(|line| line.split(':').nth(2)?.parse().ok()).collect();
    (FIRST..).find(|number| !taken.contains(number)).unwrap_or(FIRST)
}
