//! What is measured.

use std::rc::Rc;
use std::str::FromStr;

use crate::errno::Errno;
use crate::graph::{Node, address, question};
use crate::system::{Protocol, System};

/// From one hook to the next one that is sent to: coprime to their number, so that none comes twice before all have come.
const STRIDE: usize = 7919;
/// Room for an answer of `NGM_NODEINFO`.
const LONGEST_ANSWER: usize = 4096;

/// One operation; what it needs is set up.
pub type Operation = Box<dyn FnMut() -> Result<(), Errno>>;

/// How a packet's hook is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By the name in the address.
    Name,
    /// It is the only one: there is no address.
    OnlyHook,
}

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Sending a packet of this many bytes through a hook, and receiving it from another node's data socket.
    Packet(usize, Route),
    /// Asking the own node about itself by a control message, and receiving its answer.
    Message,
    /// Opening a control socket and closing it.
    Open,
    /// Sending 64 bytes to one of so many hooks by name; every time another one. What is sent is thrown away.
    Hooks(usize),
}

impl FromStr for Case {
    type Err = String;

    /// `packet-64-name`, `packet-1500-only`, `message`, `open`, `hooks-1000`
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("there is no case {text}");
        let number = |digits: &str| digits.parse().map_err(|_| unknown());
        match text.split('-').collect::<Vec<_>>()[..] {
            ["packet", size, "name"] => Ok(Self::Packet(number(size)?, Route::Name)),
            ["packet", size, "only"] => Ok(Self::Packet(number(size)?, Route::OnlyHook)),
            ["message"] => Ok(Self::Message),
            ["open"] => Ok(Self::Open),
            ["hooks", count] => Ok(Self::Hooks(number(count)?)),
            _ => Err(unknown()),
        }
    }
}

impl Case {
    /// Sets up what the operation needs.
    pub fn prepare(self, system: &Rc<dyn System>) -> Result<Operation, Errno> {
        match self {
            Self::Packet(size, route) => packet(&**system, size, route),
            Self::Message => message(&**system),
            Self::Open => Ok(open(Rc::clone(system))),
            Self::Hooks(count) => hooks(&**system, count),
        }
    }
}

fn packet(system: &dyn System, size: usize, route: Route) -> Result<Operation, Errno> {
    let (left, right) = (Node::new(system, "left")?, Node::new(system, "right")?);
    left.connect("right:", "x", "y")?;
    let to = match route {
        Route::Name => Some(address("x")),
        Route::OnlyHook => None,
    };
    let packet = vec![0x5a; size];
    let mut buffer = vec![0; size];
    Ok(Box::new(move || {
        left.send(&packet, to.as_deref())?;
        right.receive(&mut buffer).map(drop)
    }))
}

fn message(system: &dyn System) -> Result<Operation, Errno> {
    let socket = system.socket(Protocol::Control)?;
    let (question, to) = (question(), address("."));
    let mut buffer = vec![0; LONGEST_ANSWER];
    Ok(Box::new(move || {
        socket.send(&question, Some(&to))?;
        socket.receive(&mut buffer).map(drop)
    }))
}

fn open(system: Rc<dyn System>) -> Operation {
    Box::new(move || system.socket(Protocol::Control).map(drop))
}

fn hooks(system: &dyn System, count: usize) -> Result<Operation, Errno> {
    let node = Node::new(system, "left")?;
    let names: Vec<String> = (0..count).map(|number| format!("hook{number}")).collect();
    for name in &names {
        node.connect_hole(name)?;
    }
    let addresses: Vec<Vec<u8>> = names.iter().map(|name| address(name)).collect();
    let packet = [0x5a; 64];
    let mut next = 0;
    Ok(Box::new(move || {
        next = (next + STRIDE) % addresses.len();
        node.send(&packet, Some(&addresses[next]))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_have_names() {
        assert_eq!("packet-64-name".parse(), Ok(Case::Packet(64, Route::Name)));
        assert_eq!("packet-1500-only".parse(), Ok(Case::Packet(1500, Route::OnlyHook)));
        assert_eq!("message".parse(), Ok(Case::Message));
        assert_eq!("open".parse(), Ok(Case::Open));
        assert_eq!("hooks-1000".parse(), Ok(Case::Hooks(1000)));
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "packet-64", "packet-x-name", "hooks-", "open-1"] {
            assert_eq!(name.parse::<Case>(), Err(format!("there is no case {name}")));
        }
    }
}
