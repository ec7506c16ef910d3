//! Asking somebody who sits at the machine, and nobody else.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::ttyname;

use crate::failure::{Failure, Result};

/// Terminals of the machine itself: the console, serial lines, virtual terminals.
fn is_console(name: &str) -> bool {
    let numbered = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    name == "/dev/console" || ["/dev/ttyu", "/dev/ttyv"].into_iter().any(numbered)
}

/// Asks for an explicit `yes` on the system's console.
///
/// # Errors
/// Standard input is something else, such as an SSH session, or the answer is another one.
pub fn consent_on_console(question: &str) -> Result<()> {
    let stdin = io::stdin();
    let name = ttyname(&stdin, Vec::new()).ok();
    let name = name.as_ref().map(|name| name.to_string_lossy());
    if !stdin.is_terminal() || !name.is_some_and(|name| is_console(&name)) {
        return Err(Failure::NotHere(
            "a file that is not signed by a trusted key is installed from the system's console only\n  \
             hint: log in at the console (not through SSH), and give the file by name"
                .into(),
        ));
    }
    let mut out = io::stdout();
    let asked = write!(out, "{question}\nType `yes` to go on: ").and_then(|()| out.flush());
    let mut answer = String::new();
    asked
        .and_then(|()| stdin.lock().read_line(&mut answer))
        .map_err(|error| Failure::NotHere(format!("the console does not answer: {error}")))?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Failure::NotHere(
            "nothing was installed: the answer was not `yes`".into(),
        )),
    }
}

/// Writes to standard output.
///
/// # Errors
/// It is closed.
pub fn print(text: &str) -> Result<()> {
    let error = |error| Failure::Io {
        action: "write",
        path: "standard output".into(),
        error,
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_machines_own_terminals_are_its_console() {
        for name in ["/dev/console", "/dev/ttyu0", "/dev/ttyv0", "/dev/ttyvb"] {
            assert!(is_console(name), "{name}");
        }
        for name in [
            "/dev/pts/0",
            "/dev/ttyu",
            "/dev/ttyp0",
            "/dev/ttyu0/x",
            "",
            "/dev/null",
            "/dev/consolex",
        ] {
            assert!(!is_console(name), "{name}");
        }
    }

    #[test]
    fn a_test_is_no_console() {
        let refused = consent_on_console("?").unwrap_err();
        assert_eq!(refused.status(), 77);
        assert!(refused.to_string().contains("not through SSH"), "{refused}");
    }
}
