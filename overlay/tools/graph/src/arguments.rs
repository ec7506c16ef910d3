//! Messages of a node: from YAML to the words that netgraph converts (netgraph(4), "ASCII form of control messages").

use crate::yaml::{Value, What};

/// Reads one entry of `messages:`: a mapping of one command to its arguments, or a text as ngctl(8) takes it. `texts` are
/// the commands and fields whose value netgraph wants in double quotes: they are put around it here.
///
/// # Errors
/// Says what it should have been.
pub fn message(entry: &Value<'_>, texts: &[&str]) -> Result<(String, String), String> {
    if let Some(line) = entry.text() {
        let (command, arguments) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        return checked(command, arguments.trim().to_owned());
    }
    match &entry.what {
        What::Map(entries) => match entries.as_slice() {
            [(command, value)] => checked(&command.text, argument(&command.text, value, texts)),
            _ => Err("a message is one command with its arguments, as in `setpromisc: 1`".to_owned()),
        },
        _ => Err("a message is a command with its arguments, as in `setpromisc: 1` or `reset`".to_owned()),
    }
}

fn checked(command: &str, arguments: String) -> Result<(String, String), String> {
    let printable = |character: char| character.is_ascii_graphic();
    let starts_well = command.starts_with(|first: char| first.is_ascii_alphabetic());
    if !starts_well || command.len() > netgraph::MAX_NAME || !command.chars().all(printable) {
        return Err(format!("`{command}` cannot be a command's name"));
    }
    Ok((command.to_owned(), arguments))
}

/// The value of a command or field of that name, in words.
fn argument(name: &str, value: &Value<'_>, texts: &[&str]) -> String {
    let is_text = texts.contains(&name) && matches!(value.what, What::Plain(_) | What::Quoted(_));
    if is_text {
        return quoted(value.text().unwrap_or(""));
    }
    words(value, texts)
}

/// Arguments in words: `{ a=1 b=2 }` for mappings, `[ 1 2 ]` for sequences, texts as they stand.
fn words(value: &Value<'_>, texts: &[&str]) -> String {
    match &value.what {
        _ if value.is_nothing() => String::new(),
        What::Plain(text) => match text.as_ref() {
            "true" | "True" | "TRUE" => "1".to_owned(),
            "false" | "False" | "FALSE" => "0".to_owned(),
            text => text.to_owned(),
        },
        What::Quoted(text) => text.to_string(),
        What::List(items) => enclosed('[', items.iter().map(|item| words(item, texts)), ']'),
        What::Map(entries) => {
            let field = |name: &str, value| format!("{name}={}", argument(name, value, texts));
            enclosed('{', entries.iter().map(|(key, value)| field(&key.text, value)), '}')
        }
    }
}

fn enclosed(open: char, parts: impl Iterator<Item = String>, close: char) -> String {
    let parts: Vec<String> = parts.collect();
    format!("{open} {} {close}", parts.join(" "))
}

/// The text in double quotes, unless it has them already.
fn quoted(text: &str) -> String {
    if text.len() > 1 && text.starts_with('"') && text.ends_with('"') {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn read(text: &str) -> Result<(String, String), String> {
        message(&yaml::read(text).unwrap(), &["hook", "setmode"])
    }

    #[test]
    fn yaml_becomes_what_ngctl_takes() {
        let rows = [
            ("setpromisc: 1", ("setpromisc", "1")),
            ("setpromisc 1", ("setpromisc", "1")),
            ("setautosrc: false", ("setautosrc", "0")),
            ("setdecap: 0x1", ("setdecap", "0x1")),
            ("settarget: 10.10", ("settarget", "10.10")),
            ("reset", ("reset", "")),
            ("reset:", ("reset", "")),
            (
                "setconfig: { loopTimeout: 60, x: [1, 2] }",
                ("setconfig", "{ loopTimeout=60 x=[ 1 2 ] }"),
            ),
            ("setenaddr: 02:00:00:00:00:01", ("setenaddr", "02:00:00:00:00:01")),
            (
                "addfilter: { hook: v10, vid: 10 }",
                ("addfilter", "{ hook=\"v10\" vid=10 }"),
            ),
            ("addfilter: { hook: '\"v10\"' }", ("addfilter", "{ hook=\"v10\" }")),
            ("addfilter: { hook: }", ("addfilter", "{ hook=\"\" }")),
            ("setmode: a\"b\\", ("setmode", "\"a\\\"b\\\\\"")),
        ];
        for (yaml, (command, arguments)) in rows {
            assert_eq!(read(yaml), Ok((command.to_owned(), arguments.to_owned())), "{yaml}");
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for yaml in ["[1, 2]", "{ a: 1, b: 2 }", "{}", "''", "~", "7", "ö: 1"] {
            assert!(read(yaml).is_err(), "{yaml}");
        }
    }
}
