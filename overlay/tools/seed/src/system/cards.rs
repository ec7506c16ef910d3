//! The network cards of the running system: by ifconfig(8), or on Linux from /sys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::network::Card;

/// Where Linux lists them.
const LINUX: &str = "/sys/class/net";

/// All of them but the loopback interface, in the order of their names.
pub fn list() -> Result<Vec<Card>> {
    let mut cards = match cfg!(target_os = "linux") {
        true => linux(Path::new(LINUX)),
        false => freebsd()?,
    };
    cards.retain(|card| card.mac.is_some());
    cards.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cards)
}

fn linux(folder: &Path) -> Vec<Card> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let card = |entry: fs::DirEntry| Card {
        name: entry.file_name().to_string_lossy().into_owned(),
        mac: { fs::read_to_string(entry.path().join("address")).ok() }
            .and_then(|text| text.trim().parse().ok())
            .filter(|mac| *mac != graph::Mac([0; 6])),
    };
    entries.map(card).collect()
}

fn freebsd() -> Result<Vec<Card>> {
    let program = PathBuf::from("/sbin/ifconfig");
    let output = Command::new(&program)
        .arg("-a")
        .output()
        .map_err(|error| Error::System {
            action: "list the network cards",
            path: program,
            cause: error.to_string(),
        })?;
    Ok(described(&String::from_utf8_lossy(&output.stdout)))
}

/// What ifconfig(8) prints: an interface begins at the margin, its hardware address stands behind `ether`.
fn described(text: &str) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match (line.starts_with(char::is_whitespace), words.next()) {
            (false, Some(name)) => cards.push(Card {
                name: name.trim_end_matches(':').into(),
                mac: None,
            }),
            (true, Some("ether")) => {
                if let Some(card) = cards.last_mut() {
                    card.mac = words.next().and_then(|word| word.parse().ok());
                }
            }
            _ => {}
        }
    }
    cards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_read_from_what_ifconfig_prints() {
        let text = "vtnet0: flags=1008843<UP> metric 0 mtu 1500\n\tether 52:54:00:6e:67:01\n\tinet 10.0.2.15\nlo0: flags=8049\n\tinet6 ::1\n";
        let cards = described(text);
        assert_eq!(cards[0].mac, Some(graph::Mac([0x52, 0x54, 0, 0x6e, 0x67, 1])));
        assert_eq!((cards[1].name.as_str(), cards[1].mac), ("lo0", None));
    }
}
