//! Sends a list of netgraph messages and nothing else: the least that making a graph takes.
//!
//! `graphbench SOCKET FILE` sends them to the hosted kernel that `hostkernd` serves at that Unix socket. The file has a
//! message a line, as ngctl(8) has them: `mkpeer PATH TYPE HOOK PEERHOOK`, `name PATH NAME` and
//! `connect PATH PEERPATH HOOK PEERHOOK`.

use std::fs;
use std::process::ExitCode;

use netgraph::hosted::Hosted;
use netgraph::{Connect, MakePeer, Name, Socket};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("graphbench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let [path, file] = arguments else {
        return Err("usage: graphbench SOCKET FILE".into());
    };
    let text = fs::read_to_string(file)?;
    let mut socket = Socket::open_on(Hosted::new(path), None)?;
    text.lines().try_for_each(|line| send(&mut socket, line))
}

fn send(socket: &mut Socket<Hosted>, line: &str) -> Result<(), Failure> {
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or_else(|| format!("a word is missing: {line}"));
    let (verb, path) = (word()?, word()?.parse()?);
    match verb {
        "mkpeer" => {
            let type_name = word()?.parse()?;
            let (hook, peer_hook) = (word()?.parse()?, word()?.parse()?);
            let request = MakePeer {
                type_name,
                hook,
                peer_hook,
            };
            socket.request(&path, &request)?;
        }
        "name" => socket.request(&path, &Name(word()?.parse()?))?,
        "connect" => {
            let peer = word()?.parse()?;
            let (hook, peer_hook) = (word()?.parse()?, word()?.parse()?);
            let request = Connect { peer, hook, peer_hook };
            socket.request(&path, &request)?;
        }
        _ => return Err(format!("no message: {line}").into()),
    }
    Ok(())
}
