//! The manual pages, in mdoc(7): written by hand but for what the grammar of the command line knows itself.

use clap::{Arg, Command};

use crate::cli::{EXIT_STATUS, Opt};
use crate::words;

mod prose;

use prose::{argument, prose, text_line};

/// The page of ng(8), with a line for each part that is made here.
const NG: &str = include_str!("manual/ng.8");

/// The page of graph.yaml(5).
const GRAPH: &str = include_str!("manual/graph.yaml.5");

/// The page of ng(8).
pub fn ng() -> String {
    let mut grammar = words::grammar::<Opt>();
    grammar.build();
    let made = |line: &str| match line {
        "@options@" => options(&grammar, |option| {
            option.get_id() != "help" && option.get_id() != "version"
        }),
        "@commands@" => commands(&grammar),
        "@status@" => statuses(EXIT_STATUS),
        line => format!("{line}\n"),
    };
    NG.lines().map(made).collect()
}

/// The page of graph.yaml(5).
pub fn graph() -> String {
    GRAPH.to_owned()
}

/// A subsection for each command that is not hidden.
fn commands(grammar: &Command) -> String {
    let shown = grammar.get_subcommands().filter(|command| !command.is_hide_set());
    let mut shown: Vec<&Command> = shown.collect();
    shown.sort_by_key(|command| command.get_name());
    shown.into_iter().map(command).collect()
}

fn command(command: &Command) -> String {
    let name = command.get_name();
    let mut page = format!(".Ss {name}\n{}", synopsis(command));
    let aliases: Vec<String> = command.get_visible_aliases().map(argument).collect();
    if !aliases.is_empty() {
        page += &format!(".Pp\nAlso called\n.Cm {} .\n", aliases.join(" , "));
    }
    let about = command.get_long_about().or(command.get_about());
    page += &format!(".Pp\n{}", prose(&about.map(ToString::to_string).unwrap_or_default()));
    page + &options(command, |option| !option.is_global_set() && option.get_id() != "help")
}

/// The forms of a command: those that its usage shows, with the options in place of `[OPTIONS]`.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let forms = usage.lines().map(|form| {
        let words = form.trim().trim_start_matches("Usage: ").trim_start_matches("ng ");
        let words = words.strip_prefix(command.get_name()).unwrap_or(words);
        let parts: String = words.split_whitespace().map(|word| part(command, word)).collect();
        format!(".Nm\n.Cm {}\n{parts}", argument(command.get_name()))
    });
    forms.collect::<Vec<_>>().join(".Pp\n")
}

/// A word of a usage line: `<FILE>`, `[FILE]`, `[FILE]...`, `[OPTIONS]`, or itself.
fn part(command: &Command, word: &str) -> String {
    let (word, more) = word.strip_suffix("...").map_or((word, ""), |word| (word, " ..."));
    let inner = |open, close| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    match (inner('[', ']'), inner('<', '>')) {
        (Some("OPTIONS"), _) => command
            .get_opts()
            .filter(|option| is_own(option))
            .map(optional)
            .collect(),
        (Some(name), _) => format!(".Op Ar {}{more}\n", metavariable(name)),
        (_, Some(name)) => format!(".Ar {}{more}\n", metavariable(name)),
        _ => match word.strip_prefix('-') {
            Some(flag) => format!(".Fl {}\n", argument(flag)),
            None => format!("{}\n", text_line(word)),
        },
    }
}

fn is_own(option: &Arg) -> bool {
    !option.is_positional() && !option.is_global_set() && !option.is_hide_set() && option.get_id() != "help"
}

fn optional(option: &Arg) -> String {
    let name = option.get_short().map_or_else(
        || format!("-{}", option.get_long().unwrap_or_default()),
        |short| short.to_string(),
    );
    format!(".Op Fl {name}{}\n", value(option))
}

/// What an option takes, as an argument of its macro.
fn value(option: &Arg) -> String {
    if !option.get_action().takes_values() {
        return String::new();
    }
    let names = option.get_value_names().unwrap_or_default();
    let names = names.iter().map(|name| format!(" Ar {}", metavariable(name)));
    names.collect()
}

/// How the manual writes what stands for something else.
fn metavariable(name: &str) -> String {
    argument(&name.to_ascii_lowercase())
}

/// The list of options and arguments that are wanted, with what they mean.
fn options(command: &Command, wanted: impl Fn(&Arg) -> bool) -> String {
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && wanted(argument))
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    let items: String = shown.into_iter().map(item).collect();
    format!(".Bl -tag -width indent\n{items}.El\n")
}

fn item(option: &Arg) -> String {
    let help = option.get_long_help().or(option.get_help());
    let help = prose(&help.map(ToString::to_string).unwrap_or_default());
    let tag = if option.is_positional() {
        let names = option.get_value_names().unwrap_or_default();
        let name = names.first().map_or(option.get_id().as_str(), |name| name.as_str());
        format!("Ar {}", metavariable(name))
    } else {
        let short = option.get_short().map(|short| format!("Fl {short}"));
        let long = option.get_long().map(|long| format!("Fl -{}", argument(long)));
        let names: Vec<String> = short.into_iter().chain(long).collect();
        format!("{}{}", names.join(" , "), value(option))
    };
    format!(".It {tag}\n{help}{}", default_of(option))
}

/// The value that is taken when none is given.
fn default_of(option: &Arg) -> String {
    let defaults: Vec<String> = option
        .get_default_values()
        .iter()
        .map(|value| argument(&value.to_string_lossy()))
        .collect();
    if defaults.is_empty() || !option.get_action().takes_values() {
        return String::new();
    }
    format!("By default, it is\n.Ql {} .\n", defaults.join(" "))
}

/// The list of exit statuses, from the text that --help shows: each line a number and its meaning.
fn statuses(text: &str) -> String {
    let rows = text.lines().filter_map(|line| line.trim().split_once(' '));
    let rows = rows.filter(|(number, _)| number.parse::<u8>().is_ok());
    let items: String = rows
        .map(|(number, meaning)| format!(".It {number}\n{}", prose(meaning.trim())))
        .collect();
    format!(".Bl -tag -width indent\n{items}.El\n")
}

#[cfg(test)]
mod tests;
