//! How `ng` fails: what it says and its exit status.

use std::io;
use std::process::ExitCode;

use netgraph::Errno;
use thiserror::Error;

/// Why a verb did not do what it was asked.
#[derive(Debug, Error)]
pub enum Failure {
    /// The kernel or a node said no.
    #[error("{error}{}", hint_lines(hints))]
    Netgraph {
        /// What it said.
        error: netgraph::Error,
        /// What exists instead, or what to do.
        hints: Vec<String>,
    },
    /// The graph file is wrong, or its graph cannot be made.
    #[error("{error}")]
    Graph {
        /// Where and why.
        error: Box<graph::Error>,
        /// Whether the file itself is at fault, and not the kernel that it is applied to.
        offline: bool,
    },
    /// A file cannot be read.
    #[error("could not read {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// A program of the system failed.
    #[error("`{command}` failed: {said}")]
    Program {
        /// The program and its arguments.
        command: String,
        /// What it said.
        said: String,
    },
    /// A packet or its way to the terminal got lost.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        error: io::Error,
    },
    /// What ng remembers cannot be written.
    #[error(
        "could not write {path}: {error}\n  hint: ng keeps there what it made; it needs root, or another folder: --state DIR"
    )]
    State {
        /// The file.
        path: String,
        /// Why not.
        error: io::Error,
    },
    /// Another process changes the graph.
    #[error("another ng is changing the graph (it holds {0}); try again when it is done")]
    Busy(String),
    /// A change that failed was taken back, or not.
    #[error("{failure}\n{}", .rollback)]
    Undone {
        /// Why it failed.
        failure: Box<Failure>,
        /// What became of the graph.
        rollback: String,
    },
    /// A graph was applied and never confirmed, so that it is not applied at boot.
    #[error("{0} was applied and not confirmed; `ng apply` and `ng confirm` would have it applied at the next boot")]
    Unconfirmed(String),
    /// Not to be told again: only the exit status.
    #[error("")]
    Told(u8),
    /// A signal came.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The live graph does not allow it, or has changed.
    #[error("{0}")]
    Refused(String),
    /// A wait came to its end.
    #[error("{0}")]
    Late(String),
    /// Not an error: the graph is not as declared.
    #[error("")]
    Different,
}

/// The result of a verb.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

fn hint_lines(hints: &[String]) -> String {
    hints.iter().map(|hint| format!("\n  hint: {hint}")).collect()
}

impl From<netgraph::Error> for Failure {
    fn from(error: netgraph::Error) -> Self {
        let hints = Vec::new();
        Self::Netgraph { error, hints }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let what = "could not write";
        Self::Io { what, error }
    }
}

impl Failure {
    /// The exit status, in the numbers of sysexits(3) as ngctl(8) uses them.
    pub fn status(&self) -> u8 {
        match self {
            Self::Different => 1,
            Self::Usage(_) => 64,
            Self::Graph { offline: true, .. } => 65,
            Self::Undone { failure, .. } => failure.status(),
            Self::Interrupted | Self::Unconfirmed(_) => 71,
            Self::Told(status) => *status,
            Self::State { .. } => 73,
            Self::Busy(_) => 75,
            Self::File { .. } => 66,
            Self::Netgraph { error, .. } => match error.errno() {
                Some(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT) => 69,
                Some(Errno::EPERM | Errno::EACCES) => 77,
                _ => 71,
            },
            Self::Graph { .. } | Self::Refused(_) | Self::Program { .. } => 71,
            Self::Io { .. } => 74,
            Self::Late(_) => 75,
        }
    }

    /// Says it, and returns the exit status.
    ///
    /// A reader that has gone away is no failure.
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Different | Self::Told(_) => {}
            Self::Graph { .. } | Self::Undone { .. } => eprintln!("{self}"),
            _ => eprintln!("ng: {self}"),
        }
        self.status().into()
    }
}

/// Says what is wrong with the arguments, or gives the help that was asked for.
pub fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (false, _) => ExitCode::SUCCESS,
        (true, _) => 64.into(),
    }
}
