//! `ng-update status`.

use std::fs;

use clap::Args;
use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::install::current;
use crate::place::{Identity, Place};
use crate::state::{self, Mark, Slot, State};
use crate::terminal::print;

/// All of it, in JSON.
#[derive(Serialize)]
struct Report {
    running: Slot,
    on_trial: bool,
    /// What is booted next.
    next: Slot,
    state: State,
    slots: [Row; 2],
    /// Why a copy of the state record is not valid.
    faults: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    slot: Slot,
    mark: Mark,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Identity>,
}

/// Show slots, versions and which one boots next
#[derive(Debug, Args)]
pub struct Status {
    /// Say nothing: exit status 0 if the running slot was booted once, to try it, and is not healthy yet; else 1
    #[arg(long)]
    tried: bool,
}

impl Status {
    pub fn run(&self, place: &Place) -> Result<()> {
        let report = gather(place)?;
        match (self.tried, place.json) {
            (true, _) if report.state.tried == Some(report.running) => Ok(()),
            (true, _) => Err(Failure::Different),
            (false, true) => print(&(serde_json::to_string(&report).unwrap_or_default() + "\n")),
            (false, false) => print(&report.text()),
        }
    }
}

fn gather(place: &Place) -> Result<Report> {
    let running = place.running()?;
    let mut device = running.state(false)?;
    let state = current(&mut device, running.slot).map_err(super::health::of_state)?;
    let copies =
        state::read(&mut device).map_err(|error| super::health::of_state(crate::install::Error::State(error)))?;
    let faults = [("first", copies.first.err()), ("second", copies.second.err())];
    let faults = faults
        .into_iter()
        .filter_map(|(which, fault)| Some(format!("the {which} copy: {}", fault?)));
    Ok(Report {
        running: running.slot,
        on_trial: state.is_on_trial(running.slot),
        next: state.once.unwrap_or(state.boot),
        slots: Slot::BOTH.map(|slot| Row {
            slot,
            mark: state.mark(slot),
            version: version(place, slot, running.slot),
        }),
        state,
        faults: faults.collect(),
    })
}

/// Of the slot that runs, what it says itself; of the other one, what was noted.
fn version(place: &Place, slot: Slot, running: Slot) -> Option<Identity> {
    if slot == running {
        return place.identity().ok();
    }
    let text = fs::read_to_string(place.path(&format!("/var/db/ng/slot-{slot}.json"))).ok()?;
    serde_json::from_str(&text).ok()
}

impl Report {
    fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.slots {
            let version = row.version.as_ref().map_or("unknown version".to_owned(), |version| {
                format!("{} {} (build {})", version.appliance, version.release, version.build)
            });
            let version = if row.mark == Mark::Empty {
                String::new()
            } else {
                version
            };
            let mark = row.mark.to_string();
            text += format!("slot {}  {mark:5}  {version}{}", row.slot, self.role(row.slot)).trim_end();
            text += "\n";
        }
        for fault in &self.faults {
            text += &format!("state record, {fault}; the next change writes it anew\n");
        }
        text
    }

    fn role(&self, slot: Slot) -> String {
        let mut roles = Vec::new();
        if slot == self.running {
            roles.push(if self.on_trial { "running, on trial" } else { "running" });
        }
        if slot == self.next {
            roles.push(if self.state.once.is_some() {
                "tried at the next boot"
            } else {
                "boots next"
            });
        }
        match roles.is_empty() {
            true => String::new(),
            false => format!("  [{}]", roles.join("; ")),
        }
    }
}
