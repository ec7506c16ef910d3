//! Whether what is about to be saved can be booted with: programs say so where there are some, and fields are counted.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::check::succeed;

/// What is wrong with a file, which is `name` in `/etc`; a file that nobody has rules for is right.
///
/// # Errors
/// The text says why.
pub fn validate(name: &Path, file: &Path) -> Result<(), String> {
    let text = || fs::read_to_string(file).map_err(|error| error.to_string());
    let name = name.to_str().ok_or("its name is no UTF-8")?;
    match name {
        "local/ngforge/graph.yaml" => program(Command::new("/usr/local/sbin/ng").args(["validate"]).arg(file)),
        "ssh/sshd_config" => program(Command::new("/usr/sbin/sshd").args(["-t", "-f"]).arg(file)),
        "master.passwd" => {
            accounts(&text()?).and_then(|()| program(Command::new("/usr/sbin/pwd_mkdb").arg("-C").arg(file)))
        }
        "group" => groups(&text()?),
        "fstab" => file_systems(&text()?),
        _ if is_shell(name) => shell(&text()?, file),
        _ => Ok(()),
    }
}

/// What rc(8) and login shells read.
fn is_shell(name: &str) -> bool {
    const FILES: [&str; 5] = ["rc.conf", "rc.conf.local", "rc.local", "rc.shutdown.local", "profile"];
    const FOLDERS: [&str; 4] = ["rc.d/", "rc.conf.d/", "local/rc.d/", "local/rc.conf.d/"];
    FILES.contains(&name) || FOLDERS.into_iter().any(|folder| name.starts_with(folder))
}

/// A file in another language than sh's names its program in its first line.
fn shell(text: &str, file: &Path) -> Result<(), String> {
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("#!")
        && !first
            .split_whitespace()
            .next()
            .is_some_and(|program| program.ends_with("sh"))
    {
        return Ok(());
    }
    program(Command::new("/bin/sh").arg("-n").arg(file))
}

/// A program that is not there cannot tell; what it is for is not there either.
fn program(command: &mut Command) -> Result<(), String> {
    match Path::new(command.get_program()).exists() {
        true => succeed(command),
        false => Ok(()),
    }
}

/// Lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let all = (1..).zip(text.lines());
    all.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// master.passwd(5): ten fields, and root can log in.
fn accounts(text: &str) -> Result<(), String> {
    let mut root = false;
    for (number, line) in lines(text) {
        let fields: Vec<&str> = line.split(':').collect();
        let numbers = [2, 3].map(|at| fields.get(at).and_then(|field| field.parse::<u32>().ok()));
        if fields.len() != 10 || fields[0].is_empty() || numbers.contains(&None) {
            return Err(format!(
                "line {number} is no account: it needs ten fields, with numbers in the third and fourth"
            ));
        }
        root |= fields[0] == "root" && numbers[0] == Some(0);
    }
    match root {
        true => Ok(()),
        false => Err("there is no root in it".into()),
    }
}

/// group(5): four fields.
fn groups(text: &str) -> Result<(), String> {
    for (number, line) in lines(text) {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.len() != 4 || fields[0].is_empty() || fields[2].parse::<u32>().is_err() {
            return Err(format!(
                "line {number} is no group: it needs four fields, with a number in the third"
            ));
        }
    }
    Ok(())
}

/// fstab(5): four fields to six, the last two numbers.
fn file_systems(text: &str) -> Result<(), String> {
    for (number, line) in lines(text) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let numbers = fields.iter().skip(4).all(|field| field.parse::<u32>().is_ok());
        let place = fields
            .get(1)
            .is_some_and(|place| place.starts_with('/') || *place == "none");
        if !(4..=6).contains(&fields.len()) || !numbers || !place {
            return Err(format!(
                "line {number} is no file system: it needs device, mount point, type, options, and perhaps two numbers"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, text: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, text).unwrap();
        validate(Path::new(name), &file)
    }

    const ROOT: &str = "# $FreeBSD$\nroot:*:0:0::0:0:Charlie &:/root:/bin/sh\n";

    #[test]
    fn what_can_be_booted_with_is_right() {
        let rows = [
            ("rc.conf", "hostname=\"x\"\n# if\n"),
            ("rc.d/x", "#!/usr/bin/perl\nif (1) {\n"),
            ("group", "wheel:*:0:root\n"),
            (
                "fstab",
                "# Device\n/dev/gpt/x-cfg\t/cfg\tufs\tro,noauto\t0\t0\nmd none swap sw\n",
            ),
            ("motd", "if then ((("),
        ];
        for (name, text) in rows {
            assert_eq!(verdict(name, text), Ok(()), "{name}");
        }
        assert_eq!(accounts(ROOT), Ok(()));
    }

    #[test]
    fn what_would_break_the_next_boot_is_told_with_its_line() {
        let rows = [
            ("rc.conf", "hostname=\"x\n", ""),
            ("rc.conf.d/netif", "if true; then\n", ""),
            ("local/rc.d/x", "#!/bin/sh\ncase x in\n", ""),
            ("master.passwd", "root:*:0:0\n", "line 1 is no account"),
            ("master.passwd", "me:*:1:1::0:0::/:/bin/sh\n", "there is no root"),
            ("master.passwd", "", "there is no root"),
            ("group", "wheel:*:zero:root\n", "line 1 is no group"),
            ("fstab", "\n/dev/x /\n", "line 2 is no file system"),
            ("fstab", "/dev/x / ufs rw one 1\n", "line 1"),
            ("fstab", "/dev/x mnt ufs rw\n", "line 1"),
        ];
        for (name, text, said) in rows {
            let why = verdict(name, text).unwrap_err();
            assert!(why.contains(said), "{name}: {why}");
        }
    }
}
