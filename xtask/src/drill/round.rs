//! One update: prepared, started, cut off, and what comes of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::machine::{Machine, Powered};
use super::record::{During, Record};
use crate::ssh::Connection;
use crate::ssh::exec::Exit;

/// How an owner updates the appliance.
const INSTALL: &str = "ng-update install --reboot -";
/// The variable in rc.conf that is set to another number before each update.
const MARK: &str = "ngforge_drill";
/// How long an update that nobody disturbs may take, and how long a machine may take to become healthy once SSH is there.
const LIMIT: Duration = Duration::from_secs(1800);
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// The machine between two updates: up and healthy.
pub struct Round<'m, 'a> {
    machine: &'m mut Machine<'a>,
    powered: Option<Powered>,
    connection: Option<Connection>,
    /// The slot that runs.
    slot: String,
}

/// What `ng-update status --json` says, as far as it is of interest here.
#[derive(Debug, Deserialize)]
struct Status {
    running: String,
    on_trial: bool,
    next: String,
    slots: Vec<Slot>,
}

#[derive(Debug, Deserialize)]
struct Slot {
    slot: String,
    mark: String,
}

impl Status {
    /// Whether the slot that runs is healthy, and the one to boot next.
    fn is_settled(&self) -> bool {
        let good = |slot: &Slot| slot.slot == self.running && slot.mark == "good";
        !self.on_trial && self.next == self.running && self.slots.iter().any(good)
    }
}

impl<'m, 'a> Round<'m, 'a> {
    /// Boots the machine for the first time.
    ///
    /// # Errors
    /// It does not become healthy.
    pub fn begin(machine: &'m mut Machine<'a>) -> Result<Self> {
        let mut round = Self {
            machine,
            powered: None,
            connection: None,
            slot: String::new(),
        };
        round.powered = Some(round.machine.power_on()?);
        round.settle()?;
        Ok(round)
    }

    /// Installs an update that nobody disturbs; how long it takes until its slot is healthy.
    ///
    /// # Errors
    /// It fails, or the machine does not run it in the end.
    pub fn whole(&mut self, update: &[u8]) -> Result<Duration> {
        self.save(0)?;
        let before = self.slot.clone();
        let start = Instant::now();
        let restarted = self.install(update, start + LIMIT)?;
        ensure!(
            restarted,
            "`{INSTALL}` had not restarted the machine after {} s",
            LIMIT.as_secs()
        );
        self.come_up(0)?;
        ensure!(self.slot != before, "the machine still runs slot {before}");
        Ok(start.elapsed())
    }

    /// Installs an update that is cut off at this moment, and looks at what the machine does then.
    ///
    /// # Errors
    /// It does not come up healthy, or not with its configuration.
    pub fn cut(&mut self, number: u32, update: &[u8], moment: Duration) -> Result<Record> {
        self.save(number)?;
        let before = self.slot.clone();
        let start = Instant::now();
        let during = match self.install(update, start + moment)? {
            false => During::Installation,
            true => self.boot_until(start + moment)?,
        };
        let cut_after = start.elapsed();
        if let Some(powered) = self.powered.take() {
            powered.cut();
        }
        let back = Instant::now();
        self.come_up(number)?;
        Ok(Record {
            number,
            during,
            cut_after: cut_after.as_secs_f64(),
            before,
            after: self.slot.clone(),
            healthy_after: back.elapsed().as_secs_f64(),
        })
    }

    /// Changes the configuration and saves it, as the owner would.
    fn save(&mut self, number: u32) -> Result<()> {
        let script = format!(
            "sed -i '' '/^{MARK}=/d' /etc/rc.conf && echo '{MARK}=\"{number}\"' >> /etc/rc.conf && ng-update cfg save"
        );
        self.ask(&script).map(drop)
    }

    /// Installs the update, until `until`; whether the machine has restarted by then.
    fn install(&mut self, update: &[u8], until: Instant) -> Result<bool> {
        let connection = self.connection.take().context("there is no session")?;
        let powered = self.powered()?;
        let mut running = powered.start(&connection, INSTALL, update)?;
        match powered.follow(&connection, &mut running, until)? {
            Some(output) if output.exit != Exit::Status(0) => bail!(
                "`{INSTALL}` ended with {:?}:\n{}{}",
                output.exit,
                output.stdout.text(),
                output.stderr.text()
            ),
            _ => powered.restarts(until),
        }
    }

    /// Boots what was installed, until `until`.
    fn boot_until(&mut self, until: Instant) -> Result<During> {
        let mut powered = self.machine.power_on()?;
        ensure!(
            !powered.restarts(until)?,
            "the machine restarted by itself while it booted the update"
        );
        self.powered = Some(powered);
        Ok(During::Boot)
    }

    /// Switches the machine on, waits until it is healthy, and looks whether it is what it should be.
    fn come_up(&mut self, number: u32) -> Result<()> {
        self.powered = Some(self.machine.power_on()?);
        self.settle()?;
        self.check(number)
    }

    /// Waits until the machine that boots is healthy.
    fn settle(&mut self) -> Result<()> {
        self.connection = Some(self.powered()?.connect()?);
        let deadline = Instant::now() + LIMIT;
        loop {
            let said = self.ask("ng-update status --json")?;
            let status: Status =
                serde_json::from_str(&said).with_context(|| format!("ng-update status --json says: {said}"))?;
            if status.is_settled() {
                self.slot = status.running;
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the machine is not healthy after {} s: {said}",
                LIMIT.as_secs()
            );
            std::thread::sleep(PAUSE);
        }
    }

    /// The machine is what it should be: healthy, with the declared graph, and with what was saved.
    fn check(&mut self, number: u32) -> Result<()> {
        self.ask("ng-update check && ng plan")?;
        let saved = self.ask(&format!(
            ". /etc/rc.conf && echo \"${MARK}\" && ng-update cfg diff --names"
        ))?;
        ensure!(
            saved.trim() == number.to_string(),
            "the configuration says `{}` instead of `{number}`",
            saved.trim()
        );
        Ok(())
    }

    fn ask(&mut self, script: &str) -> Result<String> {
        let connection = self.connection.take().context("there is no session")?;
        let answer = self.powered()?.run(&connection, script);
        self.connection = Some(connection);
        answer
    }

    fn powered(&mut self) -> Result<&mut Powered> {
        self.powered.as_mut().context("the machine is switched off")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Status {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_slot_on_trial_or_one_that_is_not_booted_next_is_not_settled() {
        let slots = r#""slots":[{"slot":"a","mark":"good"},{"slot":"b","mark":"new"}]"#;
        for (running, on_trial, next, settled) in [
            ("a", false, "a", true),
            ("b", true, "a", false),
            ("a", false, "b", false),
            ("b", false, "b", false),
        ] {
            let text = format!(r#"{{"running":"{running}","on_trial":{on_trial},"next":"{next}",{slots}}}"#);
            assert_eq!(status(&text).is_settled(), settled, "{text}");
        }
    }
}
