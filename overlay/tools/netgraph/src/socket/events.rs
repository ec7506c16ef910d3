//! The events of the own node, one after the other.

use std::fmt;
use std::time::Instant;

use super::{Incoming, Socket};
use crate::address::Address;
use crate::error::{Error, Operation, Result};
use crate::events::{Event, EventMask};
use crate::request::{GetNodeInfo, SetEvents};
use crate::transport::Transport;

/// An event and its place in the sequence of all events of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub event: Event,
    /// How many events there have been up to this one, those that were lost included; it begins anew after 2^32.
    pub number: u32,
    /// How many events between the one before and this one are missing without an [`Event::Overflow`] that tells of them,
    /// as when somebody else has read them.
    pub missing: u32,
}

/// The events of a socket's own node, as they come: [`Socket::events`].
///
/// As an [`Iterator`] it waits for ever for the next event, and ends after the first error, which for a node that has been
/// shut down is ENOTCONN. [`next_before`](Self::next_before) waits for a limited time, [`try_next`](Self::try_next) not at
/// all. What comes besides events is kept for [`Socket::receive`].
///
/// When it is dropped, the node is asked to tell no more; events that are still in the queue are given by
/// [`Socket::receive`] as the messages that they are.
pub struct EventStream<'a, T: Transport> {
    socket: &'a mut Socket<T>,
    own: Address,
    /// The number of the last event.
    last: Option<u32>,
    is_over: bool,
}

impl<T: Transport> fmt::Debug for EventStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("EventStream");
        fields.field("own", &self.own).field("last", &self.last);
        fields.finish_non_exhaustive()
    }
}

impl<T: Transport> Socket<T> {
    /// Has the own node tell these events from now on, and reads them.
    ///
    /// # Errors
    /// EINVAL: the kernel's module ng_socket has no events, as FreeBSD's own has none.
    pub fn events(&mut self, mask: EventMask) -> Result<EventStream<'_, T>> {
        let own = self.request(&Address::here(), &GetNodeInfo)?.address();
        self.request(&Address::here(), &SetEvents(mask))?;
        Ok(EventStream {
            socket: self,
            own,
            last: None,
            is_over: false,
        })
    }
}

impl<T: Transport> EventStream<'_, T> {
    /// The next event; None when none comes before the deadline. Without a deadline it waits for ever.
    ///
    /// # Errors
    /// The own node is gone (ENOTCONN), something was lost (ENOBUFS), or an event cannot be read, as one of a later module
    /// may be. After the latter two it can be called again.
    pub fn next_before(&mut self, deadline: Option<Instant>) -> Result<Option<Told>> {
        let own = &self.own;
        let is_event = |incoming: &Incoming| incoming.from == *own && Event::is_event(&incoming.message);
        let picked = self.socket.pick(Operation::Receive, ".", deadline, is_event)?;
        picked.map(|incoming| self.read(&incoming)).transpose()
    }

    /// The next event, if it is there: it does not wait.
    ///
    /// # Errors
    /// As for [`next_before`](Self::next_before).
    pub fn try_next(&mut self) -> Result<Option<Told>> {
        self.next_before(Some(Instant::now()))
    }

    /// The socket, for requests in between.
    pub fn socket(&mut self) -> &mut Socket<T> {
        self.socket
    }

    fn read(&mut self, incoming: &Incoming) -> Result<Told> {
        let number = incoming.message.token;
        let last = self.last.replace(number);
        let event = Event::read(&incoming.message).map_err(|source| Error::Malformed {
            operation: Operation::Receive,
            path: self.own.to_string(),
            source,
        })?;
        let missing = missing(last, number, &event);
        Ok(Told { event, number, missing })
    }
}

/// How many events between two numbers nobody has told of. [`Event::Overflow`] has the number of the last one that it tells
/// of.
fn missing(last: Option<u32>, number: u32, event: &Event) -> u32 {
    let since = last.map_or(1, |last| number.wrapping_sub(last));
    let told = match event {
        Event::Overflow { missed } => u32::try_from(*missed).unwrap_or(u32::MAX),
        _ => 1,
    };
    if last.is_none() { 0 } else { since.saturating_sub(told) }
}

impl<T: Transport> Iterator for EventStream<'_, T> {
    type Item = Result<Told>;

    fn next(&mut self) -> Option<Result<Told>> {
        if self.is_over {
            return None;
        }
        let next = self.next_before(None).transpose();
        self.is_over = matches!(next, None | Some(Err(_)));
        next
    }
}

impl<T: Transport> Drop for EventStream<'_, T> {
    fn drop(&mut self) {
        // Once the node is gone, this is refused, and nothing is told any more either.
        let stopped = self.socket.request(&Address::here(), &SetEvents(EventMask::NONE));
        drop(stopped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;
    use crate::wire::{Message, SOCKET_COOKIE};

    #[test]
    fn what_others_send_is_no_event() {
        let fake = Fake::default();
        let mut socket = Socket::open_on(fake.clone(), Some(&"ng1".parse().unwrap())).unwrap();
        let forged = Message {
            command: 38,
            flags: 0,
            token: 1,
            cookie: SOCKET_COOKIE,
            name: String::new(),
            data: Vec::new(),
        };
        fake.inject("ng1", &forged);
        let own = socket.request(&Address::here(), &GetNodeInfo).unwrap().address();
        let mut events = EventStream {
            socket: &mut socket,
            own,
            last: None,
            is_over: false,
        };
        assert_eq!(events.try_next(), Ok(None));
        drop(events);
        assert_eq!(socket.try_receive().unwrap().unwrap().message, forged);
    }

    #[test]
    fn gaps_are_counted_unless_they_are_told_of() {
        let plain = Event::ShuttingDown;
        let overflow = Event::Overflow { missed: 3 };
        let rows = [
            (None, 5, &plain, 0),
            (Some(5), 6, &plain, 0),
            (Some(5), 8, &plain, 2),
            (Some(5), 8, &overflow, 0),
            (Some(5), 10, &overflow, 2),
            (Some(u32::MAX), 0, &plain, 0),
        ];
        for (last, number, event, wanted) in rows {
            assert_eq!(missing(last, number, event), wanted, "{last:?} {number} {event}");
        }
    }
}
