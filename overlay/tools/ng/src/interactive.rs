//! The prompt: lines that somebody types, with history and completion. What comes to the node meanwhile is shown above.

use std::env;
use std::io::{self, PipeReader};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use netgraph::Transport;
use rustix::event::{PollFd, PollFlags};
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History};
use rustyline::{CompletionType, Config, Editor, ExternalPrinter};

use crate::failure::{Failure, Result};
use crate::incoming;
use crate::program::Program;
use crate::script;
use crate::session::Session;

mod helper;

use helper::Words;

/// How many lines are remembered.
const REMEMBERED: usize = 1000;

/// The file of lines typed before, in the home folder; rustyline keeps it readable for its owner only.
const HISTORY: &str = ".ng_history";

type Prompt<'a, T> = Editor<Words<'a, T>, FileHistory>;

/// Runs lines until the end of input or `quit`. A line that fails does not end it.
pub fn run<T: Transport + Send>(mut session: Session<T>) -> Result<()>
where
    T::Endpoint: AsFd + Send,
{
    session.socket.open_data()?;
    greet(&mut session)?;
    let descriptors = descriptors(&session).map_err(failed)?;
    let session = Mutex::new(session);
    let mut prompt = open_prompt(&session).map_err(lost)?;
    let mut printer = prompt.create_external_printer().map_err(lost)?;
    let (ended, end) = io::pipe().map_err(failed)?;
    thread::scope(|scope| {
        scope.spawn(|| watch(&session, &descriptors, &ended, &mut printer));
        let result = converse(&session, &mut prompt);
        drop(end);
        result
    })
}

fn greet<T: Transport>(session: &mut Session<T>) -> Result<()>
where
    T::Endpoint: AsFd,
{
    if session.program == Program::Ngctl {
        return script::run_words(session, &["help"], &|command, session| command.run(session));
    }
    println!(
        "ng {}: `help` lists the commands, the tab key completes words, ctrl-D ends",
        env!("CARGO_PKG_VERSION")
    );
    Ok(())
}

/// The descriptors of both sockets, to be waited for by another thread.
fn descriptors<T: Transport>(session: &Session<T>) -> io::Result<Vec<OwnedFd>>
where
    T::Endpoint: AsFd,
{
    let control = session.socket.control_endpoint();
    let all = [control].into_iter().chain(session.socket.data_endpoint());
    all.map(|endpoint| endpoint.as_fd().try_clone_to_owned()).collect()
}

fn open_prompt<T: Transport>(session: &Mutex<Session<T>>) -> rustyline::Result<Prompt<'_, T>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .max_history_size(REMEMBERED)?
        .history_ignore_dups(true)?
        .build();
    let mut prompt = Editor::with_config(config)?;
    prompt.set_helper(Some(Words::new(session)));
    if let Some(file) = history_file() {
        // There is none before the first line.
        let _ = prompt.load_history(&file);
    }
    Ok(prompt)
}

fn history_file() -> Option<PathBuf> {
    let home = env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(PathBuf::from(home).join(HISTORY))
}

/// Asks for lines and runs them.
fn converse<T: Transport>(session: &Mutex<Session<T>>, prompt: &mut Prompt<'_, T>) -> Result<()>
where
    T::Endpoint: AsFd,
{
    let text = lock(session).program.prompt();
    loop {
        match prompt.readline(text) {
            Ok(typed) => {
                // What is pasted may be several lines.
                for line in typed.lines() {
                    remember(prompt, line);
                    if !run_line(&mut lock(session), line)? {
                        return Ok(());
                    }
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(lost(error)),
        }
    }
}

/// Keeps a line, in the file as well; that the file cannot be written is no reason to stop.
fn remember<T: Transport>(prompt: &mut Prompt<'_, T>, line: &str) {
    if line.trim().is_empty() || !prompt.add_history_entry(line).unwrap_or(false) {
        return;
    }
    if let Some(file) = history_file() {
        let _ = prompt.history_mut().append(&file);
    }
}

/// Runs one line and shows what it brought about; tells whether to go on.
fn run_line<T: Transport>(session: &mut Session<T>, line: &str) -> Result<bool>
where
    T::Endpoint: AsFd,
{
    let done = script::line(session, line, &|command, session| command.run(session));
    match done {
        Err(gone @ Failure::Io { .. }) => return Err(gone),
        Err(failure) => failure.tell(session.program, session.json),
        Ok(()) => {}
    }
    for text in incoming::unasked(session).unwrap_or_default() {
        print!("{text}");
    }
    Ok(!session.over)
}

/// Shows what comes while a line is being typed, until `ended` is closed at its other end or the node is gone.
fn watch<T: Transport>(
    session: &Mutex<Session<T>>,
    descriptors: &[OwnedFd],
    ended: &PipeReader,
    printer: &mut dyn ExternalPrinter,
) {
    let all = descriptors.iter().map(AsFd::as_fd).chain([ended.as_fd()]);
    let mut entries: Vec<PollFd<'_>> = all.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    loop {
        match rustix::event::poll(&mut entries, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if entries.last().is_some_and(|ended| !ended.revents().is_empty()) => return,
            Ok(_) => {}
        }
        // While a command is carried out, what comes is its answers; the lock is free again when they have been taken.
        let shown = incoming::unasked(&mut lock(session));
        let Ok(texts) = shown else {
            let _ = printer.print("the node of this prompt is gone, or what came to it was lost\n".to_owned());
            return;
        };
        for text in texts {
            let _ = printer.print(text);
        }
    }
}

fn lock<T: Transport>(session: &Mutex<Session<T>>) -> MutexGuard<'_, Session<T>> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: io::Error) -> Failure {
    let what = "could not open a prompt";
    Failure::Io { what, error }
}

fn lost(error: ReadlineError) -> Failure {
    let what = "could not read from the terminal";
    let error = io::Error::other(error);
    Failure::Io { what, error }
}
