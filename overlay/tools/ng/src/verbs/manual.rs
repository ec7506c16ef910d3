//! `ng manual`: what is installed as manual pages.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use crate::failure::Result;
use crate::manual;

/// Print a manual page in mdoc(7)
#[derive(Debug, Args)]
pub struct Manual {
    /// The page
    #[arg(value_enum, default_value = "ng")]
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// ng(8)
    Ng,
    /// graph.yaml(5)
    #[value(name = "graph.yaml")]
    Graph,
}

impl Manual {
    pub fn run(&self) -> Result<()> {
        let page = match self.page {
            Page::Ng => manual::ng(),
            Page::Graph => manual::graph(),
        };
        Ok(io::stdout().write_all(page.as_bytes())?)
    }
}
