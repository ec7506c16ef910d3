//! What runs the guest's instructions: KVM where a machine really starts with it, QEMU's own translator elsewhere.
//!
//! That /dev/kvm can be opened proves little: a hypervisor below may run only guests made for it. So the firmware is
//! started under KVM, without a disk, and must write something to its console.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::firmware::Firmware;

/// How long firmware may take to its first character under KVM; a second is usual.
const PROBE_TIME: Duration = Duration::from_secs(10);

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor's own virtualization, through Linux.
    Kvm,
    /// Translation by QEMU: works everywhere, many times slower.
    Tcg,
    /// As [`Accelerator::Tcg`], and every instruction takes the guest a nanosecond of its own time: what it measures can be
    /// repeated to the instruction. Never chosen by itself.
    Counted,
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    /// KVM if a machine starts with it, else TCG
    Auto,
    /// KVM, or fail
    Kvm,
    /// QEMU's translator
    Tcg,
}

/// An accelerator and why it was chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The accelerator.
    pub accelerator: Accelerator,
    /// The reason, for people.
    pub reason: String,
}

impl Accelerator {
    /// The name QEMU and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
            Self::Counted => "tcg, counting instructions",
        }
    }

    /// QEMU's options for it.
    pub fn options(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kvm => &[("-accel", "kvm"), ("-cpu", "host")],
            Self::Tcg => &[("-accel", "tcg"), ("-cpu", "max")],
            Self::Counted => &[("-accel", "tcg"), ("-cpu", "max"), ("-icount", "shift=0,sleep=off")],
        }
    }

    /// How much longer than with KVM anything takes.
    pub fn slowness(self) -> u32 {
        match self {
            Self::Kvm => 1,
            Self::Tcg => 3,
            Self::Counted => 10,
        }
    }
}

/// Chooses by trying.
///
/// # Errors
/// KVM was asked for and does not work here.
pub fn choose(wanted: Wanted, qemu: &Path, firmware: &Firmware) -> Result<Choice> {
    if wanted == Wanted::Tcg {
        return Ok(tcg("as asked"));
    }
    let attempt = probe(qemu, firmware);
    match (attempt, wanted) {
        (Ok(()), _) => Ok(Choice {
            accelerator: Accelerator::Kvm,
            reason: "a probe machine started with it".into(),
        }),
        (Err(error), Wanted::Kvm) => Err(error.context(
            "KVM was asked for, but no machine starts with it here\nhint: `--accel tcg` works everywhere, slowly",
        )),
        (Err(error), _) => Ok(tcg(&format!("KVM does not work here: {error}"))),
    }
}

fn tcg(reason: &str) -> Choice {
    Choice {
        accelerator: Accelerator::Tcg,
        reason: reason.into(),
    }
}

/// Starts the firmware under KVM and waits for its first sign of life.
fn probe(qemu: &Path, firmware: &Firmware) -> Result<()> {
    if !Path::new("/dev/kvm").exists() {
        bail!("there is no /dev/kvm");
    }
    let dir = tempfile::tempdir().context("could not make a temporary folder")?;
    let mut code = std::ffi::OsString::from("if=pflash,format=raw,readonly=on,file=");
    code.push(&firmware.code);
    let mut command = Command::new(qemu);
    command.args([
        "-machine",
        "q35",
        "-m",
        "256",
        "-nodefaults",
        "-display",
        "none",
        "-no-reboot",
    ]);
    for (option, value) in Accelerator::Kvm.options() {
        command.args([option, value]);
    }
    command.arg("-drive").arg(code);
    if let Some(variables) = firmware.copy_variables(dir.path())? {
        let mut drive = std::ffi::OsString::from("if=pflash,unit=1,format=raw,file=");
        drive.push(variables);
        command.arg("-drive").arg(drive);
    }
    command.args(["-serial", "stdio"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().context("QEMU does not start")?;
    judge(Probe(child))
}

/// A probe machine, killed when it is no longer needed.
struct Probe(Child);

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a probe machine said.
enum Said {
    /// On its console.
    Guest,
    /// On QEMU's standard error, or nothing at all before it ended.
    Qemu(String),
}

fn judge(mut probe: Probe) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    listen(probe.0.stdout.take(), sender.clone(), |_| Some(Said::Guest));
    listen(probe.0.stderr.take(), sender, |text| {
        text.contains("error").then(|| Said::Qemu(first_line(text)))
    });
    match receiver.recv_timeout(PROBE_TIME) {
        Ok(Said::Guest) => Ok(()),
        Ok(Said::Qemu(line)) => bail!("{line}"),
        Err(RecvTimeoutError::Timeout) => bail!("the firmware was silent for {} s under it", PROBE_TIME.as_secs()),
        Err(RecvTimeoutError::Disconnected) => bail!("QEMU ended at once with it"),
    }
}

/// Reads a stream on a thread and sends what `interpret` makes of it; the thread ends with the stream.
fn listen<R: Read + Send + 'static>(stream: Option<R>, sender: Sender<Said>, interpret: fn(&str) -> Option<Said>) {
    let Some(mut stream) = stream else { return };
    std::thread::spawn(move || {
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            seen.extend_from_slice(&buffer[..count]);
            if let Some(said) = interpret(&String::from_utf8_lossy(&seen)) {
                // Nobody listens any more once there is a verdict.
                let _ = sender.send(said);
                return;
            }
        }
    });
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| line.contains("error")).unwrap_or(text);
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> Result<()> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        judge(Probe(command.spawn().unwrap()))
    }

    #[test]
    fn output_on_the_console_is_the_proof() {
        run("echo BdsDxe; exec sleep 60").unwrap();
    }

    #[test]
    fn an_internal_error_is_reported_though_qemu_stays() {
        let error = run("echo 'KVM internal error. Suberror: 1' >&2; exec sleep 60").unwrap_err();
        assert_eq!(error.to_string(), "KVM internal error. Suberror: 1");
    }

    #[test]
    fn an_end_without_a_word_is_no_proof() {
        assert!(run("exit 1").unwrap_err().to_string().contains("ended at once"));
    }

    #[test]
    fn tcg_needs_no_trial() {
        let firmware = Firmware {
            code: "none".into(),
            variables: None,
        };
        let choice = choose(Wanted::Tcg, Path::new("/nonexistent"), &firmware).unwrap();
        assert_eq!(choice.accelerator, Accelerator::Tcg);
    }
}
