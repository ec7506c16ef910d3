//! Threads of the host that do at the same time what comes to their minds; the same each time, as far as their minds go.
//!
//! It is the address and thread sanitizers that look for what goes wrong (`cargo xtask test sanitize`), and, without them,
//! the hosted kernel's own checks and its guard pages.

use std::time::Duration;

use hostkern::Socket;
use hostkern::netgraph;
use models::wire::{address, connect, message, mkpeer, name, nodeinfo, own, rmhook, shutdown};
use models::world::{self, DONTWAIT, drain, nodes_of, put, tell_with, try_control, try_data};
use ng_socket::messages::command;

const THREADS: u64 = 4;
/// Rounds of each thread; `MODELS_ROUNDS` in the environment, else so many.
const ROUNDS: usize = 3000;
/// Sockets a thread has at most, of each kind.
const SOCKETS: usize = 3;
const NAMES: [&str; 3] = ["a", "b", "c"];
const HOOKS: [&str; 4] = ["h", "i", "j", "k"];

/// xorshift64
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("less than end")
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// A thread's mind, and its sockets.
struct Actor {
    random: Random,
    controls: Vec<Socket>,
    data: Vec<Socket>,
}

impl Actor {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            controls: Vec::new(),
            data: Vec::new(),
        }
    }

    /// One of the sockets; a new one if there are few, and none if there is no other.
    fn socket(
        &mut self,
        open: fn() -> Result<Socket, hostkern::Errno>,
        of: fn(&mut Self) -> &mut Vec<Socket>,
    ) -> Socket {
        if of(self).is_empty() || of(self).len() < SOCKETS && self.random.below(4) == 0 {
            let socket = open().expect("root may have a socket");
            of(self).push(socket);
        }
        let count = of(self).len();
        let index = self.random.below(count);
        of(self)[index].clone()
    }

    fn message(&mut self) -> Vec<u8> {
        let hook = self.random.one_of(&HOOKS);
        let other = self.random.one_of(&HOOKS);
        let path = format!("{}:", self.random.one_of(&NAMES));
        match self.random.below(14) {
            0 => shutdown(),
            1 | 2 => rmhook(hook),
            3 => name(self.random.one_of(&NAMES)),
            4 | 5 => mkpeer(self.random.one_of(&["hub", "capture", "echo"]), hook, "in"),
            6..=8 => connect(&path, hook, other),
            9 => own(command::SET_EVENTS, &1_u32.to_le_bytes()),
            10 => own(command::GETCLR_STATS, &[]),
            11 => message(4711, 1, b"hello"),
            _ => nodeinfo(),
        }
    }

    /// What comes of it is anybody's guess, as all threads use the same names; that it ends well is what counts.
    fn act(&mut self) {
        let target = self.random.one_of(&NAMES);
        match self.random.below(10) {
            0 => {
                let socket = self.socket(try_control, |actor| &mut actor.controls);
                let _ = socket.bind(&address(target));
            }
            1..=4 => {
                let socket = self.socket(try_control, |actor| &mut actor.controls);
                let message = self.message();
                let path = [".:".to_owned(), format!("{target}:")][self.random.below(2)].clone();
                let flags = [0, DONTWAIT][self.random.below(2)];
                let _ = tell_with(&socket, &path, &message, flags);
                let _ = drain(&socket);
            }
            5 => {
                let socket = self.socket(try_data, |actor| &mut actor.data);
                let _ = socket.connect(&address(&format!("{target}:")));
            }
            6 | 7 => {
                let socket = self.socket(try_data, |actor| &mut actor.data);
                let hook = [None, Some(self.random.one_of(&HOOKS))][self.random.below(2)];
                let _ = put(&socket, hook);
                let _ = drain(&socket);
            }
            8 => {
                let socket = self.socket(try_data, |actor| &mut actor.data);
                socket.set_nonblocking(self.random.below(2) == 0);
                let _ = socket.poll(1, Some(Duration::from_micros(100)));
                let _ = socket.name();
            }
            _ => self.close(),
        }
    }

    fn close(&mut self) {
        let sockets = [&mut self.controls, &mut self.data];
        for sockets in sockets {
            if !sockets.is_empty() {
                let index = self.random.below(sockets.len());
                drop(sockets.swap_remove(index));
            }
        }
    }
}

/// Shuts down what no socket does, so that the kernel ends empty.
fn clean_up() {
    let owner = world::control();
    for kind in ["hub", "capture", "echo"] {
        for node in nodes_of(kind) {
            let _ = tell_with(&owner, &format!("[{node}]:"), &shutdown(), 0);
        }
    }
    drop(owner);
    netgraph::settle();
}

#[test]
fn threads_do_what_they_like() {
    let rounds = std::env::var("MODELS_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    // Sanitizers see what the guard pages are for, and have little patience with so many mappings.
    let kernel = world::boot(std::env::var_os("MODELS_SANITIZED").is_none());
    let threads: Vec<_> = (1..=THREADS)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut actor = Actor::new(seed);
                (0..rounds).for_each(|_| actor.act());
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("a thread ends well"));
    kernel.settle();
    clean_up();
    drop(kernel);
}
