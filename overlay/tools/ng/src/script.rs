//! `-f`: commands from a file, one per line.

use std::fs;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use clap::Parser;
use netgraph::Transport;

use crate::classic;
use crate::cli::Command;
use crate::failure::{self, Failure, Result};
use crate::program::Program;
use crate::session::Session;
use crate::words;

/// What separates words; ngctl(8) has the same.
const WHITE_SPACE: [char; 6] = [' ', '\t', '\r', '\n', '\u{b}', '\u{c}'];

/// How many files may be read from within each other.
const DEEPEST: u8 = 16;

/// One line of a file, or one that is typed.
#[derive(Debug, Parser)]
#[command(
    name = "ng",
    no_binary_name = true,
    infer_subcommands = true,
    disable_help_subcommand = true
)]
pub struct Line {
    #[command(subcommand)]
    pub command: Command,
}

/// How a command is carried out.
pub type Runner<'a, T> = &'a dyn Fn(&Command, &mut Session<T>) -> Result<()>;

/// Runs each line of a file; `-` is standard input.
pub fn run_file<T: Transport>(session: &mut Session<T>, file: &Path, runner: Runner<'_, T>) -> Result<()> {
    if file == Path::new("-") {
        return run(session, file, &mut io::stdin().lock(), runner);
    }
    let opened = File::open(file).map_err(|error| unreadable(file, error))?;
    run(session, file, &mut BufReader::new(opened), runner)
}

/// Runs each line as it comes; the first one that fails ends it, and its number is told.
pub fn run<T: Transport>(
    session: &mut Session<T>,
    file: &Path,
    text: &mut dyn BufRead,
    runner: Runner<'_, T>,
) -> Result<()> {
    if session.depth == DEEPEST {
        let file = file.display();
        return Err(Failure::Usage(format!("{file} is read from within itself")));
    }
    session.depth += 1;
    let result = run_lines(session, file, text, runner);
    session.depth -= 1;
    result
}

fn run_lines<T: Transport>(
    session: &mut Session<T>,
    file: &Path,
    text: &mut dyn BufRead,
    runner: Runner<'_, T>,
) -> Result<()> {
    for (index, text) in text.lines().enumerate() {
        let text = text.map_err(|error| unreadable(file, error))?;
        line(session, &text, runner).map_err(|failure| failure.at_line(file, index + 1, &text))?;
        if session.over {
            break;
        }
    }
    Ok(())
}

/// The file's text; `-` is standard input.
pub fn read(file: &Path) -> Result<String> {
    let text = if file == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(file)
    };
    text.map_err(|error| unreadable(file, error))
}

fn unreadable(file: &Path, error: io::Error) -> Failure {
    Failure::File {
        path: file.display().to_string(),
        error,
    }
}

/// Runs one line; a blank one and a comment, which starts with `#`, are nothing to do.
pub fn line<T: Transport>(session: &mut Session<T>, line: &str, runner: Runner<'_, T>) -> Result<()> {
    let words: Vec<&str> = line.split(WHITE_SPACE).filter(|word| !word.is_empty()).collect();
    match words.first() {
        None => Ok(()),
        Some(word) if word.starts_with('#') => Ok(()),
        Some(_) => run_words(session, &words, runner),
    }
}

/// Runs a command given by its words; upper and lower case of the first one are the same, as to ngctl.
pub fn run_words<T: Transport>(session: &mut Session<T>, words: &[&str], runner: Runner<'_, T>) -> Result<()> {
    let mut words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    match words.first_mut() {
        None => return Ok(()),
        Some(command) if command.is_empty() => return Ok(()),
        Some(command) => command.make_ascii_lowercase(),
    }
    if session.program == Program::Ngctl && words::meant(&words[0]) == Some("dot") {
        return classic::dot(session, &words[1..], runner);
    }
    match words::parse::<Line>(words) {
        Ok(Line { command }) => runner(&command, session),
        Err(help) if !help.use_stderr() => session.say(&help.to_string()),
        Err(error) => Err(failure::from_clap(&error)),
    }
}

#[cfg(test)]
mod tests {
    use netgraph::fake::Fake;

    use super::*;
    use crate::session::tests::session;

    fn run_text(session: &mut Session<Fake>, text: &str) -> Result<()> {
        let runner = |command: &Command, session: &mut Session<Fake>| match command {
            Command::Verb(verb) => verb.run(session),
            other => panic!("{other:?} needs a kernel with descriptors"),
        };
        run(session, Path::new("x"), &mut text.as_bytes(), &runner)
    }

    #[test]
    fn lines_share_one_node() {
        let mut session = session(Fake::default(), false, Box::new(io::sink()));
        let text = "# a comment\n\n  # another\nmkpeer hub a b\n\t name  a\thub0\r\nWRITE a 1 0x2 -3\nshutdown hub0:\n";
        run_text(&mut session, text).unwrap();
    }

    #[test]
    fn the_first_line_that_fails_ends_it() {
        let fake = Fake::default();
        let mut session = session(fake.clone(), false, Box::new(io::sink()));
        let failure = run_text(&mut session, "mkpeer hub a b\nshow hub0:\nrmhook a\n").unwrap_err();
        let said = failure.to_string();
        assert!(said.starts_with("x:2: show hub0:\n"), "{said}");
        assert_eq!((failure.status(), fake.changes()), (71, 1));
        let failure = run_text(&mut session, "\nfly\n").unwrap_err();
        assert!(failure.to_string().starts_with("x:2: fly\n"), "{failure}");
        assert_eq!(failure.status(), 64);
    }

    #[test]
    fn nothing_is_run_after_quit() {
        let fake = Fake::default();
        let mut session = session(fake.clone(), false, Box::new(io::sink()));
        run_text(&mut session, "quit\nmkpeer hub a b\n").unwrap();
        assert_eq!(fake.changes(), 0);
    }

    #[test]
    fn help_is_no_failure() {
        let mut session = session(Fake::default(), false, Box::new(io::sink()));
        run_text(&mut session, "help\n? mkpeer\nlist --help\nhelp ls\n").unwrap();
        assert!(run_text(&mut session, "help fly\n").is_err());
    }
}
