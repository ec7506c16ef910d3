//! The manual page, in mdoc(7).

/// The page of ng-update(8).
pub const PAGE: &str = include_str!("manual/ng-update.8");

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use clap::CommandFactory;

    use super::PAGE;

    #[test]
    fn every_command_and_option_is_in_the_page() {
        let mut grammar = crate::cli::Opt::command();
        grammar.build();
        let mut left = vec![&grammar];
        while let Some(command) = left.pop() {
            for below in command.get_subcommands() {
                assert!(PAGE.contains(below.get_name()), "{}", below.get_name());
                left.push(below);
            }
            for option in command.get_arguments().filter_map(|option| option.get_long()) {
                let known = ["help", "version"].contains(&option) || PAGE.contains(&format!("-{option}"));
                assert!(known, "--{option}");
            }
        }
    }

    #[test]
    fn mandoc_finds_nothing_wrong() {
        let lint = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut lint = lint.expect("mandoc, which scripts/setup installs");
        lint.stdin.take().unwrap().write_all(PAGE.as_bytes()).unwrap();
        let output = lint.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
