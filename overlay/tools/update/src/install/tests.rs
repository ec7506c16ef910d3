//! Updates that are cut: whatever moment it is, the loader finds a slot that boots.

use std::cell::Cell;
use std::io::Cursor;
use std::rc::Rc;
use std::sync::LazyLock;

use ed25519_dalek::SigningKey;

use super::*;
use crate::file::{Needs, Trust, Writer, pack};
use crate::state::{Mark, PLACES, SECTOR, STARTS};

/// Bytes of a small slot: a chunk and a bit.
const SLOT: usize = CHUNK + 64 * 1024;

/// Power that lasts for so many bytes of writing; what comes later does not arrive.
#[derive(Clone)]
struct Power(Rc<Cell<usize>>);

impl Power {
    fn lasting(bytes: usize) -> Self {
        Self(Rc::new(Cell::new(bytes)))
    }

    fn for_ever() -> Self {
        Self::lasting(usize::MAX)
    }
}

/// A disk that counts what is written to it, and loses power when that runs out.
struct Disk {
    bytes: Vec<u8>,
    power: Power,
    /// Bytes that are read otherwise than they were written.
    lies: Option<usize>,
}

impl Device for Disk {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let at = at as usize;
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        if let Some(lie) = self.lies.filter(|lie| (at..at + bytes.len()).contains(lie)) {
            bytes[lie - at] ^= 1;
        }
        Ok(())
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let left = self.power.0.get();
        let arriving = left.min(bytes.len());
        self.power.0.set(left - arriving);
        self.bytes[at as usize..at as usize + arriving].copy_from_slice(&bytes[..arriving]);
        match arriving == bytes.len() {
            true => Ok(()),
            false => Err(io::Error::other("no power")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An appliance with two slots of which `a` is running, healthy.
struct Appliance {
    state: Disk,
    slots: [Disk; 2],
    power: Power,
    running: Slot,
}

/// What is in a slot that boots.
fn contents(version: u8) -> &'static [u8] {
    static ALL: LazyLock<[Vec<u8>; 2]> =
        LazyLock::new(|| [1, 2].map(|version| (0..SLOT).map(|at| version + (at / 300 % 251) as u8).collect()));
    &ALL[usize::from(version - 1)]
}

fn update(version: u8) -> Vec<u8> {
    named(version, about())
}

fn about() -> About {
    About {
        appliance: "box".into(),
        release: "14.3".into(),
        build: "b".into(),
        slot_bytes: SLOT as u64,
        needs: Needs {
            disk: DISK,
            machine: "amd64".into(),
        },
    }
}

fn named(version: u8, about: About) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), about).unwrap();
    for chunk in contents(version).chunks(CHUNK) {
        writer.add(pack(chunk)).unwrap();
    }
    let key = SigningKey::from_bytes(&[1; 32]);
    writer.finish(Some(&key)).unwrap().into_inner()
}

impl Appliance {
    fn new() -> Self {
        let power = Power::for_ever();
        let disk = |bytes| Disk {
            bytes,
            power: power.clone(),
            lies: None,
        };
        let mut new = Self {
            state: disk(vec![0; 1 << 20]),
            slots: [disk(contents(1).to_vec()), disk(vec![0xee; SLOT])],
            running: Slot::A,
            power: power.clone(),
        };
        state::write(&mut new.state, State::fresh()).unwrap();
        new
    }

    fn install(&mut self, file: &[u8]) -> Result<Installed, Error> {
        let mut reader = Reader::open(file, Trust::Anyone)?;
        let mut target = Target {
            appliance: "box",
            machine: "amd64",
            running: self.running,
            state: &mut self.state,
            slot: &mut self.slots[self.running.other() as usize],
        };
        install(&mut reader, &mut target, &mut |_| ())
    }

    fn power_for(&mut self, bytes: usize) {
        self.power.0.set(bytes);
    }

    fn state(&mut self) -> State {
        current(&mut self.state, self.running).unwrap()
    }

    /// The loader's rule, of which the loader's own program is another rendering: what it boots, after what it wrote.
    fn boot(&mut self) -> Slot {
        let Some((_, found)) = state::read(&mut self.state).unwrap().valid() else {
            self.running = Slot::A;
            return Slot::A;
        };
        let next = match found.once {
            Some(slot) => (
                slot,
                State {
                    once: None,
                    tried: Some(slot),
                    ..found
                },
            ),
            None => {
                let starts = found.starts + 1;
                let turn = (found.starts / STARTS) % 2 == 1 && found.mark(found.boot.other()) == Mark::Good;
                let slot = if turn { found.boot.other() } else { found.boot };
                (slot, State { starts, ..found })
            }
        };
        self.running = match state::write(&mut self.state, next.1) {
            Ok(_) => next.0,
            Err(_) => found.boot,
        };
        self.running
    }

