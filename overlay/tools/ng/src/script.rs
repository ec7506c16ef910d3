//! `-f`: commands from a file.

use std::fs;
use std::io;
use std::path::Path;

use clap::Parser;
use netgraph::Transport;

use crate::cli::Verb;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// One line of a file.
#[derive(Parser)]
#[command(name = "ng", no_binary_name = true, infer_subcommands = true)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

/// The file's text; `-` is standard input.
pub fn read(file: &Path) -> Result<String> {
    let text = if file == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(file)
    };
    text.map_err(|error| Failure::File {
        path: file.display().to_string(),
        error,
    })
}

/// Runs each line; the first one that fails ends it, and its number is told.
pub fn run<T: Transport>(session: &mut Session<T>, file: &Path, text: &str) -> Result<()> {
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let place = || eprintln!("ng: {}:{}: {line}", file.display(), index + 1);
        let parsed = Line::try_parse_from(line.split_whitespace()).map_err(|error| {
            place();
            Failure::Usage(error.to_string())
        })?;
        parsed.verb.run(session).inspect_err(|_| place())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use netgraph::fake::Fake;

    use super::*;

    #[test]
    fn lines_share_one_node() {
        let fake = Fake::default();
        let mut session = Session::with_output(fake.clone(), false, Box::new(io::sink()));
        let text = "# a comment\n\nmkpeer hub a b\n  name a hub0\nwrite a 1 0x2 -3\nshutdown hub0:\n";
        run(&mut session, Path::new("x"), text).unwrap();
        assert!(run(&mut session, Path::new("x"), "shutdown hub0:\n").is_err());
        assert!(matches!(
            run(&mut session, Path::new("x"), "fly\n"),
            Err(Failure::Usage(_))
        ));
    }
}
