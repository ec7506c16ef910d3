//! `cargo xtask smoke`: boots a throw-away copy of the appliance and runs the tests of `tests/smoke/` in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::base::Base;
use crate::ssh::{Connection, Deadline, Login};
use crate::vm::accel::Choice;
use crate::vm::disk::{self, Appliance};
use crate::vm::guest::{Leash, Phase};
use crate::vm::options::MachineOptions;
use crate::vm::{Console, Demise, Guest, Nic, Watch};
use crate::{conformance, run, seed, stop, tools, util};

mod ethernet;
mod expect;
mod frames;
mod record;
mod report;
mod runner;
mod spec;

use frames::Port;
use record::{Record, Run};
use runner::Runner;
use spec::{Suite, Test};

/// Seconds for which a booting guest may be silent with KVM; more with TCG.
const SILENCE: u64 = 30;
/// Lines of the serial console in the report of a guest that failed.
const TAIL: usize = 30;

/// Boot a throw-away copy of the image and prove it over SSH
///
/// The tests are the YAML files in tests/smoke/. Reports go to target/smoke/: junit.xml, report.json and serial.log.
#[derive(Args)]
pub struct Smoke {
    #[command(flatten)]
    machine: MachineOptions,
    /// Run only tests whose file or name contains this; may be given several times
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// Seconds from power-on to SSH [default: 120 with KVM, 360 with TCG; half of that for a hosted base]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=7200))]
    timeout: Option<u64>,
    /// Seconds for which a booting guest may write nothing to its console [default: 30 with KVM, 90 with TCG]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=7200))]
    silence: Option<u64>,
    /// Leave the machine running at the end and print how to log in
    #[arg(long)]
    keep: bool,
    /// The folder of the tests [default: tests/smoke]
    #[arg(long, value_name = "DIR")]
    tests: Option<PathBuf>,
    /// Instead, run every line of ng_socket's behaviour in the guest, and record what holds (cargo xtask conformance)
    #[arg(long, conflicts_with = "tests")]
    conformance: bool,
    /// The folder for the reports [default: target/smoke]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// A machine under test with all that belongs to it.
struct Bench {
    appliance: Appliance,
    choice: Choice,
    guest: Shown,
    ports: Vec<Port>,
    login: Login,
    dir: tempfile::TempDir,
}

impl Smoke {
    /// Boots, tests, reports.
    ///
    /// # Errors
    /// Something needed is missing, or the appliance is not proven.
    pub fn run(self) -> Result<()> {
        stop::install()?;
        let suites = self.suites()?;
        let appliance = self.machine.appliance()?;
        self.check_base(&appliance)?;
        self.check_nics(&suites, &appliance)?;
        let programs = self.programs(&suites, appliance.base)?;
        let output = self.output_folder()?;
        let mut bench = self.bench(appliance, &output)?;
        let run = self.boot_and_test(&suites, &programs, &mut bench);
        report::write(&run, &output)?;
        println!("{}", report::summary(&run));
        println!("reports: {}", output.display());
        if self.conformance {
            record_conformance(&run)?;
        }
        if self.keep && !stop::asked() {
            bench.keep()?;
        }
        if run.is_proof() {
            return Ok(());
        }
        bail!("the appliance {} is not proven; see above", run.image)
    }

    fn tests_folder(&self) -> PathBuf {
        let usual = if self.conformance {
            "tests/conformance/smoke"
        } else {
            "tests/smoke"
        };
        self.tests.clone().unwrap_or_else(|| util::root().join(usual))
    }

    fn suites(&self) -> Result<Vec<Suite>> {
        let suites = spec::load(&self.tests_folder())?;
        let any = suites
            .iter()
            .any(|suite| suite.tests.iter().any(|test| self.wants(suite, test)));
        if !any {
            bail!("no smoke test contains {}", self.filter.join(" or "));
        }
        Ok(suites)
    }

    fn wants(&self, suite: &Suite, test: &Test) -> bool {
        let matches = |text: &String| suite.name.contains(text) || test.name.contains(text);
        self.filter.is_empty() || self.filter.iter().any(matches)
    }

