//! `ng hook`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use netgraph::{Address, Connect, HookName, RemoveHook, Transport};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::{command_and_arguments, connect};
use crate::dump;
use crate::explain::message;
use crate::failure::{Failure, Result};
use crate::incoming::{LARGEST_PACKET, Packet};
use crate::session::Session;

/// What the hook of ng's own node is called.
const OWN_HOOK: &str = "hook";

/// Connect to a hook: packets from it to standard output, standard input to it
///
/// Does what nghook(8) does. Each read of standard input becomes one packet; ng ends when its input does. With --json, each
/// packet received is one line: its hook, its length in bytes, and its bytes in hexadecimal.
#[derive(Debug, Args)]
pub struct Hook {
    /// Show packets in hexadecimal and ASCII
    #[arg(short = 'a', conflicts_with = "exec")]
    ascii: bool,

    /// Run a program with its input and output connected to the hook
    #[arg(short = 'e', requires = "program")]
    exec: bool,

    /// Send every packet back, too
    #[arg(short = 'l', conflicts_with = "exec")]
    loopback: bool,

    /// Send this control message, in words, to the node first; may be repeated
    #[arg(short = 'm', value_name = "MESSAGE")]
    messages: Vec<String>,

    /// Do not read input
    #[arg(short = 'n')]
    no_input: bool,

    /// Write to descriptor 0 instead of 1
    #[arg(short = 's')]
    swap_output: bool,

    /// Read from descriptor 1 instead of 0
    #[arg(short = 'S')]
    swap_input: bool,

    /// End after so many packets received
    #[arg(short = 'c', long, value_name = "N")]
    count: Option<u64>,

    /// End when so many seconds have passed; with -c, that is a failure
    #[arg(short = 't', long, value_name = "SECONDS")]
    timeout: Option<u64>,

    /// The node
    path: Address,

    /// The node's hook
    #[arg(default_value = "debug")]
    hook: HookName,

    /// With -e: the program and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<String>,
}

