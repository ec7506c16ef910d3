//! Programs of the base system.

use std::process::Command;

use crate::failure::{Failure, Result};

/// Runs a program to its end and returns what it printed; one that fails is an error with what it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let failed = |said: String| Failure::Program {
        command: [&[program], arguments].concat().join(" "),
        said,
    };
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(if said.is_empty() {
        output.status.to_string()
    } else {
        said
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_command_and_what_it_said() {
        assert_eq!(run("/bin/sh", &["-c", "echo it; echo noise >&2"]).unwrap(), "it\n");
        let rows: [(&[&str], &str); 3] = [
            (&["-c", "echo no such thing >&2; exit 3"], "no such thing"),
            (&["-c", "exit 3"], "exit status: 3"),
            (&["-c", "kill -9 $$"], "signal: 9"),
        ];
        for (arguments, part) in rows {
            let said = run("/bin/sh", arguments).unwrap_err().to_string();
            assert!(said.starts_with("`/bin/sh -c ") && said.contains(part), "{said}");
        }
        let said = run("/nonexistent", &[]).unwrap_err().to_string();
        assert!(said.starts_with("`/nonexistent` failed: No such file"), "{said}");
    }
}
