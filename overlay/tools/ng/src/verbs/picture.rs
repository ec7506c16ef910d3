//! What the verbs that draw have in common: what is drawn, and where it goes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use netgraph::{Address, Transport};

use super::validate;
use crate::failure::{Failure, Result};
use crate::picture::{Drawing, declared, live};
use crate::session::Session;

/// What is drawn, and where it goes.
#[derive(Debug, Args)]
pub struct Subject {
    /// Only what can be reached from this node
    path: Option<Address>,

    /// Draw the graph that FILE declares, without asking a kernel
    ///
    /// Works on any system. PATH then starts with the name of a declared node.
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Only nodes that are at most N links away from PATH
    #[arg(long, value_name = "N", requires = "path")]
    depth: Option<usize>,

    /// Leave out the nodes of type socket, which belong to processes
    #[arg(long)]
    no_sockets: bool,

    /// Write to FILE, which is complete or stays as it was
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Subject {
    /// Draws what a kernel has, or a file.
    pub fn run<T: Transport>(
        &self,
        session: &mut Session<T>,
        draw: impl FnOnce(&Drawing) -> Result<String>,
    ) -> Result<()> {
        let drawing = match &self.file {
            Some(file) => self.declared(file)?,
            None => self.live(session)?,
        };
        let text = draw(&drawing)?;
        match &self.output {
            Some(file) if !session.json => write(file, &text),
            _ => session.print(&drawing, |out| write!(out, "{text}")),
        }
    }

    /// Draws a file, if one is given.
    pub fn run_offline(&self, json: bool, draw: impl FnOnce(&Drawing) -> Result<String>) -> Option<Result<()>> {
        let file = self.file.as_ref()?;
        Some(self.declared(file).and_then(|drawing| {
            let mut text = draw(&drawing)?;
            if json {
                text = serde_json::to_string(&drawing).map_err(io::Error::from)? + "\n";
            }
            match &self.output {
                Some(file) if !json => write(file, &text),
                _ => Ok(io::stdout().lock().write_all(text.as_bytes())?),
            }
        }))
    }

    /// What the picture is called.
    pub fn title(&self) -> String {
        let file = self.file.as_deref().and_then(Path::file_name);
        let what = file.map_or_else(|| "netgraph".into(), |name| name.to_string_lossy());
        match &self.path {
            Some(path) => format!("{what} around {}", path.as_str()),
            None => what.into_owned(),
        }
    }

    fn live<T: Transport>(&self, session: &mut Session<T>) -> Result<Drawing> {
        let drawing = match &self.path {
            Some(path) => live::around(session, path, self.depth)?,
            None => live::everything(session)?,
        };
        Ok(self.without_sockets(drawing))
    }

    fn declared(&self, file: &Path) -> Result<Drawing> {
        let drawing = declared::drawing(&validate::read(file)?);
        let drawing = match &self.path {
            Some(path) => drawing.around(declared::find(&drawing, path)?, self.depth),
            None => drawing,
        };
        Ok(self.without_sockets(drawing))
    }

    fn without_sockets(&self, drawing: Drawing) -> Drawing {
        if self.no_sockets {
            drawing.only(|node| drawing.nodes[node].r#type != "socket")
        } else {
            drawing
        }
    }
}

/// Writes a file beside the one that is meant, and puts it in its place.
fn write(path: &Path, text: &str) -> Result<()> {
    let what = "could not write the picture";
    let failure = |error| Failure::Io { what, error };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = File::create_new(&beside).and_then(|mut file| {
        let moved = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        let moved = moved.and_then(|()| fs::rename(&beside, path));
        if moved.is_err() {
            // What matters is the first error.
            let _ = fs::remove_file(&beside);
        }
        moved
    });
    written.map_err(|error| failure(io::Error::new(error.kind(), format!("{}: {error}", path.display()))))
}
