//! The record of which root slot boots: what is made of arbitrary sectors, and of any sequence of steps from there.

use std::io;

use arbitrary::{Arbitrary, Result, Unstructured};
use update::device::Device;
use update::state::{self, PLACES, SECTOR, Slot, State};

/// Steps of one execution: with longer sequences there are fewer executions.
const MOST_STEPS: usize = 32;

/// What happens to the state.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Step {
    Install,
    Healthy,
    Note,
    Rollback,
    /// Bytes that arrive of the next write.
    Cut(u16),
}

/// A state partition in memory: the two sectors of it that anything may touch.
struct Disk {
    copies: [[u8; SECTOR]; PLACES.len()],
    arriving: usize,
}

impl Disk {
    /// The sector at this byte of the partition.
    fn sector(&mut self, at: u64, bytes: usize) -> &mut [u8; SECTOR] {
        let place = PLACES.iter().position(|place| *place == at);
        let place = place.filter(|_| bytes == SECTOR);
        &mut self.copies[place.unwrap_or_else(|| panic!("{bytes} bytes at {at} are no copy of the state"))]
    }
}

impl Device for Disk {
    fn size(&self) -> u64 {
        PLACES[1] + SECTOR as u64
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        bytes.copy_from_slice(self.sector(at, bytes.len()));
        Ok(())
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let arriving = self.arriving.min(bytes.len());
        self.arriving = usize::MAX;
        self.sector(at, bytes.len())[..arriving].copy_from_slice(&bytes[..arriving]);
        match arriving == bytes.len() {
            true => Ok(()),
            false => Err(io::Error::other("cut")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A record is what is printed of it; a sequence of steps, however it is cut, never loses one that was valid.
pub fn execute(input: &[u8]) {
    if let Ok(read) = State::parse(&input[..input.len().min(SECTOR)]) {
        assert_eq!(read.print(), input[..SECTOR]);
    }
    let _ = steps(&mut Unstructured::new(input));
}

fn steps(u: &mut Unstructured<'_>) -> Result<()> {
    let mut disk = Disk {
        copies: [[0; SECTOR]; PLACES.len()],
        arriving: usize::MAX,
    };
    for copy in &mut disk.copies {
        sector(u, copy)?;
    }
    let mut running = if u.arbitrary()? { Slot::A } else { Slot::B };
    for _ in 0..MOST_STEPS {
        if u.is_empty() {
            break;
        }
        let before = valid(&mut disk);
        let now = before.unwrap_or(State::lost(running));
        let wanted = match u.arbitrary()? {
            Step::Install => now.begin_install(running).ok(),
            Step::Healthy => Some(now.healthy(running)),
            Step::Note => Some(now.note(running).0),
            Step::Rollback => now.rollback(running).ok(),
            Step::Cut(bytes) => {
                disk.arriving = bytes.into();
                running = running.other();
                None
            }
        };
        let Some(wanted) = wanted else { continue };
        let written = state::write(&mut disk, wanted);
        let after = valid(&mut disk);
        match written {
            Ok(state) => assert_eq!(after, Some(state)),
            Err(_) => assert!(
                after == before || same_but_count(after, wanted),
                "{before:?} {wanted:?} {after:?}"
            ),
        }
    }
    Ok(())
}

fn same_but_count(after: Option<State>, wanted: State) -> bool {
    after.is_some_and(|after| State { seq: 0, ..after } == State { seq: 0, ..wanted })
}

fn valid(disk: &mut Disk) -> Option<State> {
    let copies = state::read(disk).expect("memory can be read");
    copies.valid().map(|(_, state)| state)
}

/// Anything, or a record with a right sum.
fn sector(u: &mut Unstructured<'_>, sector: &mut [u8]) -> Result<()> {
    if u.ratio(1, 4)? {
        let bytes = u.bytes(u.len().min(64))?;
        sector[..bytes.len()].copy_from_slice(bytes);
        return Ok(());
    }
    let seq = u.int_in_range(0..=999_999_999_u32)?;
    let slot = ["a", "b", "-", "c"];
    let mark = ["good", "new", "empty", "bad", ""];
    let (boot, once, tried) = (u.choose(&slot)?, u.choose(&slot)?, u.choose(&slot)?);
    let (a, b, starts) = (u.choose(&mark)?, u.choose(&mark)?, u.arbitrary::<u8>()?);
    let text =
        format!("ngforge-state 1\nseq={seq}\nboot={boot}\ntry={once}\ntried={tried}\nstarts={starts}\na={a}\nb={b}\n");
    let text = format!("{text}sum={:08x}\n", crc32fast::hash(text.as_bytes()));
    sector.fill(b'\n');
    sector[..text.len()].copy_from_slice(text.as_bytes());
    Ok(())
}