    /// Whether the running slot holds what boots: all of one version.
    fn version(&self) -> Option<u8> {
        let bytes = &self.slots[self.running as usize].bytes;
        (1..=2).find(|version| bytes == contents(*version))
    }

    fn report_healthy(&mut self) {
        let healthy = self.state().healthy(self.running);
        state::write(&mut self.state, healthy).unwrap();
    }
}

/// How many bytes an update writes in all.
fn cost(file: &[u8]) -> usize {
    let mut appliance = Appliance::new();
    appliance.power_for(usize::MAX / 2);
    appliance.install(file).unwrap();
    usize::MAX / 2 - appliance.power.0.get()
}

fn cut(file: &[u8], after: usize) -> Appliance {
    let mut appliance = Appliance::new();
    appliance.power_for(after);
    let failed = appliance.install(file);
    assert!(failed.is_err(), "cut after {after} bytes: {failed:?}");
    appliance.power_for(usize::MAX);
    appliance
}

#[test]
fn an_update_is_booted_and_stays_when_it_is_healthy() {
    let mut appliance = Appliance::new();
    let installed = appliance.install(&update(2)).unwrap();
    assert_eq!((installed.slot, installed.written), (Slot::B, SLOT as u64));
    assert_eq!(appliance.state().mark(Slot::B), Mark::New);
    assert_eq!((appliance.boot(), appliance.version()), (Slot::B, Some(2)));
    appliance.report_healthy();
    for _ in 0..5 {
        assert_eq!(appliance.boot(), Slot::B);
        appliance.report_healthy();
    }
    let again = appliance.install(&update(1)).unwrap();
    assert_eq!((again.slot, again.written), (Slot::A, 0));
}

#[test]
fn an_update_that_is_never_healthy_gives_way_at_the_next_boot() {
    let mut appliance = Appliance::new();
    appliance.install(&update(2)).unwrap();
    assert_eq!(appliance.boot(), Slot::B);
    assert_eq!((appliance.boot(), appliance.version()), (Slot::A, Some(1)));
    let (state, failed) = appliance.state().note(Slot::A);
    assert_eq!(
        failed.map(|failed| (failed.slot, failed.was)),
        Some((Slot::B, Mark::New))
    );
    assert_eq!(
        (state.mark(Slot::B), state.tried, state.boot),
        (Mark::Bad, None, Slot::A)
    );
    assert!(state.rollback(Slot::A).is_err());
}

#[test]
fn a_cut_at_every_single_byte_of_the_state_leaves_a_slot_that_boots() {
    let file = update(2);
    let whole = cost(&file);
    let slot = whole - 2 * SECTOR;
    assert_eq!(slot, SLOT);
    let mut booted = Vec::new();
    for after in (0..=SECTOR).chain(SECTOR + slot..whole) {
        let mut appliance = cut(&file, after);
        booted.push(appliance.boot());
        let version = 1 + *booted.last().unwrap() as u8;
        assert_eq!(appliance.version(), Some(version), "after {after} bytes");
        appliance.report_healthy();
    }
    // What is cut off at the end is padding, which was there before.
    let text = State::fresh().print().iter().rposition(|byte| *byte != b'\n').unwrap();
    assert!(
        booted[..booted.len() - (SECTOR - text)]
            .iter()
            .all(|slot| *slot == Slot::A)
    );
}

#[test]
fn a_thousand_cuts_leave_a_slot_that_boots_and_takes_the_update_again() {
    let file = update(2);
    let whole = cost(&file);
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..1000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let after = seed as usize % whole;
        let mut appliance = cut(&file, after);
        assert_eq!(
            (appliance.boot(), appliance.version()),
            (Slot::A, Some(1)),
            "after {after} bytes"
        );
        appliance.report_healthy();
        if seed.is_multiple_of(20) {
            appliance.install(&file).unwrap();
            assert_eq!(
                (appliance.boot(), appliance.version()),
                (Slot::B, Some(2)),
                "after {after} bytes"
            );
        }
    }
}

