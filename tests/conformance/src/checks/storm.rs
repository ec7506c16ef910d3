//! Sockets come and go in every order, in four processes, with nodes shut down under them.
//!
//! What a call answers is left to chance; that the kernel answers, and that nothing stays behind, is not.

use crate::Check;
use crate::errno::{Failure, Outcome, holds, works};
use crate::message::{FOREIGN, Message, NOLINGER, SOCKET};
use crate::node::{Control, Data};
use crate::process::{self, Child};
use crate::sys;

pub const CHECKS: &[Check] = &[Check::long("storm_of_sockets_leaves_nothing_behind", 600, storm)];

const PROCESSES: u32 = 4;
const ROUNDS: u32 = 2000;
/// Names that all processes fight for.
const NAMES: u32 = 3;

/// Numbers without a pattern (xorshift).
struct Chance(u32);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % bound
    }
}

fn name(number: u32) -> String {
    format!("proofstorm{number}")
}

fn storm() -> Outcome {
    let children: Vec<Child> = (0..PROCESSES)
        .map(|process| Child::start(580, move || rounds(Chance(0x9e37_79b9 ^ (process + 1)))))
        .collect::<Result<_, Failure>>()?;
    for child in children {
        child.wait()?;
    }
    let control = Control::new()?;
    for number in 0..NAMES {
        let path = format!("{}:", name(number));
        holds(&format!("no node {path} at the end"), control.is_gone(&path)?)?;
        works("its name for another", Control::new()?.bind(&name(number)))?;
    }
    Ok(())
}

fn rounds(mut chance: Chance) -> Outcome {
    process::ignore_broken_pipes();
    for _ in 0..ROUNDS {
        round(&mut chance)?;
    }
    Ok(())
}

/// Whatever the kernel answered.
fn ignore<T>(_: T) {}

/// Ignores every answer but those to socket(2).
fn round(chance: &mut Chance) -> Outcome {
    let (mine, theirs) = (name(chance.below(NAMES)), format!("{}:", name(chance.below(NAMES))));
    let mut control = Some(Control::new()?);
    let mut data = Some(Data::new()?);
    let mut second = Some(Data::new()?);
    if let Some(control) = &control {
        ignore(control.bind(&mine));
        let mut hook = || format!("h{}", chance.below(3));
        let connect = Message::connect(&theirs, &hook(), &hook());
        ignore(control.send(".", &connect));
    }
    for _ in 0..8 {
        match (chance.below(12), &control, &data) {
            (0, Some(control), _) => ignore(control.shut_down(".")),
            (1, Some(control), _) => ignore(control.shut_down(&theirs)),
            (2, Some(control), _) => ignore(control.send(&theirs, &Message::new(FOREIGN, 1, vec![1; 300]))),
            (3, Some(control), _) => ignore(control.send(".", &Message::new(SOCKET, NOLINGER, vec![]))),
            (4, Some(control), _) => ignore(control.remove_hook("h0")),
            (5, Some(control), _) => ignore(control.mkpeer("hub", "h1", "h1")),
            (6, _, Some(data)) => ignore(data.connect(&theirs)),
            (7, _, Some(data)) => ignore(data.connect(&format!("{mine}:"))),
            (8, _, Some(data)) => ignore(data.send("h0", &[0; 500]).or_else(|_| data.send_plain(&[0; 500]))),
            (9, _, Some(data)) => ignore(sys::receive(data, 600, libc::MSG_DONTWAIT)),
            (10, Some(control), _) => ignore(sys::receive(control, 600, libc::MSG_DONTWAIT)),
            (11, Some(control), _) => ignore(sys::own_name(control)),
            _ => {}
        }
    }
    if let Some(second) = &second {
        ignore(second.connect(&theirs));
    }
    for _ in 0..6 {
        match chance.below(3) {
            0 => drop(control.take()),
            1 => drop(data.take()),
            _ => drop(second.take()),
        }
        if let Some(data) = &data {
            ignore(data.send_plain(b"late"));
        }
    }
    Ok(())
}