impl Hook {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        if !self.exec && !self.program.is_empty() {
            return Err(Failure::Usage("a program is run with -e only".to_owned()));
        }
        self.connect(session)?;
        for message in &self.messages {
            let (command, arguments) = command_and_arguments(message);
            let sent = session.socket.command(&self.path, command, arguments);
            sent.map_err(|error| message::refusal(&mut session.socket, &self.path, command, error))?;
        }
        if self.exec {
            return Err(self.execute(session));
        }
        let relayed = self.relay(session);
        // At the prompt and in a file, the node of ng lives on, and other lines may want the hook.
        let _ = session.socket.request(&Address::here(), &RemoveHook(own_hook()?));
        relayed
    }

    /// Refuses what a hosted kernel cannot do.
    #[cfg(not(target_os = "freebsd"))]
    pub fn check_hosted(&self) -> Result<()> {
        if !self.exec {
            return Ok(());
        }
        let text = "hook -e needs a running FreeBSD: only there can a program have the socket itself as its input";
        Err(Failure::Usage(text.to_owned()))
    }

    fn connect<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        session.socket.open_data()?;
        let request = Connect {
            peer: self.path.clone(),
            hook: own_hook()?,
            peer_hook: self.hook.clone(),
        };
        let here = Address::here();
        let result = session.socket.request(&here, &request);
        result.map_err(|mut error| {
            // The other end is what the command line names.
            if let netgraph::Error::Refused { path, .. } = &mut error {
                *path = self.path.to_string();
            }
            connect::explain(session, &here, &request, error)
        })
    }

    /// Becomes the program; returns only when that fails.
    fn execute<T: Transport>(&self, session: &Session<T>) -> Failure
    where
        T::Endpoint: AsFd,
    {
        let what = "could not run the program";
        let Some(data) = session.socket.data_endpoint() else {
            return Failure::Usage("there is no data socket".to_owned());
        };
        let copies = data
            .as_fd()
            .try_clone_to_owned()
            .and_then(|input| Ok((input, data.as_fd().try_clone_to_owned()?)));
        let (input, output) = match copies {
            Ok(copies) => copies,
            Err(error) => return Failure::Io { what, error },
        };
        let input = if self.no_input { Stdio::null() } else { input.into() };
        let error = Command::new(&self.program[0])
            .args(&self.program[1..])
            .stdin(input)
            .stdout(Stdio::from(output))
            .exec();
        Failure::Io { what, error }
    }

    fn relay<T: Transport>(&self, session: &mut Session<T>) -> Result<()>
    where
        T::Endpoint: AsFd,
    {
        let deadline = self
            .timeout
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut buffer = vec![0; LARGEST_PACKET];
        let mut packets = 0;
        let own_hook = own_hook()?;
        loop {
            let Some((data, input)) = self.wait(session, deadline)? else {
                return self.late(packets);
            };
            if data
                && let Some((length, hook)) = session.socket.receive_data(&mut buffer, Some(Instant::now()))?
                && hook == OWN_HOOK
            {
                self.show(session.json, &hook, &buffer[..length])?;
                if self.loopback {
                    session.socket.send_data(Some(&own_hook), &buffer[..length])?;
                }
                packets += 1;
            }
            if self.count.is_some_and(|count| packets >= count) {
                return Ok(());
            }
            if input {
                let length = self.read(&mut buffer)?;
                if length == 0 {
                    return Ok(());
                }
                session.socket.send_data(Some(&own_hook), &buffer[..length])?;
            }
        }
    }

    fn late(&self, packets: u64) -> Result<()> {
        match (self.count, self.timeout) {
            (Some(count), Some(seconds)) => Err(Failure::Late(format!(
                "{packets} of {count} packets came by {}{}{} in {seconds} s",
                self.path,
                if self.path.as_str().ends_with(':') { "" } else { "." },
                self.hook
            ))),
            _ => Ok(()),
        }
    }

    /// Waits for a packet or input and tells which of them is there; None at the deadline.
    fn wait<T: Transport>(&self, session: &Session<T>, deadline: Option<Instant>) -> Result<Option<(bool, bool)>>
    where
        T::Endpoint: AsFd,
    {
        let Some(data) = session.socket.data_endpoint() else {
            return Ok(None);
        };
        let data = data.as_fd();
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let input = if self.swap_input { stdout.as_fd() } else { stdin.as_fd() };
        let mut entries = vec![PollFd::from_borrowed_fd(data, PollFlags::IN)];
        if !self.no_input {
            entries.push(PollFd::from_borrowed_fd(input, PollFlags::IN));
        }
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match rustix::event::poll(&mut entries, left.as_ref()) {
                Ok(0) => return Ok(None),
                Ok(_) => {
                    let ready = |index: usize| entries.get(index).is_some_and(|entry| !entry.revents().is_empty());
                    return Ok(Some((ready(0), ready(1))));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(failed("could not wait for packets", error)),
            }
        }
    }

    fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let input = if self.swap_input { stdout.as_fd() } else { stdin.as_fd() };
        rustix::io::read(input, buffer).map_err(|error| failed("could not read the input", error))
    }

    fn show(&self, json: bool, hook: &str, packet: &[u8]) -> Result<()> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let output = if self.swap_output {
            stdin.as_fd()
        } else {
            stdout.as_fd()
        };
        if json {
            let line = serde_json::to_string(&Packet::new(hook, packet)).unwrap_or_default();
            return write_all(output, format!("{line}\n").as_bytes());
        }
        if self.ascii {
            return write_all(output, format!("{}\n", dump::lines(packet)).as_bytes());
        }
        write_all(output, packet)
    }
}

fn own_hook() -> Result<HookName> {
    Ok(OWN_HOOK.parse().map_err(netgraph::Error::from)?)
}

fn write_all(output: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::write(output, bytes).map_err(|error| failed("could not write a packet", error))?;
        bytes = &bytes[written..];
    }
    Ok(())
}

fn failed(what: &'static str, error: rustix::io::Errno) -> Failure {
    let error = error.into();
    Failure::Io { what, error }
}
