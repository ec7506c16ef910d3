//! `ng types`.

use std::io::{self, Write};

use clap::Args;
use netgraph::{Address, ListTypes, Transport, TypeInfo};
use serde::Serialize;

use crate::failure::Result;
use crate::session::Session;
use crate::table::{Style, Table};

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
        let style = session.style;
        session.print(&output, |out| match style {
            Style::Plain => write_plain(out, &types),
            style => table(&types).write(out, style),
        })
    }
}

/// The types as ngctl(8) shows them.
fn write_plain(out: &mut dyn Write, types: &[TypeInfo]) -> io::Result<()> {
    writeln!(out, "There are {} total types:", types.len())?;
    if !types.is_empty() {
        writeln!(out, "{:>15}   Number of living nodes", "Type name")?;
        writeln!(out, "{:>15}   ----------------------", "---------")?;
    }
    let mut types = types.iter();
    types.try_for_each(|kind| writeln!(out, "{:>15}   {:>5}", kind.name, kind.nodes))
}

fn table(types: &[TypeInfo]) -> Table {
    let mut table = Table::new(&["TYPE", "NODES"]);
    for kind in types {
        table.row([kind.name.clone(), kind.nodes.to_string()]);
    }
    table
}
