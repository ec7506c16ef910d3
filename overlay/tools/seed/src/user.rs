//! user-data: `#cloud-config`.

use base64ct::{Base64, Encoding};

use crate::document::{self, Node, What};
use crate::error::{Error, Result};
use crate::plan::{File, Notes, Plan};
use crate::volume::{Kind, Seed};
use crate::{keys, text};

/// What the first line has to be.
const HEADER: &str = "#cloud-config";
/// Where files may be written: what is saved across boots.
const FOLDERS: [&str; 2] = ["/etc/", "/usr/local/etc/"];
/// What other keys of the seed write, and what would lock everybody out if it were half a file.
const RESERVED: [&str; 8] = [
    "/etc/group",
    "/etc/master.passwd",
    "/etc/passwd",
    "/etc/pwd.db",
    "/etc/rc.conf.local",
    "/etc/spwd.db",
    "/etc/resolvconf.conf",
    "/usr/local/etc/ngforge/graph.yaml",
];

/// Reads user-data and gives back its tree, for what else is in it.
///
/// # Errors
/// It is of a kind that is not taken, or something in it is wrong.
pub fn read(seed: &Seed, plan: &mut Plan, notes: &mut Notes) -> Result<Option<Node>> {
    if seed.has("vendor-data") || seed.has("vendor_data.json") {
        notes.add("vendor-data".into());
    }
    let file = match seed.kind {
        Kind::NoCloud => "user-data",
        Kind::ConfigDrive => "user_data",
    };
    let Some(text) = seed.text(file)? else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(None);
    }
    check_kind(file, text)?;
    let node = document::yaml(file, text)?;
    for (key, value) in node.entries(file)? {
        entry(key, value, plan, notes)?;
    }
    Ok(Some(node))
}

fn check_kind(file: &str, text: &str) -> Result<()> {
    let first = text.lines().next().unwrap_or_default().trim_end();
    let cause = match first {
        HEADER => return Ok(()),
        line if line.starts_with("#!") => "is a script",
        line if line.starts_with("## template:") => "is a template",
        line if line.to_ascii_lowercase().starts_with("content-type:") => "has several parts (MIME)",
        _ => "does not begin with `#cloud-config`",
    };
    Err(Error::Seed {
        file: file.into(),
        at: Some(graph::Position { line: 1, column: 1 }),
        cause: cause.into(),
        hint: format!("begin it with the line `{HEADER}`; commands go below `runcmd:`"),
    })
}

fn entry(key: &str, value: &Node, plan: &mut Plan, notes: &mut Notes) -> Result<()> {
    match key {
        "hostname" if plan.hostname.is_none() || value.what != What::Nothing => {
            plan.hostname = Some(text::hostname(value, key)?);
        }
        "fqdn" => plan.hostname = Some(text::hostname(value, key)?),
        "ssh_authorized_keys" => {
            let keys = keys::keys(value, key)?;
            plan.account("root").keys.extend(keys);
        }
        "users" => { value.items(key)?.iter() }.try_for_each(|item| user(item, plan, notes))?,
        "password" => plan.account("root").hash = Some(text::password_hash(value, key)?),
        "chpasswd" => chpasswd(value, plan, notes)?,
        "write_files" => {
            for item in value.items(key)? {
                plan.files.push(file(item, notes)?);
            }
        }
        "runcmd" => {
            for item in value.items(key)? {
                plan.commands.push(command(item)?);
            }
        }
        "ngforge" => ngforge(value, plan, notes)?,
        // Read with the other forms of network configuration.
        "network" => {}
        "ssh_pwauth" if !value.truth(key)? => {}
        _ => notes.unknown(value, key),
    }
    Ok(())
}

fn user(item: &Node, plan: &mut Plan, notes: &mut Notes) -> Result<()> {
    if let What::Text(name) = &item.what {
        if name != "default" {
            plan.account(&text::account(item, "users")?);
        }
        return Ok(());
    }
    let missing = || item.error("a user has no `name`", "give it a `name`");
    let name = text::account(item.get("name").ok_or_else(missing)?, "name")?;
    let account = plan.account(&name);
    for (key, value) in item.entries("users")? {
        match key.as_str() {
            "name" => {}
            "ssh_authorized_keys" => account.keys.extend(keys::keys(value, key)?),
            "passwd" | "hashed_passwd" => account.hash = Some(text::password_hash(value, key)?),
            "plain_text_passwd" => {
                text::password_hash(value, key)?;
            }
            "gecos" => account.gecos = gecos(value)?,
            "shell" => account.shell = Some(shell(value)?),
            "groups" => account.groups = groups(value)?,
            "lock_passwd" if value.truth(key)? == account.hash.is_none() => {}
            _ => notes.unknown(value, key),
        }
    }
    Ok(())
}

/// Text for a field of master.passwd(5), which ends at a colon.
fn gecos(node: &Node) -> Result<String> {
    let line = text::line(node, "gecos", 128)?;
    match line.contains(':') {
        true => Err(node.error("`gecos` has a colon, which ends a field of passwd(5)", "leave it out")),
        false => Ok(line),
    }
}

fn shell(node: &Node) -> Result<String> {
    let path = text::line(node, "shell", 128)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-');
    match path.starts_with('/') && path.bytes().all(plain) {
        true => Ok(path),
        false => Err(node.error(
            format!("`shell`: {path:?} is no path of a shell"),
            "take one of /etc/shells",
        )),
    }
}