#[test]
fn a_cut_while_the_slot_reports_healthy_leaves_a_slot_that_boots() {
    for after in 0..=SECTOR {
        let mut appliance = Appliance::new();
        appliance.install(&update(2)).unwrap();
        appliance.boot();
        let healthy = appliance.state().healthy(Slot::B);
        appliance.power_for(after);
        let written = state::write(&mut appliance.state, healthy);
        appliance.power_for(usize::MAX);
        let booted = appliance.boot();
        assert_eq!(appliance.version(), Some(1 + booted as u8), "after {after} bytes");
        assert!(written.is_err() || booted == Slot::B);
    }
}

#[test]
fn a_slot_that_stops_being_healthy_gives_way_after_three_boots() {
    let mut appliance = Appliance::new();
    appliance.install(&update(2)).unwrap();
    appliance.boot();
    appliance.report_healthy();
    let booted: Vec<Slot> = (0..4).map(|_| appliance.boot()).collect();
    assert_eq!(booted, [Slot::B, Slot::B, Slot::B, Slot::A]);
    appliance.report_healthy();
    let state = appliance.state();
    assert_eq!((state.boot, state.starts, state.mark(Slot::B)), (Slot::A, 0, Mark::Bad));
}

#[test]
fn both_records_lost_is_slot_a_and_can_be_mended() {
    let mut appliance = Appliance::new();
    for at in PLACES {
        appliance.state.bytes[at as usize] ^= 1;
    }
    assert_eq!(appliance.boot(), Slot::A);
    assert!(matches!(appliance.install(&update(2)), Err(Error::Objection(_))));
    appliance.report_healthy();
    appliance.install(&update(2)).unwrap();
    assert_eq!(appliance.boot(), Slot::B);
}

#[test]
fn a_slot_on_trial_is_not_left_without_a_way_back() {
    let mut appliance = Appliance::new();
    appliance.install(&update(2)).unwrap();
    appliance.boot();
    let before = appliance.slots[0].bytes.clone();
    let said = appliance.install(&update(2)).unwrap_err().to_string();
    assert!(
        said.starts_with("slot b is running and has not reported healthy yet"),
        "{said}"
    );
    assert_eq!(appliance.slots[0].bytes, before);
}

#[test]
fn what_is_for_another_appliance_is_refused_before_anything_is_written() {
    let wrong = |change: fn(&mut About)| {
        let mut about = about();
        change(&mut about);
        about
    };
    let rows = [
        (
            wrong(|about| about.appliance = "router".into()),
            "for the appliance `router`, and this one is `box`",
        ),
        (
            wrong(|about| about.needs.machine = "arm64".into()),
            "for machines of arm64",
        ),
        (
            wrong(|about| about.needs.disk = 2),
            "a disk of layout 2, and this one has layout 1",
        ),
    ];
    for (about, said) in rows {
        let mut appliance = Appliance::new();
        appliance.power_for(0);
        let error = appliance.install(&named(2, about)).unwrap_err();
        assert!(
            matches!(error, Error::Misfit(_)) && error.to_string().contains(said),
            "{error}"
        );
    }
    let mut small = Appliance::new();
    small.slots[1].bytes.truncate(SLOT - 512);
    small.power_for(0);
    let said = small.install(&update(2)).unwrap_err().to_string();
    assert!(
        said.contains("needs a slot of 1114112 bytes, and this one has 1113600"),
        "{said}"
    );
}

#[test]
fn a_damaged_chunk_or_a_disk_that_lies_never_boots() {
    let mut file = update(2);
    let last = file.len() - 1;
    file[last] ^= 1;
    let mut appliance = Appliance::new();
    let said = appliance.install(&file).unwrap_err().to_string();
    assert!(said.contains("chunk 2 of 2"), "{said}");
    assert_eq!(
        (appliance.boot(), appliance.state().mark(Slot::B)),
        (Slot::A, Mark::Bad)
    );
    let mut appliance = Appliance::new();
    appliance.slots[1].lies = Some(CHUNK + 5);
    let error = appliance.install(&update(2)).unwrap_err();
    assert!(
        matches!(error, Error::Verify { slot: Slot::B, at } if at == CHUNK as u64),
        "{error}"
    );
    assert_eq!((appliance.boot(), appliance.version()), (Slot::A, Some(1)));
}

#[test]
fn going_back_is_a_try_as_well() {
    let mut appliance = Appliance::new();
    appliance.install(&update(2)).unwrap();
    appliance.boot();
    appliance.report_healthy();
    let back = appliance.state().rollback(Slot::B).unwrap();
    state::write(&mut appliance.state, back).unwrap();
    assert_eq!(appliance.boot(), Slot::A);
    assert_eq!(appliance.boot(), Slot::B);
}
