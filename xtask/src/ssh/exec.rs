//! A command on the other side: started, fed, read within limits, and asked for its status.

use std::io::{ErrorKind, Read, Write};

use ssh2::Channel;

use super::{Connection, Deadline, Failure};
use crate::vm::Watch;

/// What is kept of each output stream; the rest is read and counted only.
pub const KEPT: usize = 1 << 20;
/// What is read at most before the guest is looked after again.
const GULP: usize = 1 << 18;

/// One output stream of a command.
#[derive(Debug, Default, Clone)]
pub struct Captured {
    /// The first bytes, at most [`KEPT`].
    pub bytes: Vec<u8>,
    /// How many there were in all.
    pub total: u64,
}

impl Captured {
    fn take(&mut self, bytes: &[u8]) {
        let room = KEPT - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.total += bytes.len() as u64;
    }

    /// The bytes as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Whether there was more than was kept.
    pub fn is_cut(&self) -> bool {
        self.total > self.bytes.len() as u64
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(String),
}

/// What is left of a command that has ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
}

/// A command under way.
pub struct Running {
    channel: Channel,
    input: Vec<u8>,
    sent: usize,
    input_ended: bool,
    stdout: Captured,
    stderr: Captured,
}

impl Connection {
    /// Starts a command; `input` will be its standard input.
    ///
    /// # Errors
    /// The connection does not take it, or time runs out.
    pub fn start(
        &self,
        command: &str,
        input: Vec<u8>,
        deadline: Deadline,
        watch: &mut dyn Watch,
    ) -> Result<Running, Failure> {
        let doing = "starting the command";
        let mut channel = self.until(deadline, watch, doing, || self.session.channel_session())?;
        self.until(deadline, watch, doing, || channel.exec(command))?;
        Ok(Running {
            channel,
            input,
            sent: 0,
            input_ended: false,
            stdout: Captured::default(),
            stderr: Captured::default(),
        })
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// The connection does not take it or breaks, the guest fails, or time runs out.
    pub fn run(
        &self,
        command: &str,
        input: Vec<u8>,
        deadline: Deadline,
        watch: &mut dyn Watch,
    ) -> Result<Output, Failure> {
        let mut running = self.start(command, input, deadline, watch)?;
        loop {
            if let Some(output) = running.step()? {
                return Ok(output);
            }
            watch.check()?;
            if deadline.is_over() {
                return Err(deadline.missed("waiting for the command to end"));
            }
            self.wait();
        }
    }
}

impl Running {
    /// Moves what can be moved without waiting; the output, once the command has ended.
    ///
    /// # Errors
    /// The connection breaks.
    pub fn step(&mut self) -> Result<Option<Output>, Failure> {
        self.write_input()?;
        drain(&mut self.channel.stream(0), &mut self.stdout)?;
        drain(&mut self.channel.stderr(), &mut self.stderr)?;
        if !self.channel.eof() {
            return Ok(None);
        }
        match self.channel.wait_close() {
            Ok(()) => self.output().map(Some),
            Err(error) if error.code() == super::AGAIN => Ok(None),
            Err(error) => Err(broken(error.into())),
        }
    }

    /// What the command has written to its standard output so far.
    pub fn stdout(&self) -> &Captured {
        &self.stdout
    }

    /// What the command has written to its standard error so far.
    pub fn stderr(&self) -> &Captured {
        &self.stderr
    }

    fn write_input(&mut self) -> Result<(), Failure> {
        while self.sent < self.input.len() {
            match self.channel.write(&self.input[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(broken(error)),
            }
        }
        if !self.input_ended {
            match self.channel.send_eof() {
                Ok(()) => self.input_ended = true,
                Err(error) if error.code() == super::AGAIN => {}
                Err(error) => return Err(broken(error.into())),
            }
        }
        Ok(())
    }

    fn output(&mut self) -> Result<Output, Failure> {
        let signal = self.channel.exit_signal().map_err(|error| broken(error.into()))?;
        let exit = match signal.exit_signal {
            Some(name) => Exit::Signal(name),
            None => Exit::Status(self.channel.exit_status().map_err(|error| broken(error.into()))?),
        };
        Ok(Output {
            exit,
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
        })
    }
}

fn drain(stream: &mut impl Read, captured: &mut Captured) -> Result<(), Failure> {
    let mut buffer = [0; 32 * 1024];
    let mut read = 0;
    while read < GULP {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                captured.take(&buffer[..count]);
                read += count;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(broken(error)),
        }
    }
    Ok(())
}

fn broken(source: std::io::Error) -> Failure {
    Failure::Broken {
        doing: "running the command",
        source,
    }
}
