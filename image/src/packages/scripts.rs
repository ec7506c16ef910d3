//! What becomes of a package's scripts, none of which can run while an image is built.
//!
//! What they do for accounts and libraries is done here or by the appliance at every boot. A Lua script that makes a
//! configuration file from a sample (`@sample` of a port) is done here, too; other Lua scripts are named and not run.
//! Everything else is kept in the appliance, and run there when it boots.

use super::accounts::{pw_call, split_words};
use super::manifest::{self, Manifest};

/// Scripts for sh(1) that belong to an installation, and what pkg(8) passes as their second argument (pkg-script(5)).
const MOMENTS: [(&str, &str); 4] = [
    ("pre-install", "PRE-INSTALL"),
    ("install", "PRE-INSTALL"),
    ("install", "POST-INSTALL"),
    ("post-install", "POST-INSTALL"),
];
/// The line before a Lua script that has arguments.
const ARGUMENTS: &str = "-- args: ";

/// What there is to do for a package's scripts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Scripts to run in the appliance: a name such as `post-install`, and the text.
    pub deferred: Vec<(String, String)>,
    /// Samples and the configuration files to make of them, relative to the root.
    pub samples: Vec<(Vec<u8>, Vec<u8>)>,
    /// Lua scripts that nobody runs: their moment and first line.
    pub dropped: Vec<String>,
}

/// Decides about the scripts of a package.
pub fn decide(manifest: &Manifest) -> Fate {
    let mut fate = Fate::default();
    for (key, moment) in MOMENTS {
        let Some(script) = manifest.scripts.get(key) else {
            continue;
        };
        let text = String::from_utf8_lossy(&manifest::decode(script)).into_owned();
        if !is_done(&text) {
            fate.deferred
                .push((moment.to_lowercase(), runnable(manifest, moment, &text)));
        }
    }
    for moment in ["pre-install", "post-install"] {
        for script in manifest.lua_scripts.get(moment).into_iter().flatten() {
            let text = String::from_utf8_lossy(&manifest::decode(script)).into_owned();
            match sample(&text, &manifest.prefix) {
                Some(sample) => fate.samples.push(sample),
                None => fate.dropped.push(format!("{moment}: {}", first_line(&text))),
            }
        }
    }
    fate
}

/// The script as a program of its own.
fn runnable(manifest: &Manifest, moment: &str, text: &str) -> String {
    let prefix = match manifest.prefix.as_str() {
        prefix if prefix.starts_with('/') && !prefix.contains(['\'', '\n']) => prefix,
        _ => "/usr/local",
    };
    let name = manifest.full_name();
    format!("#!/bin/sh\nPKG_PREFIX='{prefix}'\nexport PKG_PREFIX\nset -- '{name}' {moment}\n{text}\n")
}

/// Whether a script does nothing that is not done without it.
fn is_done(text: &str) -> bool {
    text.replace("\\\n", " ").lines().all(|line| is_done_line(line.trim()))
}

fn is_done_line(line: &str) -> bool {
    let question = line.starts_with("if ") && (line.ends_with("; then") || line.ends_with(";then"));
    let harmless_question = question
        && ["usershow", "groupshow", "PKG_ROOTDIR"]
            .iter()
            .any(|word| line.contains(word));
    let simple = !line.contains(['`', ';', '|', '&']) && !line.contains("$(");
    let says = split_words(line).is_some_and(|words| words.first().is_some_and(|word| word == "echo"));
    let libraries = [
        "/sbin/ldconfig",
        "ldconfig ",
        "service ldconfig",
        "/usr/sbin/service ldconfig",
    ];
    let redirected = line
        .replace(">/dev/null", "")
        .replace("> /dev/null", "")
        .replace("2>&1", "")
        .replace("|| true", "");
    let quiet = !redirected.contains(['`', ';', '|', '&', '>']) && !redirected.contains("$(");
    line.is_empty()
        || line.starts_with('#')
        || harmless_question
        || says
        || matches!(
            line,
            "else" | "fi" | "then" | "exit 0" | ":" | "set -e" | "PW=/usr/sbin/pw"
        )
        || (line.starts_with("PW=\"/usr/sbin/pw") && simple)
        || pw_call(line).is_some()
        || (quiet && libraries.iter().any(|program| line.starts_with(program)))
}

