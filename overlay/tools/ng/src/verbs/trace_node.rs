//! `ng trace`.

use std::time::{Duration, Instant};

use clap::Args;
use netgraph::{Address, Connect, GetNodeInfo, HookName, Incoming, ListHooks, Message, Transport};
use serde::Serialize;

use super::usage;
use crate::clock;
use crate::dump;
use crate::explain::message;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// What the hook of ng's own node is called.
const OWN_HOOK: &str = "trace";

/// `NGM_FLOW_COOKIE` of netgraph/ng_message.h.
const FLOW_COOKIE: u32 = 851_672_669;

/// Messages about links and queues, which no node converts (netgraph/ng_message.h).
const FLOW: [(u32, &str); 5] = [
    (32, "link is up"),
    (33, "link is down"),
    (34, "high water passed"),
    (35, "low water passed"),
    (36, "queue state"),
];

/// Show the control messages that a node sends, in words
///
/// Netgraph lets nobody listen to messages between other nodes. What ng can see is what is sent to its own node, and that is
/// more than answers: nodes send messages of their own accord out of a hook, or to whoever configured them last. So ng connects
/// to HOOK (without it, to a hook of ether that takes nothing away from the host, else to `debug` if the node accepts it), sends
/// what -m says, and shows what comes:
///
///   ether              link up and down, out of lower and orphans
///   vlan, one2many     link up and down, as they were told
///   pppoe, l2tp        sessions and connections that come, fail and go; to the one who asked for them with -m
///   ksocket            the end of connect and accept; to the one who sent these with -m
///   mppc, deflate, pred1   reset requests; to the one who configured them
///   cisco, source, device  questions to the neighbour; out of the hooks for protocols, output, and the device's
///
/// What ng itself sends and receives is shown by -d.
#[derive(Debug, Args)]
pub struct Trace {
    /// The node
    path: Address,

    /// A hook of it that is free
    hook: Option<HookName>,

    /// Send this control message, in words, to the node first; may be repeated
    #[arg(short = 'm', long = "message", value_name = "MESSAGE")]
    messages: Vec<String>,

    /// End after so many messages
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// End when so many seconds have passed; with -c, that is a failure
    #[arg(short = 't', long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// A message, as a line of JSON.
#[derive(Serialize)]
struct Line {
    /// Seconds since 1970.
    time: String,
    from: String,
    reply: bool,
    /// Its name, where the node knows it.
    message: Option<String>,
    cookie: u32,
    command: u32,
    token: u32,
    /// In words, where the node knows them.
    arguments: Option<String>,
    /// In hexadecimal, where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

impl Trace {
    pub fn run<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        self.connect(session)?;
        for words in &self.messages {
            let (command, arguments) = words.trim().split_once(' ').unwrap_or((words.trim(), ""));
            let sent = session.socket.to_binary(&self.path, command, arguments.trim());
            let sent = sent.and_then(|message| session.socket.send(&self.path, message));
            sent.map_err(|error| message::refusal(&mut session.socket, &self.path, command, error))?;
        }
        self.listen(session)
    }

    /// Connects to the hook, where there is one to connect to.
    fn connect<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let list = session.request(&self.path, &ListHooks)?;
        let guess = match list.node.type_name.as_str() {
            "ether" => "orphans",
            _ => "debug",
        };
        let hook = match &self.hook {
            Some(hook) => hook.clone(),
            None => guess.parse().map_err(usage)?,
        };
        let request = Connect {
            peer: self.path.clone(),
            hook: OWN_HOOK.parse().map_err(usage)?,
            peer_hook: hook.clone(),
        };
        let here = Address::here();
        let Err(error) = session.socket.request(&here, &request) else {
            return Ok(());
        };
        if self.hook.is_some() {
            return Err(super::connect::explain(session, &here, &request, error));
        }
        let own = session.request(&here, &GetNodeInfo)?.label();
        let label = list.node.label();
        tell!("ng: `{label}` gives no hook `{hook}`; what it sends to `{own}` is shown, and nothing else");
        Ok(())
    }

    fn listen<T: Transport>(&self, session: &mut Session<T>) -> Result<()> {
        let deadline = self
            .timeout
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut came = 0;
        while self.count.is_none_or(|count| came < count) {
            let Some(incoming) = session.socket.receive(deadline)? else {
                return self.late(came);
            };
            came += 1;
            self.show(session, &incoming)?;
        }
        Ok(())
    }

    fn late(&self, came: u64) -> Result<()> {
        match (self.count, self.timeout) {
            (Some(count), Some(seconds)) => Err(Failure::Late(format!(
                "{came} of {count} messages came from `{}` in {seconds} s",
                self.path
            ))),
            _ => Ok(()),
        }
    }

    fn show<T: Transport>(&self, session: &mut Session<T>, incoming: &Incoming) -> Result<()> {
        let now = clock::now();
        let message = &incoming.message;
        let words = self.words(session, incoming);
        let line = Line {
            time: clock::seconds(now),
            from: label(session, &incoming.from),
            reply: message.is_reply(),
            message: words.as_ref().map(|(name, _)| name.clone()),
            cookie: message.cookie,
            command: message.command,
            token: message.token,
            data: words.is_none().then(|| dump::hex(&message.data)),
            arguments: words.map(|(_, arguments)| arguments),
        };
        session.print(&line, |out| {
            let kind = if line.reply { "response" } else { "message" };
            let name = line.message.as_deref().unwrap_or("unknown");
            let (time, from) = (clock::time_of_day(now), &line.from);
            let numbers = format!("cookie {}, command {}, token {}", line.cookie, line.command, line.token);
            write!(out, "{time} {from} {kind} \"{name}\" ({numbers})")?;
            match &line.arguments {
                Some(arguments) => writeln!(out, " {arguments}"),
                None => write!(out, "\n{}", dump::lines(&message.data)),
            }
        })
    }

    /// The message's name and arguments: by the node that sent it, or else by the one that is traced.
    fn words<T: Transport>(&self, session: &mut Session<T>, incoming: &Incoming) -> Option<(String, String)> {
        let message = &incoming.message;
        let mut words = [&incoming.from, &self.path].into_iter().filter_map(|at| {
            let words = session.socket.to_ascii(at, message).ok();
            words.filter(|(name, _)| !name.is_empty())
        });
        words.next().or_else(|| flow(message))
    }
}

/// Messages about links and queues.
fn flow(message: &Message) -> Option<(String, String)> {
    let known = FLOW.into_iter().find(|(command, _)| *command == message.command);
    let (_, name) = known.filter(|_| message.cookie == FLOW_COOKIE && message.data.is_empty())?;
    Some((name.to_owned(), String::new()))
}

/// What the sender is called.
fn label<T: Transport>(session: &mut Session<T>, from: &Address) -> String {
    let info = session.socket.request(from, &GetNodeInfo);
    info.map_or_else(|_| from.to_string(), |info| info.label())
}
