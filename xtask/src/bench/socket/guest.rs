//! The cases on FreeBSD, in a machine whose clock counts instructions.
//!
//! Both modules are measured in one boot: ours first, since FreeBSD's own cannot be unloaded again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use xshell::Shell;

use super::table::{Cost, Row};
use super::{COUNT, Case, SocketBench};
use crate::base::Base;
use crate::ssh::exec::Exit;
use crate::ssh::{Connection, Deadline, Login};
use crate::vm::accel::Accelerator;
use crate::vm::guest::{Leash, Phase};
use crate::vm::{Console, Guest, Nic, Watch, disk};
use crate::{stop, tools, util};

/// From power-on to SSH.
const BOOT_TIME: Duration = Duration::from_secs(1200);
/// For which a booting guest may write nothing to its console.
const SILENCE: Duration = Duration::from_secs(300);
/// For one command; a hundred thousand hooks take minutes.
const COMMAND_TIME: Duration = Duration::from_secs(1200);

/// Measures every case with every module there is.
///
/// # Errors
/// The machine does not boot, a module cannot be loaded, or a case fails.
pub fn measure(shell: &Shell, bench: &SocketBench, cases: &[Case]) -> Result<Vec<Row>> {
    stop::install()?;
    let appliance = bench.machine.appliance()?;
    ensure!(
        appliance.base == Base::Freebsd,
        "the cases are measured on FreeBSD, and the image {} is {}\nhint: --base freebsd takes the newest image of FreeBSD",
        appliance.name,
        appliance.introduction()
    );
    let module = bench.module(shell, &appliance.release)?;
    let programs = tools::build_programs(shell, &["sockbench"])?;
    let mut session = Session::boot(shell, bench)?;
    let program = programs.first().context("sockbench was built but is not there")?;
    session.upload(program, "/tmp/sockbench")?;
    let ours = session.with_module(&module, "ours", cases)?;
    let reference = match &bench.reference {
        Some(module) => session
            .with_module(module, "reference", cases)?
            .into_iter()
            .map(Some)
            .collect(),
        None => vec![None; cases.len()],
    };
    let costs = ours.into_iter().zip(reference);
    let row = |(&(_, case), (ours, reference))| Row { case, ours, reference };
    Ok(cases.iter().zip(costs).map(row).collect())
}

/// A guest, and somebody logged in.
struct Session {
    guest: Guest,
    connection: Connection,
    _dir: tempfile::TempDir,
}

impl Session {
    fn boot(shell: &Shell, bench: &SocketBench) -> Result<Self> {
        let options = &bench.machine;
        let appliance = options.appliance()?;
        let identity = options.identity(&appliance)?;
        let mut prepared = options.prepare(&appliance)?;
        prepared.choice.accelerator = Accelerator::Counted;
        let dir = tempfile::Builder::new().prefix("ngforge-bench-").tempdir()?;
        let disk = disk::overlay(shell, &appliance.disk, dir.path())?;
        let rest = (2..=appliance.nics).map(|number| Nic::alone(dir.path(), number));
        let nics = std::iter::once(Nic::User { ssh_port: 0 }).chain(rest).collect();
        let log = util::target_dir().join("bench/serial.log");
        fs::create_dir_all(util::target_dir().join("bench"))?;
        let machine = options.machine(&prepared, disk, nics, Console::Log(log), dir.path())?;
        ensure!(
            machine.cpus == 1,
            "instructions are counted on one processor only\nhint: leave --cpus out"
        );
        let mut guest = Guest::start(&machine, dir.path(), Leash::Tight)?;
        let login = Login {
            port: guest.ssh_port()?,
            user: "root".into(),
            identity,
        };
        eprintln!(
            "booting {}, accelerator {}",
            appliance.name,
            Accelerator::Counted.name()
        );
        guest.boot(Phase::Booting(SILENCE))?;
        let connection = Connection::open(&login, Deadline::after(BOOT_TIME), &mut guest)?;
        guest.is_up();
        Ok(Self {
            guest,
            connection,
            _dir: dir,
        })
    }

    /// Loads a module in place of the one before, and measures the cases.
    fn with_module(&mut self, module: &Path, name: &str, cases: &[Case]) -> Result<Vec<Cost>> {
        self.run("! kldstat -q -n ng_socket || kldunload ng_socket", Vec::new())
            .context("the module that the image has loaded does not go\nhint: make the image with our module")?;
        let folder = format!("/tmp/{name}");
        self.run(&format!("mkdir -p {folder}"), Vec::new())?;
        let place = format!("{folder}/ng_socket.ko");
        self.upload(module, &place)?;
        self.run(&format!("kldload {place}"), Vec::new())?;
        cases.iter().map(|&(case, _)| self.case(case, name)).collect()
    }

    fn case(&mut self, case: &str, module: &str) -> Result<Cost> {
        let printed = self
            .run(&format!("/tmp/sockbench {case} {COUNT}"), Vec::new())
            .with_context(|| format!("the case {case} fails with the module {module}"))?;
        eprintln!("{module}: {case}: {}", printed.trim_end());
        let first = printed.split_whitespace().next().unwrap_or("");
        let total = first
            .parse()
            .with_context(|| format!("sockbench printed no number but {printed}"))?;
        Ok(Cost {
            module: None,
            calls: None,
            total,
        })
    }

    fn upload(&mut self, file: &Path, place: &str) -> Result<()> {
        let bytes = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        self.run(&format!("cat > {place} && chmod 755 {place}"), bytes)
            .map(drop)
    }

    /// Runs a command to its end and returns its standard output.
    fn run(&mut self, command: &str, input: Vec<u8>) -> Result<String> {
        let deadline = Deadline::after(COMMAND_TIME);
        let mut running = self.connection.start(command, input, deadline, &mut self.guest)?;
        let output = loop {
            if let Some(output) = running.step()? {
                break output;
            }
            self.guest.check()?;
            if deadline.is_over() {
                return Err(deadline.missed("waiting for the command to end").into());
            }
            self.connection.wait();
        };
        match output.exit {
            Exit::Status(0) => Ok(output.stdout.text()),
            exit => bail!("{command}: {exit:?}: {}", output.stderr.text().trim_end()),
        }
    }
}
