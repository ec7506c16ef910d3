//! Messages of a node: from YAML to the words that netgraph converts (netgraph(4), "ASCII form of control messages").

use serde_yaml::Value;

/// Reads one entry of `messages:`: a mapping of one command to its arguments, or a text as ngctl(8) takes it.
///
/// # Errors
/// Says what it should have been.
pub fn message(entry: &Value) -> Result<(String, String), String> {
    match entry {
        Value::String(line) => {
            let (command, arguments) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
            checked(command, arguments.trim().to_owned())
        }
        Value::Mapping(map) => match map.iter().next() {
            Some((Value::String(command), value)) if map.len() == 1 => checked(command, words(value)?),
            _ => Err("a message is one command with its arguments, as in `setpromisc: 1`".to_owned()),
        },
        _ => Err("a message is a command with its arguments, as in `setpromisc: 1` or `reset`".to_owned()),
    }
}

fn checked(command: &str, arguments: String) -> Result<(String, String), String> {
    let printable = |character: char| character.is_ascii_graphic();
    if command.is_empty() || command.len() > netgraph::MAX_NAME || !command.chars().all(printable) {
        return Err(format!("`{command}` cannot be a command's name"));
    }
    Ok((command.to_owned(), arguments))
}

/// Arguments in words: `{ a=1 b=2 }` for mappings, `[ 1 2 ]` for sequences, texts as they stand.
fn words(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(words).collect::<Result<_, _>>()?;
            format!("[ {} ]", items.join(" "))
        }
        Value::Mapping(map) => {
            let fields: Vec<String> = map.iter().map(field).collect::<Result<_, _>>()?;
            format!("{{ {} }}", fields.join(" "))
        }
        Value::Tagged(_) => return Err("a tag (`!...`) has no meaning here".to_owned()),
    })
}

fn field((name, value): (&Value, &Value)) -> Result<String, String> {
    let name = name.as_str().ok_or("the name of a field must be a text")?;
    Ok(format!("{name}={}", words(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<(String, String), String> {
        message(&serde_yaml::from_str(yaml).unwrap())
    }

    #[test]
    fn yaml_becomes_what_ngctl_takes() {
        let rows = [
            ("setpromisc: 1", ("setpromisc", "1")),
            ("setpromisc 1", ("setpromisc", "1")),
            ("setautosrc: false", ("setautosrc", "0")),
            ("reset", ("reset", "")),
            ("reset:", ("reset", "")),
            (
                "setconfig: { loopTimeout: 60, x: [1, 2] }",
                ("setconfig", "{ loopTimeout=60 x=[ 1 2 ] }"),
            ),
            ("setenaddr: 02:00:00:00:00:01", ("setenaddr", "02:00:00:00:00:01")),
        ];
        for (yaml, (command, arguments)) in rows {
            assert_eq!(read(yaml), Ok((command.to_owned(), arguments.to_owned())), "{yaml}");
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for yaml in ["[1, 2]", "{ a: 1, b: 2 }", "{}", "7", "''", "{ a: !x 1 }"] {
            assert!(read(yaml).is_err(), "{yaml}");
        }
    }
}
