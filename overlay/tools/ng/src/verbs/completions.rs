//! `ng completions`: what is installed for shells.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use crate::companions;
use crate::failure::Result;

/// Print what makes a shell complete the words of ng
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub fn run(&self) -> Result<()> {
        let text = match self.shell {
            Shell::Bash => companions::BASH,
            Shell::Zsh => companions::ZSH,
            Shell::Fish => companions::FISH,
        };
        Ok(io::stdout().write_all(text.as_bytes())?)
    }
}
