//! `ng-seed`: checks a seed anywhere, and applies the one that is attached when the appliance boots.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use seed::system::Machine;
use seed::{Plan, Result, Seed};

/// Apply what a cloud-init seed says at first boot: host name, keys, network, files, graph
#[derive(Parser)]
#[command(name = "ng-seed", version)]
struct Opt {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Say what a seed asks for, and what of it means nothing here; change nothing
    Check {
        /// An image, a device or a folder
        seed: PathBuf,
    },
    /// Apply the seed that is attached, if it was not applied before
    Boot {
        /// Look at these devices instead of all that may be one
        #[arg(long = "device", value_name = "DEVICE")]
        devices: Vec<PathBuf>,
    },
    /// Run the commands of the seed, once
    Finish,
}

fn main() -> ExitCode {
    let result = match Opt::parse().verb {
        Verb::Check { seed } => check(&seed),
        Verb::Boot { devices } => boot(devices),
        Verb::Finish => finish(),
    };
    match result {
        Ok(status) => status,
        Err(error) => {
            eprintln!("ng-seed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(path: &Path) -> Result<ExitCode> {
    let Some(seed) = Seed::open(path)? else {
        eprintln!(
            "ng-seed: {}: is no seed: its label is neither cidata nor config-2",
            path.display()
        );
        return Ok(ExitCode::FAILURE);
    };
    tell(&Plan::read(&seed, None, None)?);
    Ok(ExitCode::SUCCESS)
}

fn boot(devices: Vec<PathBuf>) -> Result<ExitCode> {
    let devices = if devices.is_empty() { candidates() } else { devices };
    let Some(seed) = Seed::find(&devices)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let machine = Machine::at(Path::new("/"));
    let plan = Plan::read(&seed, Some(&machine.cards()?), machine.graph().as_deref())?;
    if machine.instance().as_ref() == Some(&plan.instance) {
        println!(
            "ng-seed: {}: the instance {} was applied before",
            seed.origin.display(),
            plan.instance
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("ng-seed: {}: applying", seed.origin.display());
    tell(&plan);
    let done = machine.apply(&plan)?;
    for note in &done.notes {
        println!("ng-seed: left undone: {note}");
    }
    machine.save()?;
    println!(
        "ng-seed: the instance {} is applied: {} files",
        plan.instance, done.files
    );
    Ok(ExitCode::SUCCESS)
}

fn finish() -> Result<ExitCode> {
    let Some(commands) = Machine::at(Path::new("/")).take_commands()? else {
        return Ok(ExitCode::SUCCESS);
    };
    println!("ng-seed: running the commands of the seed");
    match Command::new("/bin/sh").arg(&commands).status() {
        Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
        Ok(status) => {
            eprintln!("ng-seed: the commands of the seed ended with {status}; they are not run again");
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            eprintln!("ng-seed: /bin/sh: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What the plan is, a line each.
fn tell(plan: &Plan) {
    let line = |what: &str, value: &str| println!("ng-seed:   {what:<10} {}", value.escape_debug());
    line("instance", &plan.instance);
    for (key, value) in &plan.rc {
        line("rc.conf", &format!("{key}={value}"));
    }
    for account in &plan.accounts {
        let password = if account.hash.is_some() { ", a password" } else { "" };
        line(
            "account",
            &format!("{}: {} keys{password}", account.name, account.keys.len()),
        );
    }
    for server in &plan.resolver.servers {
        line("resolver", &server.to_string());
    }
    for file in &plan.files {
        line("file", &format!("{} ({} bytes)", file.path, file.content.len()));
    }
    if let Some(graph) = &plan.graph {
        line("graph", &format!("{} lines", graph.lines().count()));
    }
    for command in &plan.commands {
        line("command", command);
    }
    for note in &plan.notes {
        line("ignored", note);
    }
}

/// Devices that may hold a seed: on FreeBSD, those to which GEOM gave the name of a file system; on Linux, disks.
fn candidates() -> Vec<PathBuf> {
    let folders = ["/dev/iso9660", "/dev/msdosfs"].map(|folder| {
        listed(Path::new(folder), &|name| {
            ["cidata", "config-2"].contains(&name.to_ascii_lowercase().as_str())
        })
    });
    let mut all = folders.concat();
    if cfg!(target_os = "linux") {
        let is_disk = |name: &str| ["vd", "sd", "sr"].iter().any(|kind| name.starts_with(kind));
        all.extend(
            listed(Path::new("/sys/class/block"), &is_disk)
                .iter()
                .filter_map(|path| Some(Path::new("/dev").join(path.file_name()?))),
        );
    }
    all
}

fn listed(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = entries
        .unwrap_or_default()
        .iter()
        .map(std::fs::DirEntry::path)
        .collect();
    paths.retain(|path| path.file_name().is_some_and(|name| wanted(&name.to_string_lossy())));
    paths.sort();
    paths
}
