//! `cargo xtask doctor`: what is on this machine, what is missing, and how to get it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use xshell::Shell;

use crate::preflight::{self, Importance, TOOLS, Tool};
use crate::toolchain::CrossToolchain;
use crate::util;
use crate::vm::accel::{self, Accelerator, Wanted};
use crate::vm::firmware::Firmware;
use crate::zig::{self, Zig};

/// The zig whose FreeBSD headers are those of 15.0.
const ZIG_FOR_15: &str = "0.17.1";
/// Where Concurrency Kit's headers lie, which FreeBSD's kernel headers include.
const CK_HEADERS: [&str; 2] = ["/usr/include/ck_queue.h", "/usr/local/include/ck_queue.h"];

/// Show every tool found or missed, what it is for and how to get it
#[derive(Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing that was looked for.
#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    /// Completes "it is needed to …".
    purpose: String,
    importance: Importance,
    #[serde(flatten)]
    state: State,
}

/// What the search came to.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    /// It is there and will do.
    Found { place: PathBuf, version: String },
    /// It is not there, or will not do.
    Missing { remedy: String },
}

impl Doctor {
    /// Looks for everything.
    ///
    /// # Errors
    /// Something that the main job needs is missing.
    pub fn run(self) -> Result<()> {
        let findings = examine(&util::shell()?);
        if self.json {
            println!("{}", serde_json::to_string_pretty(&findings)?);
        } else {
            print!("{}", table(&findings));
        }
        let missing = names_of_missing(&findings, Importance::MainJob);
        if !missing.is_empty() {
            bail!("the main job cannot be done here without {}", missing.join(", "));
        }
        Ok(())
    }
}

fn examine(shell: &Shell) -> Vec<Finding> {
    let mut findings: Vec<Finding> = TOOLS.iter().map(examine_tool).collect();
    findings.extend([
        cross_toolchain(shell),
        zig(shell, zig::LINKING, "link programs for FreeBSD", Importance::MainJob),
        zig(shell, ZIG_FOR_15, "have FreeBSD 15's kernel headers", Importance::Tests),
        ck_headers(),
        firmware(),
        kvm(),
    ]);
    // Stable: the order of the table stays within each group.
    findings.sort_by_key(|finding| finding.importance);
    findings
}

fn examine_tool(tool: &Tool) -> Finding {
    let state = match preflight::find(tool.name) {
        Some(place) => fit(tool, place),
        None => State::Missing {
            remedy: format!("`{}`", preflight::install_command(tool.name)),
        },
    };
    finding(tool.name, tool.purpose, tool.importance, state)
}

/// Whether a program is new enough.
fn fit(tool: &Tool, place: PathBuf) -> State {
    let version = version_of(&place, tool.version);
    match (tool.minimum, numbers(&version)) {
        (Some(minimum), Some(found)) if found < minimum => State::Missing {
            remedy: format!(
                "{}.{} or newer is needed; {} is `{version}`",
                minimum.0,
                minimum.1,
                place.display()
            ),
        },
        _ => State::Found { place, version },
    }
}

/// The first line with a digit of what a program says about itself.
fn version_of(program: &Path, argument: &str) -> String {
    if argument.is_empty() {
        return String::new();
    }
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).output();
    let Ok(output) = output else {
        return "does not start".into();
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit()));
    line.unwrap_or_default().trim().to_owned()
}

/// The first number with a dot in a text: its first two parts.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut words = version.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.find_map(|word| {
        let mut parts = word.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

fn cross_toolchain(shell: &Shell) -> Finding {
    let state = match CrossToolchain::find(shell) {
        Ok(found) => State::Found {
            version: found.to_string(),
            place: found.cargo,
        },
        Err(_) => State::Missing {
            remedy: format!(
                "`rustup component add rust-src` or `{}`",
                preflight::install_command("rust-src")
            ),
        },
    };
    let purpose = "compile for FreeBSD, whose core and std are built from source";
    finding("Rust with library sources", purpose, Importance::MainJob, state)
}

fn zig(shell: &Shell, version: &str, purpose: &str, importance: Importance) -> Finding {
    let state = match Zig::find(shell, version) {
        Some(zig) => State::Found {
            place: zig.exe,
            version: version.into(),
        },
        None => State::Missing {
            remedy: format!("`scripts/setup`, which installs the PyPI package ziglang {version} below target/zig/"),
        },
    };
    finding(&format!("zig {version}"), purpose, importance, state)
}

