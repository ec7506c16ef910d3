//! The program `ng-update`; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    update::run()
}
