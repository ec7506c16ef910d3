//! `ng-update cfg diff` and `ng-update cfg list`.

use std::process::Command;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;

use super::Work;
use super::changes::{Changed, changes};
use super::snapshot::{Kind, Snapshot};
use crate::failure::{Failure, Result};
use crate::terminal::print;

/// Show what is changed and not saved; exit status 1 if there is something
#[derive(Debug, Args)]
pub struct Diff {
    /// Compare with what came with the image, saved or not
    #[arg(long)]
    image: bool,

    /// Names alone: A added, M changed, D removed
    #[arg(long)]
    names: bool,
}

impl Diff {
    pub(super) fn run(&self, work: &Work<'_>) -> Result<()> {
        let before = if self.image { work.image()? } else { work.effective()? };
        let after = work.live()?;
        let all = changes(&before, &after);
        if work.place.json {
            print(&format!("{}\n", json!({"changes": all})))?;
        } else {
            let text = all.iter().map(|one| self.describe(one, &before, &after));
            print(&text.collect::<String>())?;
        }
        match all.is_empty() {
            true => Ok(()),
            false => Err(Failure::Different),
        }
    }

    fn describe(&self, changed: &Changed, before: &Snapshot, after: &Snapshot) -> String {
        let name = format!("{} /etc/{}\n", changed.change, changed.path.display());
        match self.names {
            true => name,
            false => name + &lines(changed, before, after),
        }
    }
}

/// What diff(1) says about two files, without its own first lines.
fn lines(changed: &Changed, before: &Snapshot, after: &Snapshot) -> String {
    let files = [before, after].map(|side| side.0.get(&changed.path));
    let [Some(old), Some(new)] = files else {
        return String::new();
    };
    let both = matches!((&old.kind, &new.kind), (Kind::File { .. }, Kind::File { .. }));
    if !both || old.kind == new.kind {
        return String::new();
    }
    if changed.path.to_string_lossy().contains("master.passwd") || old.mode & 0o077 == 0 || new.mode & 0o077 == 0 {
        return "  (not shown: only its owner may read it)\n".into();
    }
    let output = Command::new("diff").arg("-u").arg(&old.path).arg(&new.path).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    text.lines().skip(2).map(|line| format!("  {line}\n")).collect()
}

/// Shows what was saved when.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn list(work: &Work<'_>) -> Result<()> {
    let current = work.store.current()?;
    let mut text = String::new();
    let mut rows = Vec::new();
    for saved in work.store.list()? {
        let names = Snapshot::of(&work.store.etc(saved.number))?.0;
        let files = names.values().filter(|entry| entry.kind != Kind::Folder).count();
        let counts = current == Some(saved.number);
        let at = saved.at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let at = at.map_or(0, |at| at.as_secs());
        rows.push(json!({"number": saved.number, "files": files, "current": counts, "at": at}));
        let mark = if counts { "*" } else { " " };
        text += &format!("{mark} {:4}  {}  {files} files\n", saved.number, utc(at));
    }
    match work.place.json {
        true => print(&format!("{}\n", json!({"saved": rows}))),
        false => print(&text),
    }
}

/// A moment in the form of RFC 3339, from seconds since 1970.
///
/// The days are counted as in Howard Hinnant's `civil_from_days`.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, late) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + late;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_date_writes_them() {
        let rows = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in rows {
            assert_eq!(utc(seconds), text);
        }
    }
}
