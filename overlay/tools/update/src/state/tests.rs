//! The record of which slot boots: its text, the copy that counts, and writes that are cut.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::device::Device;

/// A disk that loses power: of all that is written to it, only the first bytes arrive.
struct Cut {
    bytes: Vec<u8>,
    left: usize,
}

impl Device for Cut {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let at = at as usize;
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let arriving = self.left.min(bytes.len());
        self.left -= arriving;
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

fn disk(left: usize) -> Cut {
    let bytes = vec![0; 1 << 20];
    Cut { bytes, left }
}

fn slots() -> impl Strategy<Value = Slot> {
    prop_oneof![Just(Slot::A), Just(Slot::B)]
}

fn marks() -> impl Strategy<Value = Mark> {
    prop_oneof![Just(Mark::Good), Just(Mark::New), Just(Mark::Empty), Just(Mark::Bad)]
}

prop_compose! {
    fn states()(
        seq in 0..999_999_999u64,
        boot in slots(),
        once in proptest::option::of(slots()),
        tried in proptest::option::of(slots()),
        starts in 0..999_999_999u32,
        a in marks(),
        b in marks(),
    ) -> State {
        State { seq, boot, once, tried, starts, a, b }
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read(state in states()) {
        prop_assert_eq!(State::parse(&state.print()), Ok(state));
    }

    #[test]
    fn one_changed_bit_is_seen(state in states(), byte in 0..SECTOR, bit in 0..8u8) {
        let mut sector = state.print();
        sector[byte] ^= 1 << bit;
        prop_assert!(State::parse(&sector).is_err());
    }

    #[test]
    fn the_higher_count_counts(first in states(), second in states()) {
        let copies = Copies { first: Ok(first), second: Ok(second) };
        let (copy, state) = copies.valid().unwrap();
        prop_assert_eq!(state.seq, first.seq.max(second.seq));
        let (next, seq) = copies.next();
        prop_assert!(next != copy && seq == state.seq + 1);
    }
}

#[test]
fn the_text_is_the_documented_one() {
    let state = State {
        seq: 12,
        once: Some(Slot::B),
        b: Mark::New,
        ..State::fresh()
    };
    let text = "ngforge-state 1\nseq=12\nboot=a\ntry=b\ntried=-\nstarts=0\na=good\nb=new\nsum=";
    let printed = state.print();
    assert_eq!(&printed[..text.len()], text.as_bytes());
    let sum = format!("{:08x}", crc32fast::hash(&text.as_bytes()[..text.len() - 4]));
    assert_eq!(&printed[text.len()..text.len() + 8], sum.as_bytes());
    assert!(printed[text.len() + 8..].iter().all(|byte| *byte == b'\n'));
}

#[test]
fn a_write_that_is_cut_anywhere_leaves_the_old_state_or_makes_the_new_one() {
    for writes in 0..3 {
        for left in 0..=SECTOR {
            let mut disk = disk(usize::MAX);
            let mut old = State::fresh();
            for _ in 0..=writes {
                old = write(&mut disk, old).unwrap();
            }
            disk.left = left;
            let new = State {
                once: Some(Slot::B),
                ..old
            };
            let written = write(&mut disk, new);
            let (_, found) = read(&mut disk).unwrap().valid().unwrap();
            assert_eq!(written.is_ok(), left == SECTOR);
            let arrived = found
                == State {
                    seq: old.seq + 1,
                    ..new
                };
            assert!(found == old || arrived, "{left} bytes: {found:?}");
            assert!(arrived || written.is_err(), "{left} bytes");
        }
    }
}

#[test]
fn torn_sectors_with_old_and_new_bytes_do_not_count() {
    let old = State {
        seq: 10,
        ..State::fresh()
    };
    let new = State {
        seq: 12,
        once: Some(Slot::B),
        ..old
    };
    for cut in 0..SECTOR {
        let mut torn = old.print();
        torn[..cut].copy_from_slice(&new.print()[..cut]);
        let read = State::parse(&torn);
        assert!(read.is_err() || read == Ok(old) || read == Ok(new), "{cut}: {read:?}");
    }
}

#[test]
fn nothing_valid_is_nothing() {
    let copies = read(&mut disk(0)).unwrap();
    assert_eq!(copies.first, Err(Fault::NoRecord));
    assert_eq!(copies.valid(), None);
    assert_eq!(copies.next(), (Copy::First, 1));
}

#[test]
fn wrong_records_are_refused_with_the_line() {
    let good = String::from_utf8(State::fresh().print().to_vec()).unwrap();
    let rows = [
        ("seq=1\n", "seq=01\n", "line 2 is `seq=01`"),
        ("seq=1\n", "seq=1000000000\n", "line 2"),
        ("seq=1\n", "seq=-1\n", "line 2"),
        (
            "boot=a",
            "boot=-",
            "line 3 is `boot=-`, where `boot=a` or `boot=b` belongs",
        ),
        ("try=-", "try=c", "line 4"),
        ("tried=-\n", "", "line 5 is `starts=0`"),
        ("starts=0", "starts=1000000000", "line 6"),
        ("a=good", "a=fine", "line 7"),
        ("b=empty", "b=", "line 8"),
        ("b=empty", "b=good", "its checksum is"),
        ("sum=", "SUM=", "line 9"),
        ("ngforge-state 1", "ngforge-state 2", "does not begin with"),
    ];
    for (from, to, said) in rows {
        let mut sector = good.replacen(from, to, 1).into_bytes();
        sector.resize(SECTOR, b'\n');
        let fault = State::parse(&sector).unwrap_err().to_string();
        assert!(fault.contains(said), "{to}: {fault}");
    }
    let mut followed = State::fresh().print();
    followed[SECTOR - 1] = b'x';
    assert_eq!(State::parse(&followed), Err(Fault::Rest));
    assert_eq!(State::parse(b"ngforge"), Err(Fault::Length(7)));
}

#[test]
fn a_counter_at_its_end_is_not_written() {
    let mut disk = disk(usize::MAX);
    let last = State {
        seq: 999_999_999,
        ..State::fresh()
    };
    disk.bytes[PLACES[0] as usize..][..SECTOR].copy_from_slice(&last.print());
    assert!(write(&mut disk, last).unwrap_err().to_string().contains("end"));
    assert_eq!(read(&mut disk).unwrap().valid(), Some((Copy::First, last)));
}