fn groups(node: &Node) -> Result<Vec<String>> {
    let mut groups = Vec::new();
    for item in node.items("groups")? {
        for name in item.text("groups")?.split(',') {
            let what = What::Text(name.trim().into());
            groups.push(text::account(&Node { what, ..item.clone() }, "groups")?);
        }
    }
    Ok(groups)
}

fn chpasswd(node: &Node, plan: &mut Plan, notes: &mut Notes) -> Result<()> {
    for (key, value) in node.entries("chpasswd")? {
        match key.as_str() {
            "expire" if !value.truth(key)? => {}
            "users" => {
                for item in value.items(key)? {
                    let need = |name: &str| {
                        let missing = || item.error(format!("an entry of `chpasswd` has no `{name}`"), "add it");
                        item.get(name).ok_or_else(missing)
                    };
                    let name = text::account(need("name")?, "name")?;
                    plan.account(&name).hash = Some(text::password_hash(need("password")?, "password")?);
                }
            }
            "list" => listed_passwords(value, plan)?,
            _ => notes.unknown(value, key),
        }
    }
    Ok(())
}

fn listed_passwords(node: &Node, plan: &mut Plan) -> Result<()> {
    for item in node.items("list")? {
        for line in item.text("list")?.lines().filter(|line| !line.trim().is_empty()) {
            let (name, hash) = line
                .split_once(':')
                .ok_or_else(|| item.error("a line of `list` has no colon", "write `NAME:HASH`"))?;
            let of = |text: &str| Node {
                what: What::Text(text.into()),
                ..item.clone()
            };
            let name = text::account(&of(name.trim()), "list")?;
            plan.account(&name).hash = Some(text::password_hash(&of(hash.trim()), "list")?);
        }
    }
    Ok(())
}

fn file(item: &Node, notes: &mut Notes) -> Result<File> {
    let missing = || item.error("a file of `write_files` has no `path`", "give it a `path`");
    let mut file = File {
        path: path(item.get("path").ok_or_else(missing)?)?,
        content: Vec::new(),
        mode: 0o644,
        append: false,
    };
    let encoding = item.get("encoding").map(|node| node.text("encoding")).transpose()?;
    for (key, value) in item.entries("write_files")? {
        match key.as_str() {
            "path" | "encoding" | "defer" => {}
            "content" if value.what == What::Nothing => {}
            "content" => file.content = content(value, encoding)?,
            "permissions" => file.mode = mode(value)?,
            "append" => file.append = value.truth(key)?,
            "owner" => match value.text(key)? {
                "root" | "root:root" | "root:wheel" => {}
                other => {
                    return Err(value.error(format!("`owner`: files belong to root, not {other:?}"), "leave it out"));
                }
            },
            _ => notes.unknown(value, key),
        }
    }
    Ok(file)
}

fn path(node: &Node) -> Result<String> {
    let path = text::line(node, "path", 255)?;
    let refuse = |cause: &str, hint: &str| Err(node.error(format!("`path`: {path:?} {cause}"), hint));
    let parts = || path.split('/').skip(1);
    if parts().any(|part| matches!(part, "" | "." | "..")) {
        return refuse("goes by `.`, `..` or nothing", "write the path as it is");
    }
    if !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return refuse(
            "is outside of /etc and /usr/local/etc, and would be lost",
            "write it below one of them",
        );
    }
    if RESERVED.contains(&path.as_str()) || path.starts_with("/usr/local/etc/ngforge/seed") {
        return refuse(
            "is written from other keys of the seed",
            "use `users`, `network`, `ngforge: graph` and the like",
        );
    }
    Ok(path)
}

fn content(node: &Node, encoding: Option<&str>) -> Result<Vec<u8>> {
    let text = node.text("content")?;
    match encoding.unwrap_or("text/plain") {
        "text/plain" => Ok(text.as_bytes().to_vec()),
        "b64" | "base64" => {
            let dense: String = text.split_ascii_whitespace().collect();
            let wrong = |error| node.error(format!("`content` is no base64: {error}"), "encode it with `base64`");
            Base64::decode_vec(&dense).map_err(wrong)
        }
        other => Err(node.error(format!("`encoding`: {other:?} is not taken"), "use b64, or plain text")),
    }
}

fn mode(node: &Node) -> Result<u32> {
    let text = node.text("permissions")?;
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o777 && !digits.is_empty() => Ok(mode),
        _ => Err(node.error(
            format!("`permissions`: {text:?} are none"),
            "write octal digits in quotes, such as '0644'",
        )),
    }
}

/// A command as sh(1) takes it: a text as it is, a list with each word quoted.
fn command(item: &Node) -> Result<String> {
    match &item.what {
        What::List(words) => {
            let quoted = |word: &Node| Ok(format!("'{}'", word.text("runcmd")?.replace('\'', "'\\''")));
            Ok(words.iter().map(quoted).collect::<Result<Vec<_>>>()?.join(" "))
        }
        _ => Ok(item.text("runcmd")?.into()),
    }
}

fn ngforge(node: &Node, plan: &mut Plan, notes: &mut Notes) -> Result<()> {
    for (key, value) in node.entries("ngforge")? {
        match key.as_str() {
            "graph" => plan.graph = Some(value.text(key)?.into()),
            _ => notes.unknown(value, key),
        }
    }
    Ok(())
}
