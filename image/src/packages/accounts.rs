//! Users and groups of packages.
//!
//! A manifest has their names only. Their numbers stand in the script that a port makes for them: calls of pw(8). Names
//! without such a call get numbers from [`FIRST`] on, in the order of the names, so that the same packages get the same.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::Manifest;

/// The first number for a user or group whose own is not known.
pub const FIRST: u32 = 6000;

/// A user to add.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    uid: Option<u32>,
    gid: Option<u32>,
    class: String,
    comment: String,
    home: String,
    shell: String,
}

/// Accounts that packages ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Option<u32>>,
    members: BTreeMap<String, BTreeSet<String>>,
}

/// The texts of master.passwd(5) and group(5) with accounts added, and what there is to say about it.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Texts {
    /// master.passwd(5).
    pub passwd: String,
    /// group(5).
    pub group: String,
    /// Accounts whose numbers were chosen here.
    pub notes: Vec<String>,
}

impl Accounts {
    /// Adds what a package asks for.
    pub fn add(&mut self, manifest: &Manifest) {
        let names = |list: &[String]| list.iter().filter(|name| is_name(name)).cloned().collect::<Vec<_>>();
        for group in names(&manifest.groups) {
            self.groups.entry(group).or_default();
        }
        for user in names(&manifest.users) {
            self.users.entry(user).or_default();
        }
        for script in manifest.scripts.values() {
            for line in manifest_lines(script) {
                self.line(&line);
            }
        }
    }

    /// Notes a call of pw(8).
    fn line(&mut self, line: &str) {
        let Some((verb, name, options)) = pw_call(line) else {
            return;
        };
        let number = |key: &str| options.get(key).and_then(|text| text.parse().ok());
        let word = |key: &str| options.get(key).filter(|text| !text.contains([':', '\n'])).cloned();
        match verb {
            "groupadd" => {
                self.groups.insert(name, number("-g"));
            }
            "useradd" => {
                let user = self.users.entry(name).or_default();
                (user.uid, user.gid) = (number("-u"), number("-g"));
                user.class = word("-L").unwrap_or_default();
                user.comment = word("-c").unwrap_or_default();
                user.home = word("-d").unwrap_or_default();
                user.shell = word("-s").unwrap_or_default();
            }
            "groupmod" => {
                let members = options.get("-m").into_iter().flat_map(|list| list.split(','));
                let members = members.filter(|member| is_name(member)).map(String::from);
                self.members.entry(name).or_default().extend(members);
            }
            _ => {}
        }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Adds the accounts to the texts; those that are there stay as they are.
    pub fn apply(&self, passwd: &str, group: &str) -> Texts {
        let mut texts = Texts {
            passwd: passwd.into(),
            group: group.into(),
            notes: Vec::new(),
        };
        self.add_groups(&mut texts);
        self.add_users(&mut texts);
        for (name, members) in &self.members {
            texts.group = with_members(&texts.group, name, members);
        }
        texts
    }

    fn add_groups(&self, texts: &mut Texts) {
        // A user without a group of its own in the manifest has one of its name, as with pw(8).
        let own = self.users.iter().filter(|(_, user)| user.gid.is_none());
        let mut wanted: BTreeMap<&String, Option<u32>> = own.map(|(name, user)| (name, user.uid)).collect();
        wanted.extend(self.groups.iter().map(|(name, gid)| (name, *gid)));
        for (name, gid) in wanted {
            if has(&texts.group, name) {
                continue;
            }
            let gid = texts.number(gid, name, "group", |texts| &texts.group);
            texts.group.push_str(&format!("{name}:*:{gid}:\n"));
        }
    }

    fn add_users(&self, texts: &mut Texts) {
        for (name, user) in &self.users {
            if has(&texts.passwd, name) {
                continue;
            }
            let uid = texts.number(user.uid, name, "user", |texts| &texts.passwd);
            let gid = user.gid.or_else(|| number_of(&texts.group, name)).unwrap_or(uid);
            let or = |text: &str, usual: &str| {
                if text.is_empty() {
                    usual.into()
                } else {
                    text.to_string()
                }
            };
            texts.passwd.push_str(&format!(
                "{name}:*:{uid}:{gid}:{}:0:0:{}:{}:{}\n",
                user.class,
                or(&user.comment, "User of a package"),
                or(&user.home, "/nonexistent"),
                or(&user.shell, "/usr/sbin/nologin")
            ));
        }
    }
}

impl Texts {
    /// The number that a script names if it is free, or the next free one.
    fn number(&mut self, named: Option<u32>, name: &str, what: &str, text: fn(&Self) -> &String) -> u32 {
        let used: BTreeSet<u32> = text(self).lines().filter_map(number_in).collect();
        if let Some(named) = named.filter(|number| !used.contains(number)) {
            return named;
        }
        let free = (FIRST..u32::MAX).find(|number| !used.contains(number)).unwrap_or(FIRST);
        self.notes.push(format!("{what} {name} gets the number {free}"));
        free
    }
}

fn has(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.split(':').next() == Some(name))
}

