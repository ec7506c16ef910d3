//! Names of users and groups as the appliance itself knows them.

use std::collections::HashMap;

/// Numbers by name.
#[derive(Debug, Default)]
pub struct Owners {
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

impl Owners {
    /// From the text of master.passwd(5) (or passwd(5)) and group(5): name and number are the first and third field.
    pub fn new(passwd: &str, group: &str) -> Self {
        Self {
            users: numbers(passwd),
            groups: numbers(group),
        }
    }

    /// Whether there is a user of this name.
    pub fn knows_user(&self, name: &str) -> bool {
        self.users.contains_key(name)
    }

    /// Whether there is a group of this name.
    pub fn knows_group(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    /// The user's number: by name if the appliance knows it, as tar(1) does it, else as given.
    pub fn user(&self, name: Option<&str>, number: u32) -> u32 {
        name.and_then(|name| self.users.get(name)).copied().unwrap_or(number)
    }

    /// The group's number, likewise.
    pub fn group(&self, name: Option<&str>, number: u32) -> u32 {
        name.and_then(|name| self.groups.get(name)).copied().unwrap_or(number)
    }
}

fn numbers(text: &str) -> HashMap<String, u32> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            Some((name.to_string(), fields.nth(1)?.parse().ok()?))
        })
        .collect()
}

/// The text of master.passwd(5) with `*`, which no password matches, wherever a password is empty.
pub fn without_empty_passwords(text: &str) -> String {
    let close = |line: &str| match line.split_once(':') {
        Some((name, rest)) if rest.starts_with(':') && !line.starts_with('#') => format!("{name}:*{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(close).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "# comment\nroot::0:0::0:0:Charlie &:/root:/bin/sh\ntoor:*:0:0::0:0::/root:\nuucp:*:66:66::0:0::/:\n";

    #[test]
    fn names_count_more_than_numbers() {
        let owners = Owners::new(PASSWD, "wheel:*:0:root\noperator:*:5:root\n");
        assert_eq!(owners.user(Some("uucp"), 1000), 66);
        assert_eq!(owners.user(Some("builder"), 1000), 1000);
        assert_eq!(owners.group(Some("operator"), 0), 5);
        assert_eq!(owners.group(None, 7), 7);
    }

    #[test]
    fn no_password_stays_empty() {
        let text = without_empty_passwords(PASSWD);
        assert!(text.contains("\nroot:*:0:0:"), "{text}");
        assert!(text.contains("\ntoor:*:0:0:"), "{text}");
        assert!(!text.contains("::0:0::0:0:Charlie"), "{text}");
    }
}
