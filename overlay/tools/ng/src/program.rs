//! Which program this is called as: `ng`, or one of those that it replaces.

use std::ffi::OsStr;
use std::path::Path;

/// The name under which the program was called decides which command line it understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `ng`.
    Ng,
    /// ngctl(8).
    Ngctl,
    /// nghook(8).
    Nghook,
}

impl Program {
    /// The program of that path; `ng` under any name but those two.
    pub fn called(path: Option<&OsStr>) -> Self {
        let name = path.and_then(|path| Path::new(path).file_name());
        match name.and_then(OsStr::to_str) {
            Some("ngctl") => Self::Ngctl,
            Some("nghook") => Self::Nghook,
            _ => Self::Ng,
        }
    }

    /// Its name, in front of what it says on standard error.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ng => "ng",
            Self::Ngctl => "ngctl",
            Self::Nghook => "nghook",
        }
    }

    /// What stands in front of the line that is being typed.
    pub fn prompt(self) -> &'static str {
        match self {
            Self::Ng | Self::Nghook => "ng> ",
            Self::Ngctl => "+ ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        let rows = [
            (Some("/usr/local/libexec/ng/ngctl"), Program::Ngctl),
            (Some("nghook"), Program::Nghook),
            (Some("/ngctl/ng"), Program::Ng),
            (Some("something"), Program::Ng),
            (None, Program::Ng),
        ];
        for (path, program) in rows {
            assert_eq!(Program::called(path.map(OsStr::new)), program, "{path:?}");
        }
    }
}
