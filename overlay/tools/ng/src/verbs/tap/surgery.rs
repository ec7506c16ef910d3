//! Putting a tee into an edge, and taking it out again.
//!
//! A link cannot be lengthened: it is broken and made anew, through the tee. Frames that come between these messages are
//! lost. The tee is ready before, and nodes that would go with their last hook are held meanwhile. Out again it comes
//! without a break: a tee that is shut down connects its neighbours with each other (ng_tee(4)).
//!
//! Whoever does this bears a name that only one node can have, so that taps on one edge do not come into each other's way.

use std::thread;
use std::time::{Duration, Instant};

use netgraph::{
    Address, Connect, Errno, GetNodeInfo, HookName, ListHooks, MakePeer, Name, NodeInfo, NodeName, RemoveHook,
    Shutdown, Transport,
};

use super::edge::{Edge, End, is_whole, peer, without_taps};
use super::hold::{hold, spares};
use super::names;
use crate::explain;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// How long others are waited for who insert or remove a tap.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the kernel may take to be done with a hook that was removed.
const SETTLING: Duration = Duration::from_secs(2);

/// How long is waited before something is tried again.
const PAUSE: Duration = Duration::from_millis(2);

/// By this hook ng's own node holds the new tee.
const HANDLE: &str = "tap";

/// What became of a tap that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is out, and its neighbours are connected with each other.
    Healed,
    /// Somebody else had removed it.
    Gone,
    /// A neighbour had gone; now it has gone too.
    Apart,
}

/// Does something while no other tap is inserted or removed.
pub fn alone<T: Transport, R>(session: &mut Session<T>, work: impl FnOnce(&mut Session<T>) -> Result<R>) -> Result<R> {
    let here = Address::here();
    let own = session.socket.request(&here, &GetNodeInfo)?.name;
    let lock = names::lock()?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match session.socket.request(&here, &Name(lock.clone())) {
            Err(error) if error.errno() == Some(Errno::EADDRINUSE) && Instant::now() < deadline => thread::sleep(PAUSE),
            other => break other?,
        }
    }
    let result = work(session);
    let own = own.unwrap_or_else(|| format!("ng{}", std::process::id()));
    let name = own.parse().map_err(netgraph::Error::from)?;
    session.socket.request(&here, &Name(name))?;
    result
}

/// Puts a tee of that name into the edge: its left hook to the near end, its right hook to the far end. To be done
/// [`alone`]. When it fails, the edge is as before, or the failure says so.
pub fn insert<T: Transport>(session: &mut Session<T>, edge: &Edge, name: &NodeName, force: bool) -> Result<NodeInfo> {
    let spares = spares(session, edge, force)?;
    let mut held = Vec::new();
    let result = hold(session, &spares, &mut held).and_then(|()| {
        let tee = make_tee(session, name)?;
        splice(session, edge, &tee).map(|()| tee)
    });
    held.push(handle()?);
    for hook in held {
        // One that is gone already need not be removed.
        let _ = session.socket.request(&Address::here(), &RemoveHook(hook));
    }
    result
}

fn handle() -> Result<HookName> {
    Ok(HANDLE.parse().map_err(netgraph::Error::from)?)
}

/// Makes the tee, connected to the own node.
fn make_tee<T: Transport>(session: &mut Session<T>, name: &NodeName) -> Result<NodeInfo> {
    let request = MakePeer {
        type_name: "tee".parse().map_err(netgraph::Error::from)?,
        hook: handle()?,
        peer_hook: "right2left".parse().map_err(netgraph::Error::from)?,
    };
    session.request(&Address::here(), &request)?;
    let tee = HANDLE.parse::<Address>().map_err(netgraph::Error::from)?;
    session.request(&tee, &Name(name.clone()))?;
    session.request(&tee, &GetNodeInfo)
}

/// Breaks the edge and makes it anew through the tee.
fn splice<T: Transport>(session: &mut Session<T>, edge: &Edge, tee: &NodeInfo) -> Result<()> {
    let whole = &without_taps(session, edge)?;
    let near = edge.near.node.address();
    let hook = edge.near.hook.clone();
    session.request(&near, &RemoveHook(hook))?;
    let joined = join(session, &tee.address(), "left", &edge.near)
        .and_then(|()| join(session, &tee.address(), "right", &edge.far))
        .and_then(|()| check(session, whole));
    joined.map_err(|failure| restore(session, (edge, whole), &tee.address(), failure))
}

/// Connects a hook of the node at the address with an end; while the end's old hook is still there, tries again.
fn join<T: Transport>(session: &mut Session<T>, at: &Address, hook: &str, end: &End) -> Result<()> {
    let request = Connect {
        peer: end.node.address(),
        hook: hook.parse().map_err(netgraph::Error::from)?,
        peer_hook: end.hook.clone(),
    };
    let deadline = Instant::now() + SETTLING;
    loop {
        match session.socket.request(at, &request) {
            Err(error) if error.errno() == Some(Errno::EEXIST) && Instant::now() < deadline => thread::sleep(PAUSE),
            other => return other.map_err(|error| explain::refusal(&mut session.socket, error)),
        }
    }
}

/// Waits until the edge is whole. (The last step of a connection may come after the answer.)
fn check<T: Transport>(session: &mut Session<T>, edge: &Edge) -> Result<()> {
    let deadline = Instant::now() + SETTLING;
    while !is_whole(session, edge)? {
        if Instant::now() > deadline {
            return Err(Failure::Refused(format!("`{}` is not connected", edge.label())));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// Takes an unfinished tap out, if there is one, and makes the edge as it was, which is `whole` without the taps in it.
/// Gives the failure back, with what became of the edge. To be done [`alone`].
pub fn restore<T: Transport>(
    session: &mut Session<T>,
    (edge, whole): (&Edge, &Edge),
    tee: &Address,
    failure: Failure,
) -> Failure {
    // It goes anyway when it has lost its hooks.
    let _ = session.socket.request(tee, &Shutdown);
    let restored = match is_whole(session, whole) {
        Ok(true) => Ok(()),
        _ => join(session, &edge.near.node.address(), edge.near.hook.as_str(), &edge.far),
    };
    let state = match restored.and_then(|()| check(session, whole)) {
        Ok(()) => format!("`{}` is as before", edge.label()),
        Err(error) => format!("`{}` is broken, and could not be made anew: {error}", edge.label()),
    };
    Failure::Refused(format!("could not tap: {failure}\n  {state}"))
}

/// Takes the tee out. To be done [`alone`]. `edge`: the one that is there then, but for taps.
pub fn remove<T: Transport>(session: &mut Session<T>, tee: &NodeInfo, edge: &Edge) -> Result<Removal> {
    let at = tee.address();
    let list = match session.socket.request(&at, &ListHooks) {
        Err(error) if error.errno() == Some(Errno::ENOENT) => return Ok(Removal::Gone),
        other => other?,
    };
    if list.node.type_name != tee.type_name || list.node.name != tee.name {
        return Ok(Removal::Gone);
    }
    match session.socket.request(&at, &Shutdown) {
        Err(error) if error.errno() == Some(Errno::ENOENT) => return Ok(Removal::Gone),
        other => other?,
    }
    if peer(&list, "left")?.is_none() || peer(&list, "right")?.is_none() {
        return Ok(Removal::Apart);
    }
    // A neighbour that goes at this moment takes the edge with it.
    match check(session, edge) {
        Err(Failure::Netgraph { error, .. }) if error.errno() == Some(Errno::ENOENT) => Ok(Removal::Apart),
        other => other.map(|()| Removal::Healed),
    }
}
