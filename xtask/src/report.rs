//! `cargo xtask report`: one page about the last build and the last smoke run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use ngforge_image::manifest::Manifest;
use ngforge_image::output;
use ngforge_image::spec::Spec;

use crate::util;
use crate::vm::disk;
use run::SmokeRun;

mod html;
mod page;
mod run;
mod tests_section;
mod treemap;

/// Write one HTML page about the last build and the last smoke run
///
/// The page needs nothing but itself: no network, no other file, no script. It shows the graph, how long the boot took, what the
/// space of the image goes to, every test, the serial console, and the inputs with their checksums.
#[derive(Args)]
pub struct Report {
    /// The image's manifest [default: the newest in target/image/]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The folder with the reports of a smoke run; the page does without if there are none [default: target/smoke]
    #[arg(long, value_name = "DIR")]
    smoke: Option<PathBuf>,
    /// The appliance file, for its graph
    #[arg(long, value_name = "FILE", default_value = "overlay/appliance.yaml")]
    spec: PathBuf,
    /// Where the page goes [default: target/report.html]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// All that the page tells.
pub struct Facts {
    /// The image.
    pub manifest: Manifest,
    /// The files that all of this came from, by what they are: relative to the page's folder where they are below it.
    pub links: Vec<(&'static str, String)>,
    /// Its graph as an SVG picture, or why there is none.
    pub picture: Result<String, String>,
    /// The picture is of a file that has changed since the build.
    pub picture_is_newer: bool,
    /// The smoke run, or why there is none.
    pub run: Result<SmokeRun, String>,
    /// What the guest wrote to its serial line.
    pub serial: Option<Vec<u8>>,
}

impl Report {
    /// Gathers and writes.
    ///
    /// # Errors
    /// There is no image, or the page cannot be written.
    pub fn run(self) -> Result<()> {
        let path = self
            .output
            .clone()
            .unwrap_or_else(|| util::target_dir().join("report.html"));
        let facts = self.facts(path.parent().unwrap_or(Path::new("")))?;
        output::replace(&path, page::page(&facts).as_bytes())?;
        println!("{}", path.display());
        Ok(())
    }

    fn facts(&self, folder: &Path) -> Result<Facts> {
        let manifest_path = match &self.manifest {
            Some(path) => path.clone(),
            None => disk::newest_manifest(None)?,
        };
        let text = fs::read(&manifest_path).with_context(|| format!("could not read {}", manifest_path.display()))?;
        let manifest: Manifest = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not the manifest of an image", manifest_path.display()))?;
        let smoke = self.smoke.clone().unwrap_or_else(|| util::target_dir().join("smoke"));
        let (picture, sum) = picture(&util::root().join(&self.spec));
        Ok(Facts {
            picture_is_newer: picture.is_ok() && manifest.inputs.get("graph.yaml") != sum.as_ref(),
            picture,
            run: run::load(&smoke.join("report.json")),
            serial: fs::read(smoke.join("serial.log")).ok(),
            manifest,
            links: links(folder, &manifest_path, &smoke),
        })
    }
}

/// The files behind the page, as far as they are there.
fn links(folder: &Path, manifest: &Path, smoke: &Path) -> Vec<(&'static str, String)> {
    let files = [
        ("Manifest", manifest.to_path_buf()),
        ("Smoke run", smoke.join("report.json")),
        ("The same for JUnit", smoke.join("junit.xml")),
        ("Serial console", smoke.join("serial.log")),
    ];
    let there = files.into_iter().filter(|(_, path)| path.is_file());
    let told = |path: PathBuf| path.strip_prefix(folder).unwrap_or(&path).display().to_string();
    there.map(|(label, path)| (label, told(path))).collect()
}

/// The picture of an appliance's graph, and the file's checksum.
fn picture(spec_file: &Path) -> (Result<String, String>, Option<String>) {
    let Ok(spec) = Spec::load(spec_file) else {
        return (Err(format!("{} could not be read", spec_file.display())), None);
    };
    let Some(graph) = spec.graph else {
        return (Err("the appliance declares no graph".into()), None);
    };
    let path = spec_file.parent().unwrap_or(Path::new("")).join(graph);
    let Ok(text) = fs::read_to_string(&path) else {
        return (Err(format!("{} could not be read", path.display())), None);
    };
    let sum = ngforge_image::hash::of_bytes(text.as_bytes());
    let drawn = graph::Graph::parse(&text, &path).map_err(|error| error.to_string());
    (drawn.and_then(|graph| ng::svg(&graph, "The graph")), Some(sum))
}
