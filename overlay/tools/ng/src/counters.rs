//! Counters of nodes, out of what they answer to `getstats`.

use netgraph::{Address, Transport};

use crate::session::Session;

/// Asks a node for its counters: their names, those of structures before a dot, and their values; what is zero may be
/// missing. `arguments`: whose counters, for types that ask that.
///
/// # Errors
/// The node does not exist, or its type has no such command.
pub fn ask<T: Transport>(
    session: &mut Session<T>,
    at: &Address,
    arguments: &str,
) -> netgraph::Result<Vec<(String, u64)>> {
    let Some(answer) = session.socket.command(at, "getstats", arguments)? else {
        return Ok(Vec::new());
    };
    let (_, text) = session.socket.to_ascii(at, &answer.message)?;
    Ok(read(&text))
}

/// The value of a counter.
pub fn value(counters: &[(String, u64)], name: &str) -> u64 {
    let found = counters.iter().find(|(known, _)| known == name);
    found.map_or(0, |(_, value)| *value)
}

/// Reads the words in which the kernel puts structures: `{ left={ inFrames=3 } drops=1 }`. What is no number is left out.
fn read(text: &str) -> Vec<(String, u64)> {
    let mut counters = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or(("", word));
        match value {
            "{" | "[" => path.push(name),
            "}" | "]" => drop(path.pop()),
            _ => {
                let parts: Vec<&str> = path
                    .iter()
                    .copied()
                    .chain([name])
                    .filter(|part| !part.is_empty())
                    .collect();
                counters.extend(value.parse().ok().map(|value| (parts.join("."), value)));
            }
        }
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_become_dots() {
        let text = "{ right={ inOctets=10 inFrames=1 } left={ } drops=3 name=\"x\" table=[ 7 1=8 ] }";
        let expected = [
            ("right.inOctets", 10),
            ("right.inFrames", 1),
            ("drops", 3),
            ("table", 7),
            ("table.1", 8),
        ];
        let counters = read(text);
        let found: Vec<(&str, u64)> = counters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(found, expected);
        assert_eq!((value(&counters, "drops"), value(&counters, "left.inFrames")), (3, 0));
        assert_eq!(read("{ }"), []);
    }
}