    /// What is recorded of conformance is what holds on FreeBSD.
    fn check_base(&self, appliance: &Appliance) -> Result<()> {
        if self.conformance && appliance.base != Base::Freebsd {
            bail!(
                "--conformance is about FreeBSD, and the image {} is {}\n\
                 hint: --base freebsd takes the newest image of FreeBSD; `cargo xtask conformance` needs no image",
                appliance.name,
                appliance.introduction()
            );
        }
        Ok(())
    }

    fn check_nics(&self, suites: &[Suite], appliance: &Appliance) -> Result<()> {
        for suite in suites {
            for test in { suite.tests.iter() }.filter(|test| self.wants(suite, test)) {
                if test.nics() > appliance.nics {
                    bail!(
                        "the smoke test `{}` needs network card {}, but the machine has {}\nhint: --nics gives it more",
                        test.name,
                        test.nics(),
                        appliance.nics
                    );
                }
            }
        }
        Ok(())
    }

    /// The folder for the reports, without those of an earlier run.
    fn output_folder(&self) -> Result<PathBuf> {
        let folder = self.output.clone().unwrap_or_else(|| util::target_dir().join("smoke"));
        let folder = std::path::absolute(folder)?;
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("could not make the folder for the reports {}", folder.display()))?;
        for name in ["junit.xml", "report.json", "serial.log"] {
            // What is not there need not be removed.
            let _ = std::fs::remove_file(folder.join(name));
        }
        Ok(folder)
    }

    fn bench(&self, appliance: Appliance, output: &Path) -> Result<Bench> {
        let identity = self.machine.identity(&appliance)?;
        let prepared = self.machine.prepare(&appliance)?;
        let dir = tempfile::Builder::new()
            .prefix("ngforge-smoke-")
            .tempdir()
            .context("could not make a temporary folder for the machine")?;
        let disk = disk::overlay(&util::shell()?, &appliance.disk, dir.path())?;
        let (ports, backends): (Vec<_>, Vec<_>) = (2..=appliance.nics)
            .map(|nic| Port::open(nic, dir.path()))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        let nics = std::iter::once(Nic::User { ssh_port: 0 }).chain(backends).collect();
        let console = Console::Log(output.join("serial.log"));
        let mut machine = self.machine.machine(&prepared, disk, nics, console, dir.path())?;
        machine.seed = machine
            .seed
            .map_or_else(|| self.own_seed(dir.path()), |seed| Ok(Some(seed)))?;
        let leash = if self.keep { Leash::Loose } else { Leash::Tight };
        let mut guest = Guest::start(&machine, dir.path(), leash)?;
        let login = Login {
            port: guest.ssh_port()?,
            user: "root".into(),
            identity,
        };
        Ok(Bench {
            appliance,
            choice: prepared.choice,
            guest: Shown::new(guest),
            ports,
            login,
            dir,
        })
    }

    /// The seed that comes with the tests: the folder `seed` beside them.
    fn own_seed(&self, dir: &Path) -> Result<Option<PathBuf>> {
        let folder = self.tests_folder().join("seed");
        if !folder.is_dir() {
            return Ok(None);
        }
        let volume = dir.join("seed.img");
        seed::of_folder(&folder, &volume)?;
        Ok(Some(volume))
    }

    /// Builds the programs that wanted tests upload; where each lies, by name.
    fn programs(&self, suites: &[Suite], base: Base) -> Result<BTreeMap<String, PathBuf>> {
        let tests = suites
            .iter()
            .flat_map(|suite| suite.tests.iter().filter(|test| self.wants(suite, test)));
        let meant = tests.filter(|test| test.on.is_none_or(|on| on == base));
        let names: BTreeSet<&str> = meant.filter_map(|test| test.upload.as_deref()).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let names = Vec::from_iter(names);
        let built = tools::build_programs(&util::shell()?, &names)?;
        Ok(names.into_iter().map(str::to_owned).zip(built).collect())
    }

