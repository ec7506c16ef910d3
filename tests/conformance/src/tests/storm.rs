//! Sockets that are opened, named, joined, used, shut down and closed by several processes in any order.

use netgraph::Wait;

use crate::Test;
use crate::call;
use crate::message::{FOREIGN, Message, NOLINGER, SOCKET};
use crate::node::{Control, Data};
use crate::outcome::{Outcome, Stop, holds, works};
use crate::system::here;

pub const TESTS: &[Test] = &[Test::long("d04_storm_of_sockets_leaves_nothing_behind", 600, storm)];

const PROCESSES: u32 = 4;
/// Of all processes together.
const ROUNDS: u32 = 8000;
/// What names begin with.
const PREFIX: &str = "proofstorm";
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
    format!("{PREFIX}{number}")
}

/// Which nodes there are in a storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nodes {
    /// Those of sockets, and hubs.
    All,
    /// Those of sockets alone.
    OfSockets,
}

impl Nodes {
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::OfSockets => "sockets",
        }
    }
}

fn storm() -> Outcome {
    let rounds = here().share_of(ROUNDS);
    here().run_probes(super::STORM, &arguments(rounds, PROCESSES, Nodes::All))?;
    nobody_left()
}

/// What each of so many processes is told: how many rounds are its own, where its numbers begin, and which nodes there are.
pub fn arguments(rounds: u32, processes: u32, nodes: Nodes) -> Vec<String> {
    let share = |process| rounds / processes + u32::from(process < rounds % processes);
    (0..processes)
        .map(|process| format!("{} {process} {}", share(process), nodes.word()))
        .collect()
}

/// The storm of one process: `argument` is one of [`arguments`].
pub fn probe(argument: &str) -> Outcome {
    let unknown = || Stop::Failed(format!("expected two numbers and a word, got `{argument}`"));
    let words: Vec<&str> = argument.split(' ').collect();
    let &[rounds, process, nodes] = words.as_slice() else {
        return Err(unknown());
    };
    let (Ok(rounds), Ok(process)) = (rounds.parse::<u32>(), process.parse::<u32>()) else {
        return Err(unknown());
    };
    let nodes = [Nodes::All, Nodes::OfSockets]
        .into_iter()
        .find(|kind| kind.word() == nodes);
    let nodes = nodes.ok_or_else(unknown)?;
    let mut chance = Chance(0x9e37_79b9 ^ (process + 1));
    (0..rounds).try_for_each(|_| round(&mut chance, nodes))
}

/// No node of the storm's is there, and the names are free.
pub fn nobody_left() -> Outcome {
    let control = Control::new()?;
    for number in 0..NAMES {
        let path = format!("{}:", name(number));
        holds(&format!("no node {path} at the end"), control.is_gone(&path)?)?;
        works("its name for another", Control::new()?.bind(&name(number)))?;
    }
    Ok(())
}

/// Whatever the kernel answered.
pub fn ignore<T>(_: T) {}

/// Ignores every answer but those to socket(2).
fn round(chance: &mut Chance, nodes: Nodes) -> Outcome {
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
        match (chance.below(13), &control, &data) {
            (0, Some(control), _) => ignore(control.shut_down(".")),
            (1, Some(control), _) => ignore(control.shut_down(&theirs)),
            (12, Some(control), _) => ignore(shut_down_a_neighbour(control, chance.below(8))),
            (2, Some(control), _) => ignore(control.send(&theirs, &Message::new(FOREIGN, 1, vec![1; 300]))),
            (3, Some(control), _) => ignore(control.send(".", &Message::new(SOCKET, NOLINGER, vec![]))),
            (4, Some(control), _) => ignore(control.remove_hook("h0")),
            (5, Some(control), _) if nodes == Nodes::All => ignore(control.mkpeer("hub", "h1", "h1")),
            (6, _, Some(data)) => ignore(data.connect(&theirs)),
            (7, _, Some(data)) => ignore(data.connect(&format!("{mine}:"))),
            (8, _, Some(data)) => ignore(data.send("h0", &[0; 500]).or_else(|_| data.send_plain(&[0; 500]))),
            (9, _, Some(data)) => ignore(call::receive(data, 600, Wait::Never)),
            (10, Some(control), _) => ignore(call::receive(control, 600, Wait::Never)),
            (11, Some(control), _) => ignore(call::own_name(control)),
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

/// Shuts down the node with an ID shortly before this one's.
fn shut_down_a_neighbour(control: &Control, distance: u32) -> Outcome {
    let own = control.info(".")?.id;
    let path = format!("[{:x}]:", own.saturating_sub(distance + 1));
    if control.info(&path)?.name.starts_with(PREFIX) {
        control.shut_down(&path)?;
    }
    Ok(())
}
