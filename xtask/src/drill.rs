//! `cargo xtask drill`: updates whose power is cut at random moments, and what the appliance is afterwards.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::base::Base;
use crate::vm::options::MachineOptions;
use crate::{stop, util};

mod machine;
mod record;
mod round;

use machine::Machine;
use record::{Record, write};
use round::Round;

/// Cut the power of updates at random moments, and show that the appliance always comes back
///
/// Boots a copy of an image with two root slots and installs an update as its owner would, through SSH. One update is let
/// through, and timed; then each further one is cut off (QEMU is killed, so that what the guest has not flushed to the disk
/// may be lost) at a moment between its first byte and the one at which the updated slot would have been healthy. After
/// each cut the machine is switched on again, and has to come up healthy by itself, with what was saved before the update.
/// target/drill/ gets report.json, the serial console of the last boots, and the disk (overlay.qcow2) as it was left.
#[derive(Args)]
pub struct Drill {
    #[command(flatten)]
    machine: MachineOptions,

    /// How many updates are cut off
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    updates: u32,

    /// The update file [default: the one beside the image]
    #[arg(long, value_name = "FILE")]
    update: Option<PathBuf>,

    /// The number that the moments follow from: the same number, the same moments
    #[arg(long, value_name = "N", default_value_t = 1)]
    moments: u64,

    /// The folder for the reports [default: target/drill]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Drill {
    /// Runs the drill.
    ///
    /// # Errors
    /// Something needed is missing, or an update left an appliance that is not what it should be.
    pub fn run(self) -> Result<()> {
        stop::install()?;
        let update = self.update_file()?;
        let bytes =
            std::fs::read(&update).with_context(|| format!("could not read the update {}", update.display()))?;
        let output = self.output.clone().unwrap_or_else(|| util::target_dir().join("drill"));
        let mut machine = Machine::new(&self.machine, &output)?;
        println!("{}: {}", machine.appliance().name, machine.appliance().introduction());
        println!("accelerator: {}", machine.accelerator());
        let mut records = Vec::new();
        let outcome = self.rounds(&mut machine, &bytes, &mut records);
        write(&records, &output.join("report.json"))?;
        println!("{}", record::summary(&records, self.updates));
        println!("reports: {}", output.display());
        outcome
    }

    fn rounds(&self, machine: &mut Machine, update: &[u8], records: &mut Vec<Record>) -> Result<()> {
        let mut round = Round::begin(machine)?;
        let whole = round.whole(update).context("the update that was let through")?;
        println!("an update takes {:.1} s, its first boot included", whole.as_secs_f64());
        for (number, moment) in (1..).zip(moments(self.moments, self.updates, whole)) {
            let record = round
                .cut(number, update, moment)
                .with_context(|| format!("update {number}, cut off after {:.2} s", moment.as_secs_f64()))?;
            println!("{}", record.row());
            records.push(record);
            // A drill may take hours; who ends it gets the report of what was done.
            ensure!(!stop::asked(), "interrupted after {number} updates");
        }
        Ok(())
    }

    fn update_file(&self) -> Result<PathBuf> {
        let appliance = self.machine.appliance()?;
        if appliance.base != Base::Freebsd {
            bail!(
                "the image {} has no root slots, and so no updates\nhint: --base freebsd takes the newest image of FreeBSD",
                appliance.name
            );
        }
        let file = match &self.update {
            Some(file) => file.clone(),
            None => appliance.disk.path.with_extension("ngu"),
        };
        ensure!(
            file.is_file(),
            "the update file {} is not there\n\
             hint: an image with `disk: {{layout: slots}}` is built with one; another one can be named with --update",
            file.display()
        );
        Ok(file)
    }
}

/// Moments at which the power goes, each anywhere within `span` with the same chance.
fn moments(seed: u64, count: u32, span: Duration) -> Vec<Duration> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| span.mul_f64(random.f64())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_lie_all_over_the_update_and_can_be_repeated() {
        let span = Duration::from_secs(100);
        let all = moments(1, 200, span);
        assert_eq!(all, moments(1, 200, span));
        assert_ne!(all, moments(2, 200, span));
        assert!(all.iter().all(|moment| *moment < span));
        for tenth in 0..10 {
            let within = |moment: &&Duration| moment.as_secs() / 10 == tenth;
            assert!(all.iter().filter(within).count() > 5, "none in tenth {tenth}");
        }
    }
}
