//! The commands of `NGM_SOCKET_COOKIE`, which a socket node obeys whoever sends them.

use core::sync::atomic::Ordering;

use kpi::memory::{KBox, Wait};
use kpi::netgraph::Incoming;
use kpi::raw::ng_socket::{NGM_SOCK_CMD_LINGER, NGM_SOCK_CMD_NOLINGER};
use kpi::{Errno, Result};

use crate::messages::{Event, Policy, Statistics, command, number};
use crate::node::{Linger, SocketNode, State};

impl SocketNode {
    /// Obeys a command.
    ///
    /// # Errors
    /// `EINVAL`: there is no such command, or its arguments make no sense. `ENOMEM`.
    pub(crate) fn command(&self, message: Incoming) -> Result {
        let arguments = message.message().arguments();
        match message.message().header().cmd {
            NGM_SOCK_CMD_NOLINGER => self.state().linger = Linger::Leave,
            NGM_SOCK_CMD_LINGER => self.state().linger = Linger::Stay,
            command::SET_EVENTS => self.set_events(arguments)?,
            command::GET_EVENTS => {
                let mask = self.state().events.mask();
                return message.respond(&mask.to_le_bytes());
            }
            command::SET_HOOK_POLICY => self.set_policy(arguments)?,
            command::GET_HOOK_POLICY => {
                let policy = self
                    .state()
                    .policy
                    .as_deref()
                    .map_or_else(|| Policy::OPEN.write(), Policy::write);
                return message.respond(policy.as_bytes());
            }
            command::GET_STATS => {
                let statistics = self.statistics(&self.state());
                return message.respond(statistics.write().as_bytes());
            }
            command::CLR_STATS => self.clear(&mut self.state()),
            command::GETCLR_STATS => return self.get_and_clear(message),
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    fn set_events(&self, arguments: &[u8]) -> Result {
        let mask = number(arguments, 0)?;
        if arguments.len() != 4 || mask & !Event::ALL != 0 {
            return Err(Errno::EINVAL);
        }
        self.want_events(&mut self.state(), mask);
        Ok(())
    }

    fn set_policy(&self, arguments: &[u8]) -> Result {
        let policy = KBox::new(Policy::read(arguments)?, Wait::Never)?;
        let old = self.state().policy.replace(policy);
        // Without the mutex.
        drop(old);
        Ok(())
    }

    fn get_and_clear(&self, message: Incoming) -> Result {
        let statistics = {
            let mut state = self.state();
            let statistics = self.statistics(&state);
            self.clear(&mut state);
            statistics
        };
        message.respond(statistics.write().as_bytes())
    }

    fn statistics(&self, state: &State) -> Statistics {
        let data_out = self.data_out.load(Ordering::Relaxed);
        Statistics {
            data_out: data_out.wrapping_sub(state.data_out_before),
            ..state.statistics
        }
    }

    fn clear(&self, state: &mut State) {
        state.statistics = Statistics::default();
        // Senders count without the mutex: the counter itself only grows.
        state.data_out_before = self.data_out.load(Ordering::Relaxed);
    }
}