/// Sample and configuration file of a Lua script that ports have for `@sample`.
fn sample(text: &str, prefix: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let arguments = first_line(text).strip_prefix(ARGUMENTS)?;
    if !(text.contains("pkg.copy") && text.contains("sample")) {
        return None;
    }
    let mut words = arguments.split_whitespace();
    let from = words.next()?;
    let to = words.next().or_else(|| from.strip_suffix(".sample"))?;
    if words.next().is_some() {
        return None;
    }
    Some((below_root(from, prefix)?, below_root(to, prefix)?))
}

/// A path relative to the root, from one that is absolute or relative to the package's prefix.
fn below_root(path: &str, prefix: &str) -> Option<Vec<u8>> {
    let whole = match path.starts_with('/') {
        true => path.to_string(),
        false => format!("{prefix}/{path}"),
    };
    let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty()).collect();
    let inside = !parts.is_empty() && parts.iter().all(|part| !matches!(*part, "." | ".."));
    inside.then(|| parts.join("/").into_bytes())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(key: &str, text: &str) -> Fate {
        decide(&Manifest {
            name: "a".into(),
            version: "1".into(),
            prefix: "/usr/local".into(),
            scripts: [(key.to_string(), text.to_string())].into(),
            ..Manifest::default()
        })
    }

    fn lua(text: &str) -> Fate {
        decide(&Manifest {
            prefix: "/usr/local".into(),
            lua_scripts: [("post-install".to_string(), vec![text.to_string()])].into(),
            ..Manifest::default()
        })
    }

    #[test]
    fn accounts_and_libraries_need_no_script() {
        let text = "if [ -n \"${PKG_ROOTDIR}\" ] && [ \"${PKG_ROOTDIR}\" != \"/\" ]; then\n  PW=\"/usr/sbin/pw -R \
                    ${PKG_ROOTDIR}\"\nelse\n  PW=/usr/sbin/pw\nfi\necho \"===> Creating users\"\nif ! ${PW} usershow x \
                    >/dev/null 2>&1; then\n  ${PW} useradd x -u 99 -g 99 -c \"X\" -d /nonexistent -s \
                    /usr/sbin/nologin\nfi\n/usr/sbin/service ldconfig restart > /dev/null\n";
        assert_eq!(scripts("pre-install", text), Fate::default());
    }

    #[test]
    fn the_rest_is_deferred() {
        for text in [
            "echo x > /etc/x",
            "echo a; rm -rf /",
            "/sbin/ldconfig -m /x; reboot",
            "mkdir /var/db/x",
            "echo $(id)",
        ] {
            let fate = scripts("post-install", text);
            let [(name, script)] = &fate.deferred[..] else {
                panic!("{text}: {fate:?}")
            };
            assert_eq!(name, "post-install");
            assert!(script.starts_with("#!/bin/sh\n") && script.contains("set -- 'a-1' POST-INSTALL\n"));
        }
        assert_eq!(scripts("install", "mkdir x").deferred.len(), 2);
        assert_eq!(scripts("deinstall", "mkdir x"), Fate::default());
    }

    #[test]
    fn samples_become_configuration_files() {
        let body = "\nlocal sample_file = 1\nif not there then pkg.copy(sample_file, target_file) end\n";
        let one = lua(&format!("-- args: etc/x.conf.sample{body}"));
        assert_eq!(
            one.samples,
            [(
                b"usr/local/etc/x.conf.sample".to_vec(),
                b"usr/local/etc/x.conf".to_vec()
            )]
        );
        let two = lua(&format!("-- args: share/x /etc/x.conf{body}"));
        assert_eq!(two.samples, [(b"usr/local/share/x".to_vec(), b"etc/x.conf".to_vec())]);
        for arguments in ["../../x.sample", "etc/x", "a b c"] {
            assert_eq!(
                lua(&format!("-- args: {arguments}{body}")).dropped.len(),
                1,
                "{arguments}"
            );
        }
        assert_eq!(
            lua("os.execute(\"reboot\")").dropped,
            ["post-install: os.execute(\"reboot\")"]
        );
    }
}
