//! Start scripts of rc.d(8): those whose program a profile left out go, too.

use super::layers::Set;
use super::needs::World;
use crate::error::Result;
use crate::profile::Rules;
use crate::progress::Progress;
use crate::tree::{Body, Node, display};

/// Where FreeBSD's own start scripts are.
const FOLDER: &[u8] = b"etc/rc.d/";
/// No start script is longer, in bytes.
const LONGEST: u64 = 256 << 10;

/// Takes the scripts away whose program the profile took; tells of those whose program the appliance file took.
///
/// # Errors
/// A layer cannot be read.
pub fn tidy(world: &mut World, rules: &Rules, sets: &[Set], progress: &dyn Progress) -> Result<()> {
    let scripts = world.tree.iter().filter(|(path, _)| path.starts_with(FOLDER));
    let mut lonely = Vec::new();
    for (path, id) in scripts {
        let program = program(&text(world.tree.node(id), sets)?);
        let gone = program.and_then(|program| Some((world.gone.get(program.as_bytes())?.1, program)));
        if let Some((rule, program)) = gone {
            lonely.push((path.to_vec(), id, rule, program));
        }
    }
    for (path, id, number, program) in lonely {
        let rule = rules.get(number);
        if rule.is_own() {
            progress.note(&format!(
                "{}: the pattern `{}` leaves out /{program}, which {} starts; leave that out, too",
                rule.place,
                rule.pattern,
                display(&path)
            ));
        } else if world.tree.detach(&path).is_some() {
            world.gone.insert(path, (id, number));
        }
    }
    Ok(())
}

/// The text of a small file of the sets; nothing of anything else.
pub fn text(node: &Node, sets: &[Set]) -> Result<String> {
    match &node.body {
        Body::File { layer, data } if data.size <= LONGEST && *layer < sets.len() => {
            Ok(String::from_utf8_lossy(&sets[*layer].layer.read(data)?).into_owned())
        }
        _ => Ok(String::new()),
    }
}

/// The path, relative to the root, of the program that a script starts, as far as `command=` tells.
fn program(script: &str) -> Option<String> {
    let value = |key: &str| {
        let line = script.lines().find_map(|line| line.strip_prefix(key))?;
        let word = line.split(['#', ';', ' ', '\t']).next()?;
        Some(word.trim_matches(['"', '\'']).to_owned())
    };
    let name = value("name=").unwrap_or_default();
    let command = value("command=")?.replace("${name}", &name).replace("$name", &name);
    let path = command.strip_prefix('/')?;
    (!path.contains('$') && !path.is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_tells_its_program() {
        let script = "#!/bin/sh\nname=\"cron\"\ncommand=\"/usr/sbin/${name}\" # the program\n";
        assert_eq!(program(script).as_deref(), Some("usr/sbin/cron"));
        for other in ["", "command=\"$x/y\"", "command=relative", "start_cmd=\":\"\n"] {
            assert_eq!(program(other), None, "{other}");
        }
    }
}
