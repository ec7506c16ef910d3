//! `ng types`.

use clap::Args;
use netgraph::{Address, ListTypes, Transport};
use serde::Serialize;

use crate::failure::Result;
use crate::session::Session;

/// List the node types that are loaded
///
/// mkpeer loads the module of a type that is missing.
#[derive(Debug, Args)]
pub struct Types {}

#[derive(Serialize)]
struct Output<'a> {
    types: Vec<TypeJson<'a>>,
}

#[derive(Serialize)]
struct TypeJson<'a> {
    name: &'a str,
    nodes: u32,
}

impl Types {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let types = session.request(&Address::here(), &ListTypes)?;
        let rows = types.iter().map(|kind| TypeJson {
            name: &kind.name,
            nodes: kind.nodes,
        });
        let output = Output { types: rows.collect() };
        session.print(&output, |out| {
            writeln!(out, "There are {} total types:", types.len())?;
            if !types.is_empty() {
                writeln!(out, "{:>15}   Number of living nodes", "Type name")?;
                writeln!(out, "{:>15}   ----------------------", "---------")?;
            }
            types
                .iter()
                .try_for_each(|kind| writeln!(out, "{:>15}   {:>5}", kind.name, kind.nodes))
        })
    }
}
