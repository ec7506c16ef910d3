//! The commands, but for those about the configuration.

mod health;
mod install;
mod show;
mod status;

pub use health::{Check, Healthy, Rollback, note};
pub use install::Install;
pub use show::Show;
pub use status::Status;

use std::process::Command;

use crate::failure::{Failure, Result};

/// Starts the machine anew, in an orderly way.
fn reboot() -> Result<()> {
    crate::check::succeed(Command::new("shutdown").args(["-r", "now"])).map_err(|said| Failure::Program {
        command: "shutdown -r now".into(),
        said,
    })
}