fn number_in(line: &str) -> Option<u32> {
    line.split(':').nth(2)?.parse().ok()
}

fn number_of(text: &str, name: &str) -> Option<u32> {
    text.lines()
        .find(|line| line.split(':').next() == Some(name))
        .and_then(number_in)
}

fn with_members(text: &str, group: &str, members: &BTreeSet<String>) -> String {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.first() != Some(&group) || fields.len() != 4 {
            return format!("{line}\n");
        }
        let mut all: Vec<&str> = fields[3].split(',').filter(|member| !member.is_empty()).collect();
        all.extend(
            members
                .iter()
                .map(String::as_str)
                .filter(|member| !fields[3].split(',').any(|m| m == *member)),
        );
        format!("{}:{}:{}:{}\n", fields[0], fields[1], fields[2], all.join(","))
    };
    text.lines().map(line).collect()
}

/// Names that pw(8) takes, and that cannot break a line of master.passwd(5).
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (1..=32).contains(&name.len()) && !name.starts_with(['-', '.']) && name.chars().all(plain)
}

fn manifest_lines(script: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(&super::manifest::decode(script)).into_owned();
    text.replace("\\\n", " ").lines().map(String::from).collect()
}

/// Verb, name and options of a line that calls pw(8).
pub fn pw_call(line: &str) -> Option<(&'static str, String, BTreeMap<String, String>)> {
    let mut words = split_words(line.trim())?.into_iter();
    let program = words.next()?;
    if !matches!(program.as_str(), "${PW}" | "$PW" | "pw" | "/usr/sbin/pw") {
        return None;
    }
    let verb = words.next()?;
    let verb = ["useradd", "groupadd", "groupmod"]
        .into_iter()
        .find(|known| *known == verb)?;
    let name = words.next().filter(|name| is_name(name))?;
    let mut options = BTreeMap::new();
    while let Some(key) = words.next() {
        if !matches!(key.as_str(), "-u" | "-g" | "-c" | "-d" | "-s" | "-L" | "-m") {
            return None;
        }
        options.insert(key, words.next()?);
    }
    Some((verb, name, options))
}

/// Words of a shell's line with quotation marks; none if it has more to it than words.
pub fn split_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"'), '`' | '$' | '\\') | (None, ';' | '|' | '&' | '<' | '>' | '`' | '\\' | '(') => return None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "if ! ${PW} usershow vnstat >/dev/null 2>&1; then\n  ${PW} groupadd vnstat -g 284\n  ${PW} useradd \
                          vnstat -u 285 -g 284  -c \"vnStat user\" -d /nonexistent -s /usr/sbin/nologin\nfi\n${PW} \
                          groupmod network -m vnstat\n";

    fn accounts(users: &[&str], script: &str) -> Accounts {
        let names: Vec<String> = users.iter().map(ToString::to_string).collect();
        let mut accounts = Accounts::default();
        accounts.add(&Manifest {
            users: names.clone(),
            groups: names,
            scripts: [("pre-install".to_string(), script.to_string())].into(),
            ..Manifest::default()
        });
        accounts
    }

    #[test]
    fn numbers_come_from_the_port_s_script() {
        let texts =
            accounts(&["vnstat"], SCRIPT).apply("root:*:0:0::0:0::/root:/bin/sh\n", "wheel:*:0:root\nnetwork:*:69:\n");
        assert!(
            texts
                .passwd
                .ends_with("\nvnstat:*:285:284::0:0:vnStat user:/nonexistent:/usr/sbin/nologin\n")
        );
        assert_eq!(texts.group, "wheel:*:0:root\nnetwork:*:69:vnstat\nvnstat:*:284:\n");
        assert_eq!(texts.notes, [""; 0]);
    }

    #[test]
    fn without_a_script_the_next_free_number_is_taken_and_said() {
        let texts = accounts(&["b", "a"], "").apply("x:*:6000:1::0:0::/:/\n", "");
        assert!(
            texts.passwd.contains("a:*:6001:6000:") && texts.passwd.contains("b:*:6002:6001:"),
            "{texts:?}"
        );
        assert_eq!(texts.notes.len(), 4);
    }

    #[test]
    fn what_is_there_stays() {
        let (passwd, group) = ("www:*:80:80::0:0:WWW:/:/\n", "www:*:80:\n");
        let texts = accounts(&["www"], "${PW} useradd www -u 0 -g 0\n").apply(passwd, group);
        assert_eq!((texts.passwd.as_str(), texts.group.as_str()), (passwd, group));
    }

    #[test]
    fn names_cannot_break_a_line() {
        assert!(accounts(&["a:b", "", "-x", "a\nroot"], "").is_empty());
        assert!(pw_call("${PW} useradd a -c \"$(reboot)\"").is_none());
        assert!(pw_call("${PW} useradd a -o -u 0").is_none());
    }
}
