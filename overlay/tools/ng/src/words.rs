//! The words of commands, abbreviated as ngctl(8) does: any beginning of a command's name or alias that fits one command only.
//!
//! What ngctl knows comes first, so that its scripts mean the same whichever commands `ng` has besides.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, FromArgMatches};

/// ngctl's commands with their aliases.
const NGCTL: [(&str, &[&str]); 17] = [
    ("config", &[]),
    ("connect", &["join"]),
    ("debug", &[]),
    ("dot", &["graphviz", "confdot"]),
    ("help", &["?"]),
    ("list", &["ls"]),
    ("mkpeer", &[]),
    ("msg", &["cmd"]),
    ("name", &[]),
    ("quit", &["exit"]),
    ("read", &["source", "."]),
    ("rmhook", &["disconnect"]),
    ("show", &["inquire", "info"]),
    ("shutdown", &["kill", "rmnode"]),
    ("status", &[]),
    ("types", &[]),
    ("write", &["w"]),
];

/// Parses arguments. Those that make no sense at first are tried again with ngctl's abbreviations.
pub fn parse<P: CommandFactory + FromArgMatches>(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
) -> clap::error::Result<P> {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    match parse_by(P::command(), &arguments) {
        Err(unknown) if unknown.kind() == ErrorKind::InvalidSubcommand => {
            parse_by(grammar::<P>(), &arguments).map_err(|again| match again.kind() {
                ErrorKind::InvalidSubcommand => unknown,
                _ => again,
            })
        }
        parsed => parsed,
    }
}

fn parse_by<P: FromArgMatches>(mut grammar: Command, arguments: &[OsString]) -> clap::error::Result<P> {
    let matches = grammar.try_get_matches_from_mut(arguments)?;
    P::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))
}

/// What can be said, ngctl's abbreviations included.
pub fn grammar<P: CommandFactory>() -> Command {
    let mut command = P::command();
    for (name, _) in NGCTL {
        let short: Vec<&'static str> = beginnings(name).filter(|word| !is_taken(&command, word)).collect();
        if command.find_subcommand(name).is_some() {
            command = command.mut_subcommand(name, |subcommand| subcommand.aliases(short));
        }
    }
    command
}

/// The beginnings of an ngctl command's words that fit no other ngctl command.
fn beginnings(name: &'static str) -> impl Iterator<Item = &'static str> {
    let own = words(name);
    let all = own.flat_map(|word| (1..=word.len()).filter_map(|length| word.get(..length)));
    let mut seen = Vec::new();
    all.filter(move |word| {
        let fresh = !seen.contains(word);
        seen.push(*word);
        fresh && meant(word) == Some(name)
    })
}

/// The command of ngctl that the word stands for, if it is one.
pub fn meant(word: &str) -> Option<&'static str> {
    let mut commands = NGCTL.iter().map(|(name, _)| *name).filter(|name| begins(name, word));
    commands.next().filter(|_| commands.next().is_none())
}

fn words(name: &str) -> impl Iterator<Item = &'static str> {
    let commands = NGCTL.iter().filter(move |(command, _)| *command == name);
    commands.flat_map(|(command, aliases)| [*command].into_iter().chain(aliases.iter().copied()))
}

fn begins(name: &str, beginning: &str) -> bool {
    words(name).any(|word| word.starts_with(beginning))
}

fn is_taken(command: &Command, word: &str) -> bool {
    let mut all = command.get_subcommands();
    all.any(|subcommand| subcommand.get_name() == word || subcommand.get_all_aliases().any(|alias| alias == word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Line;

    fn found(word: &str) -> Option<String> {
        let grammar = grammar::<Line>();
        grammar.find_subcommand(word).map(|found| found.get_name().to_owned())
    }

    #[test]
    fn words_are_abbreviated_as_by_ngctl() {
        let rows = [
            ("l", "list"),
            ("ls", "list"),
            ("t", "types"),
            ("i", "show"),
            ("info", "show"),
            ("con", ""),
            ("conn", "connect"),
            ("confi", "config"),
            ("confd", "dot"),
            ("g", "dot"),
            ("sho", "show"),
            ("so", "read"),
            (".", "read"),
            ("?", "help"),
            ("k", "shutdown"),
            ("cm", "msg"),
            ("q", "quit"),
            ("e", "quit"),
            ("w", "write"),
            ("h", "help"),
            ("n", "name"),
            ("j", "connect"),
            ("de", "debug"),
            ("di", "rmhook"),
        ];
        for (word, command) in rows {
            assert_eq!(found(word).unwrap_or_default(), command, "{word}");
            assert_eq!(meant(word).unwrap_or_default(), command, "{word}");
        }
    }

    #[test]
    fn abbreviations_are_not_proposed() {
        let error = parse::<Line>(["lst"]).unwrap_err().to_string();
        assert!(error.contains("'list'") && !error.contains("'shut'"), "{error}");
        assert!(matches!(parse::<Line>(["t"]), Ok(line) if format!("{line:?}").contains("Types")));
    }

    #[test]
    fn what_fits_several_commands_of_ngctl_is_no_word() {
        for word in ["s", "c", "d", "m", "r", "sh", "rm"] {
            assert_eq!((found(word), meant(word)), (None, None), "{word}");
        }
    }
}