fn ck_headers() -> Finding {
    let place = CK_HEADERS.map(PathBuf::from).into_iter().find(|place| place.is_file());
    let state = match place {
        Some(place) => State::Found {
            place,
            version: String::new(),
        },
        None => State::Missing {
            remedy: format!("`{}`", preflight::install_command("libck")),
        },
    };
    let purpose = "compile FreeBSD's kernel headers, which include them";
    finding("Concurrency Kit's headers", purpose, Importance::Tests, state)
}

fn firmware() -> Finding {
    let state = match Firmware::find(None) {
        Ok(firmware) => State::Found {
            place: firmware.code,
            version: String::new(),
        },
        Err(_) => State::Missing {
            remedy: format!("`{}`", preflight::install_command("ovmf")),
        },
    };
    finding(
        "UEFI firmware (OVMF)",
        "boot the image in QEMU",
        Importance::MainJob,
        state,
    )
}

fn kvm() -> Finding {
    let attempt = || {
        let qemu = preflight::need("qemu-system-x86_64")?;
        accel::choose(Wanted::Auto, &qemu, &Firmware::find(None)?)
    };
    let state = match attempt() {
        Ok(choice) if choice.accelerator == Accelerator::Kvm => State::Found {
            place: "/dev/kvm".into(),
            version: choice.reason,
        },
        Ok(choice) => State::Missing {
            remedy: format!("{}; QEMU translates instead", choice.reason),
        },
        Err(_) => State::Missing {
            remedy: "QEMU and firmware first".into(),
        },
    };
    finding("KVM", "run machines at full speed", Importance::Comfort, state)
}

fn finding(name: &str, purpose: &str, importance: Importance, state: State) -> Finding {
    Finding {
        name: name.into(),
        purpose: purpose.into(),
        importance,
        state,
    }
}

fn names_of_missing(findings: &[Finding], importance: Importance) -> Vec<&str> {
    let of_it = findings.iter().filter(|finding| finding.importance == importance);
    let missing = of_it.filter(|finding| matches!(finding.state, State::Missing { .. }));
    missing.map(|finding| finding.name.as_str()).collect()
}

fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut group = None;
    for finding in findings {
        if group.replace(finding.importance) != Some(finding.importance) {
            text += &format!("\n{}\n", finding.importance.heading());
        }
        text += &format!("  {}\n", line(finding));
    }
    text.trim_start().to_owned()
}

fn line(finding: &Finding) -> String {
    let Finding { name, purpose, .. } = finding;
    match &finding.state {
        State::Found { place, version } => {
            let version = if version.is_empty() { "found" } else { version };
            format!("ok       {name}: {version} ({})", place.display())
        }
        State::Missing { remedy } => format!("MISSING  {name}, to {purpose}: {remedy}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_out_of_what_programs_say() {
        let cases = [
            ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", Some((7, 2))),
            ("Debian LLD 14.0.6 (compatible with GNU linkers)", Some((14, 0))),
            ("OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.16", Some((9, 2))),
            ("none", None),
        ];
        for (text, expected) in cases {
            assert_eq!(numbers(text), expected, "{text}");
        }
    }

    #[test]
    fn an_old_program_counts_as_missing() {
        let dir = tempfile::tempdir().unwrap();
        let tool = Tool {
            minimum: Some((99, 0)),
            ..*TOOLS.iter().find(|tool| tool.name == "python3").unwrap()
        };
        let python = preflight::need("python3").unwrap();
        let State::Missing { remedy } = fit(&tool, python) else {
            panic!("Python 99 is not out yet; {}", dir.path().display())
        };
        assert!(remedy.starts_with("99.0 or newer is needed"), "{remedy}");
    }

    #[test]
    fn the_table_groups_by_importance_and_names_remedies() {
        let missing = State::Missing {
            remedy: "`apt-get install x`".into(),
        };
        let found = State::Found {
            place: "/usr/bin/y".into(),
            version: "1.0".into(),
        };
        let findings = [
            finding("x", "do x", Importance::MainJob, missing),
            finding("y", "do y", Importance::Tests, found),
        ];
        let text = table(&findings);
        assert!(text.contains("  MISSING  x, to do x: `apt-get install x`\n"), "{text}");
        assert!(text.contains("  ok       y: 1.0 (/usr/bin/y)\n"), "{text}");
        assert_eq!(names_of_missing(&findings, Importance::MainJob), ["x"]);
        assert!(names_of_missing(&findings, Importance::Tests).is_empty());
    }
}
