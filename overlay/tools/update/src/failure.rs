//! How `ng-update` fails: what it says and its exit status.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use thiserror::Error;

use crate::file;
use crate::install;
use crate::state::Objection;

/// The result of a command.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
pub enum Failure {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// An update file is not installed.
    #[error("{path}: {error}{}", way_out(error))]
    Update {
        /// The file.
        path: String,
        /// Why not.
        error: install::Error,
    },
    /// The state does not allow it.
    #[error(transparent)]
    Objection(#[from] Objection),
    /// A file or device could not be read or written.
    #[error("{path}: could not {action}: {error}")]
    Io {
        /// The verb and its object.
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The machine has no slots.
    #[error("{0}\n  hint: updates and saved settings need an appliance that was built with `disk: {{layout: slots}}`")]
    NoSlots(String),
    /// What was to be saved is wrong.
    #[error("{0}")]
    Invalid(String),
    /// It is not allowed, or not now.
    #[error("{0}")]
    Refused(String),
    /// It is not allowed from here.
    #[error("{0}")]
    NotHere(String),
    /// A program of the system failed.
    #[error("`{command}` failed: {said}")]
    Program {
        /// The program and its arguments.
        command: String,
        /// What it said.
        said: String,
    },
    /// Not to be told again: something is not healthy, or there is something to save.
    #[error("")]
    Different,
}

impl Failure {
    /// Makes one of what the system said about a file.
    pub fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |error| Self::Io {
            action,
            path: path.clone(),
            error,
        }
    }

    /// The exit status, in the numbers of sysexits(3).
    pub fn status(&self) -> u8 {
        match self {
            Self::Different => 1,
            Self::Usage(_) => 64,
            Self::Update { error, .. } => update_status(error),
            Self::Invalid(_) => 78,
            Self::NoSlots(_) => 69,
            Self::NotHere(_) => 77,
            Self::Io { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => 77,
            Self::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => 66,
            Self::Io { .. } => 74,
            Self::Objection(_) | Self::Refused(_) | Self::Program { .. } => 71,
        }
    }

    /// Says it, and returns the exit status. A reader that has gone away is no failure.
    pub fn report(&self, json: bool) -> ExitCode {
        if matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        match (self, json) {
            (Self::Different, _) => {}
            (_, true) => say(&self.in_json()),
            (_, false) => say(&format!("ng-update: {self}")),
        }
        self.status().into()
    }

    /// `{"error": ..., "hints": [...], "status": N}`.
    fn in_json(&self) -> String {
        #[derive(Serialize)]
        struct Report<'a> {
            error: String,
            hints: Vec<&'a str>,
            status: u8,
        }
        let text = self.to_string();
        let (hints, error): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with(HINT));
        let report = Report {
            error: error.join("\n"),
            hints: hints.iter().filter_map(|hint| hint.strip_prefix(HINT)).collect(),
            status: self.status(),
        };
        serde_json::to_string(&report).unwrap_or_default()
    }
}

const HINT: &str = "  hint: ";

/// For who is not at the console, and may not know that it helps.
fn way_out(error: &install::Error) -> &'static str {
    use file::Distrust::{Foreign, Unsigned};
    match error {
        install::Error::File(file::Error::Distrust(Unsigned | Foreign { .. })) => {
            "\n  hint: on the system's console, `ng-update install --unsigned` asks whether to take it all the same"
        }
        _ => "",
    }
}

fn update_status(error: &install::Error) -> u8 {
    match error {
        install::Error::File(file::Error::Distrust(_)) => 77,
        install::Error::File(file::Error::Read(_)) => 74,
        install::Error::File(_) | install::Error::Misfit(_) => 65,
        install::Error::Objection(_) => 71,
        install::Error::State(_) | install::Error::Slot { .. } | install::Error::Verify { .. } => 74,
    }
}

/// Says something on standard error; if that is closed, nobody wants to hear it.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says what is wrong with the arguments, or gives the help that was asked for.
pub fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        return Failure::Usage(first.trim_start_matches("error: ").to_owned()).report(true);
    }
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (false, _) => ExitCode::SUCCESS,
        (true, _) => 64.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Distrust;
    use crate::state::{Mark, Slot};

    #[test]
    fn a_failure_in_json_has_its_parts() {
        let failure = Failure::NoSlots("no slots".into());
        let json: serde_json::Value = serde_json::from_str(&failure.in_json()).unwrap();
        assert_eq!((&json["error"], &json["status"]), (&"no slots".into(), &69.into()));
        assert!(
            json["hints"][0]
                .as_str()
                .unwrap()
                .starts_with("updates and saved settings")
        );
    }

    #[test]
    fn statuses_tell_what_kind_of_failure_it_is() {
        let update = |error| Failure::Update {
            path: "x".into(),
            error,
        };
        let rows = [
            (update(file::Error::Distrust(Distrust::Unsigned).into()), 77),
            (update(file::Error::Magic.into()), 65),
            (update(install::Error::Misfit(String::new())), 65),
            (update(install::Error::State(io::Error::other(""))), 74),
            (Objection::NotGood(Slot::A, Mark::Bad).into(), 71),
            (Failure::io("read", Path::new("x"))(io::ErrorKind::NotFound.into()), 66),
        ];
        for (failure, status) in rows {
            assert_eq!(failure.status(), status, "{failure:?}");
        }
    }
}
