//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Parser, Subcommand};

use crate::cfg::Cfg;
use crate::failure::Result;
use crate::place::Place;
use crate::verbs;

/// Install updates into the slot that is not running, and keep the configuration
///
/// The appliance has two root slots. `install` writes an update into the one that is not running, and has it booted once.
/// When that boot turns out healthy, the slot stays; when it does not, the next boot is of the old slot again.
#[derive(Debug, Parser)]
#[command(name = "ng-update", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Opt {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write an update into the other slot, verify it, and have it booted once
    Install(verbs::Install),
    /// Show slots, versions and which one boots next
    Status(verbs::Status),
    /// Check the health, as `check`, and make the running slot the one to boot
    Healthy(verbs::Healthy),
    /// Boot the other slot next, if it has been healthy
    Rollback(verbs::Rollback),
    /// Check the health: exit status 0, or 1 when something is missing
    Check(verbs::Check),
    /// Mark a slot that was booted and did not become healthy, and say so
    Note,
    /// Come back when all that was written to the disk would outlive a loss of power
    Flush,
    /// Show what an update file is for and who signed it
    Show(verbs::Show),
    /// What is changed in /etc, and what of it is saved
    Cfg(Cfg),
}

/// Understands the arguments, the program's name among them.
///
/// # Errors
/// They make no sense, or ask for help.
pub fn parse(arguments: Vec<OsString>) -> Result<Opt, clap::Error> {
    let name = arguments
        .first()
        .map(|name| Path::new(name).file_name().unwrap_or(name));
    if name == Some(OsStr::new("save-cfg")) {
        let words = ["ng-update", "cfg", "save"].map(OsString::from);
        return Opt::try_parse_from(words.into_iter().chain(arguments.into_iter().skip(1)));
    }
    Opt::try_parse_from(arguments)
}

impl Opt {
    /// Does it.
    ///
    /// # Errors
    /// Any failure.
    pub fn run(self) -> Result<()> {
        let place = &self.place;
        match self.command {
            Command::Install(install) => install.run(place),
            Command::Status(status) => status.run(place),
            Command::Healthy(healthy) => healthy.run(place),
            Command::Rollback(rollback) => rollback.run(place),
            Command::Check(check) => check.run(place),
            Command::Note => verbs::note(place),
            Command::Flush => place.running()?.flush(),
            Command::Show(show) => show.run(place),
            Command::Cfg(cfg) => cfg.run(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Opt::command().debug_assert();
    }

    #[test]
    fn called_as_save_cfg_it_saves() {
        let opt = parse(["/usr/local/sbin/save-cfg", "--json"].map(OsString::from).to_vec()).unwrap();
        assert!(opt.place.json);
        assert!(matches!(opt.command, Command::Cfg(_)));
    }
}
