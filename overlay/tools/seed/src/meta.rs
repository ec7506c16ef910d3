//! meta-data: which instance it is, its name, its keys.

use crate::document::{self, Node, What};
use crate::error::Result;
use crate::keys;
use crate::plan::{self, Notes, Plan};
use crate::text;
use crate::volume::{Kind, Seed};

/// Reads meta-data, or meta_data.json of a config drive.
///
/// # Errors
/// There is none, it has no instance-id, or something in it is wrong.
pub fn read(seed: &Seed, plan: &mut Plan, notes: &mut Notes) -> Result<()> {
    let (file, id) = match seed.kind {
        Kind::NoCloud => ("meta-data", "instance-id"),
        Kind::ConfigDrive => ("meta_data.json", "uuid"),
    };
    let text = seed.text(file)?.unwrap_or_default();
    let node = match seed.kind {
        Kind::NoCloud => document::yaml(file, text)?,
        Kind::ConfigDrive => document::json(file, text)?,
    };
    entries(&node, id, plan, notes)?;
    if plan.instance.is_empty() {
        let hint = format!("write `{id}: NAME` into {file}, another NAME for each instance");
        return Err(node.error(format!("there is no `{id}`"), hint));
    }
    Ok(())
}

fn entries(node: &Node, id: &str, plan: &mut Plan, notes: &mut Notes) -> Result<()> {
    for (key, value) in node.entries("meta-data")? {
        match key.as_str() {
            key if key == id => plan.instance = plan::instance(value, key)?,
            "local-hostname" | "hostname" if value.what != What::Nothing => {
                plan.hostname = Some(text::hostname(value, key)?);
            }
            "public-keys" | "public_keys" => {
                let keys = keys::keys(value, key)?;
                plan.account("root").keys.extend(keys);
            }
            _ => notes.unknown(value, key),
        }
    }
    Ok(())
}
