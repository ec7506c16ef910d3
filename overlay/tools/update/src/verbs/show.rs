//! `ng-update show`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::file::{Reader, Seal, Trust, fingerprint};
use crate::place::Place;
use crate::terminal::print;

/// Show what an update file is for and who signed it
#[derive(Debug, Args)]
pub struct Show {
    /// The update file
    file: PathBuf,
}

impl Show {
    pub fn run(self, place: &Place) -> Result<()> {
        let failed = |error: crate::file::Error| Failure::Update {
            path: self.file.display().to_string(),
            error: error.into(),
        };
        let open = || {
            File::open(&self.file)
                .map(BufReader::new)
                .map_err(Failure::io("open", &self.file))
        };
        let reader = Reader::open(open()?, Trust::Anyone).map_err(failed)?;
        let keys = place.keys()?;
        let trusted = match Reader::open(open()?, Trust::Keys(&keys)) {
            Ok(_) => Ok(()),
            Err(crate::file::Error::Distrust(why)) => Err(why.to_string()),
            Err(error) => return Err(failed(error)),
        };
        let about = &reader.header().about;
        let key = (*reader.seal() != Seal::NONE).then(|| fingerprint(&reader.seal().key));
        if place.json {
            let report = json!({"about": about, "key": key, "trusted": trusted.is_ok(), "why": trusted.err()});
            return print(&format!("{report}\n"));
        }
        let verdict = trusted.map_or_else(|why| format!("not trusted here: {why}"), |()| "trusted here".into());
        print(&format!(
            "appliance  {}\nrelease    {}\nbuild      {}\nslot       {} bytes\nneeds      disk layout {}, {}\nsigned by  {}\n{verdict}\n",
            about.appliance,
            about.release,
            about.build,
            about.slot_bytes,
            about.needs.disk,
            about.needs.machine,
            key.as_deref().unwrap_or("nobody"),
        ))
    }
}