    fn boot_and_test(&self, suites: &[Suite], programs: &BTreeMap<String, PathBuf>, bench: &mut Bench) -> Run {
        let mut run = bench.run();
        println!("{}: {}", run.image, run.introduction);
        println!("accelerator: {}", run.accelerator);
        let booted = self.boot(bench);
        let connection = match booted {
            Ok((connection, seconds)) => {
                run.boot_seconds = Some(seconds);
                run.timeline = bench.guest.guest.stages(Instant::now());
                Some(connection)
            }
            Err(error) => {
                run.ended_early = Some(format!("{error:#}"));
                None
            }
        };
        let start = Instant::now();
        let mut runner = Runner {
            login: &bench.login,
            watch: &mut bench.guest,
            ports: &bench.ports,
            base: bench.appliance.base,
            programs,
            connection,
            over: run.ended_early.clone(),
        };
        println!("{}", report::head());
        let wanted = |suite: &Suite, test: &Test| self.wants(suite, test);
        runner.run(suites, &wanted, &mut |record: Record| {
            println!("{}", report::row(&record));
            run.tests.push(record);
        });
        run.ended_early = runner.over.take();
        run.test_seconds = start.elapsed().as_secs_f64();
        if run.ended_early.is_some() {
            run.console = bench.guest.guest.tail(TAIL);
        }
        run
    }

    /// From power-on to a session.
    fn boot(&self, bench: &mut Bench) -> Result<(Connection, f64)> {
        let slowness = u64::from(bench.choice.accelerator.slowness());
        let silence = Duration::from_secs(self.silence.unwrap_or(SILENCE * slowness));
        let timeout = Duration::from_secs(self.timeout.unwrap_or(boot_time(bench.appliance.base) * slowness));
        let start = Instant::now();
        bench.guest.guest.boot(Phase::Booting(silence))?;
        let attempt = Connection::open(&bench.login, Deadline::after(timeout), &mut bench.guest);
        bench.guest.is_up();
        Ok((attempt?, start.elapsed().as_secs_f64()))
    }
}

/// Seconds from power-on to SSH with KVM; more with TCG.
fn boot_time(base: Base) -> u64 {
    match base {
        Base::Freebsd => 120,
        Base::Hosted => 60,
    }
}

/// Keeps what the conformance tests said in the guest.
fn record_conformance(run: &Run) -> Result<()> {
    let said = run
        .tests
        .iter()
        .map(|record| record.stdout.as_str())
        .collect::<String>();
    if !run.release.starts_with("14") {
        println!(
            "not recorded: the statement is about FreeBSD 14, and this is {}",
            run.release
        );
        return Ok(());
    }
    conformance::adopt(conformance::Subject::RustFreeBsd, &said)
}

impl Bench {
    fn run(&self) -> Run {
        Run {
            image: self.appliance.name.clone(),
            base: self.appliance.base,
            introduction: self.appliance.introduction(),
            release: self.appliance.release.clone(),
            accelerator: format!("{} ({})", self.choice.accelerator.name(), self.choice.reason),
            boot_seconds: None,
            timeline: Vec::new(),
            test_seconds: 0.0,
            ended_early: None,
            console: Vec::new(),
            tests: Vec::new(),
        }
    }

    /// Leaves the machine and its folder as they are.
    fn keep(self) -> Result<()> {
        println!(
            "the machine runs on: {}",
            run::ssh_line(self.login.port, &self.appliance)
        );
        println!(
            "to end it: kill {}; rm -r {}",
            self.guest.guest.pid(),
            self.dir.path().display()
        );
        self.guest.guest.keep();
        let _ = self.dir.keep();
        Ok(())
    }
}

/// A guest whose boot is shown on the terminal: the time and the last line of its console.
struct Shown {
    guest: Guest,
    bar: ProgressBar,
}

impl Shown {
    fn new(guest: Guest) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} booting, {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        Self { guest, bar }
    }

    fn is_up(&mut self) {
        self.bar.finish_and_clear();
        self.guest.is_up();
    }
}

impl Watch for Shown {
    fn check(&mut self) -> Result<(), Demise> {
        self.guest.check()?;
        if !self.bar.is_finished() {
            self.bar.set_message(self.guest.tail(1).concat());
            self.bar.tick();
        }
        Ok(())
    }

    fn console(&self, mark: u64) -> Vec<String> {
        self.guest.console(mark)
    }

    fn mark(&self) -> u64 {
        self.guest.mark()
    }
}
