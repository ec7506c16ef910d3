//! How the files of two appliances differ, by their lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::Result;
use crate::provenance::{Account, Record};

/// Most lines: who has more to tell looks at the lists.
const LINES: usize = 50;

/// One line for each path that only one list has, or that has other properties in the other.
///
/// # Errors
/// A list cannot be read.
pub fn differences(first: &Path, second: &Path) -> Result<Vec<String>> {
    let (one, other) = (Account::load(first)?, Account::load(second)?);
    let by_path = |account: Account| -> BTreeMap<String, Record> {
        { account.files.into_iter() }
            .map(|record| (record.path.clone(), record))
            .collect()
    };
    let (one, other) = (by_path(one), by_path(other));
    let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let lines = paths
        .into_iter()
        .filter_map(|path| difference(path, one.get(path), other.get(path)));
    let mut lines: Vec<String> = lines.collect();
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("and {more} more files differ: compare the lists with diff(1)"));
    }
    Ok(lines)
}

fn difference(path: &str, one: Option<&Record>, other: Option<&Record>) -> Option<String> {
    let (Some(one), Some(other)) = (one, other) else {
        let which = if one.is_some() { "first" } else { "second" };
        return Some(format!("{path}: only in the {which} build"));
    };
    if one == other {
        return None;
    }
    let value = |record| serde_json::to_value(record).unwrap_or_default();
    let (a, b) = (value(one), value(other));
    let keys = [&a, &b]
        .into_iter()
        .filter_map(|value| value.as_object())
        .flat_map(|keys| keys.keys());
    let keys: BTreeSet<&String> = keys.filter(|key| a[*key] != b[*key]).collect();
    let words: Vec<String> = { keys.into_iter() }
        .map(|key| format!("{key} is {} and {}", a[key], b[key]))
        .collect();
    Some(format!("{path} (from {}): {}", one.origin, words.join(", ")))
}
