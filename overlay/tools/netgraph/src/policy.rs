//! Which hooks a socket node accepts.

use std::num::NonZeroU32;

use thiserror::Error;

use crate::names::HookName;
use crate::wire::{Malformed, Reader, padded};

/// How many names a [`HookPolicy`] has room for.
pub const MAX_POLICY_NAMES: usize = 16;

/// Size of a name field with its terminating zero (`NG_HOOKSIZ`).
const NAME: usize = 32;

/// Which names new hooks of a socket node may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Accept {
    /// Any: what a node begins with.
    #[default]
    All,
    /// None at all.
    Nothing,
    /// One of these.
    Listed(Vec<HookName>),
    /// Those that begin with one of these.
    Prefixed(Vec<HookName>),
}

/// There are more names than [`MAX_POLICY_NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a hook policy has room for {MAX_POLICY_NAMES} names, not for {0}")]
pub struct TooManyNames(pub usize);

/// Which hooks a socket node accepts; the default is all of them.
///
/// A refused hook is EPERM for whoever wanted to connect it. Set with [`SetHookPolicy`](crate::SetHookPolicy), asked for
/// with [`GetHookPolicy`](crate::GetHookPolicy); FreeBSD's own module has none (kmod/ng_socket/src/messages.rs).
///
/// ```
/// use netgraph::{Accept, HookPolicy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = HookPolicy::new(Accept::Listed(vec!["lan".parse()?, "wan".parse()?]))?.with_limit(2);
/// assert_eq!(policy.limit(), Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookPolicy {
    accept: Accept,
    limit: Option<NonZeroU32>,
}

impl HookPolicy {
    /// Accepts hooks by their names, and any number of them.
    ///
    /// # Errors
    /// There are more than 16 names.
    pub fn new(accept: Accept) -> Result<Self, TooManyNames> {
        match &accept {
            Accept::Listed(names) | Accept::Prefixed(names) if names.len() > MAX_POLICY_NAMES => {
                Err(TooManyNames(names.len()))
            }
            _ => Ok(Self { accept, limit: None }),
        }
    }

    /// The same with a limit: the most hooks that the node may have at a time. 0 is no limit.
    #[must_use]
    pub fn with_limit(self, hooks: u32) -> Self {
        Self {
            limit: NonZeroU32::new(hooks),
            ..self
        }
    }

    /// Which names are accepted.
    #[must_use]
    pub fn accept(&self) -> &Accept {
        &self.accept
    }

    /// The most hooks that the node may have at a time; None is no limit.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        self.limit.map(NonZeroU32::get)
    }

    /// The arguments of `hookpolicy`: two numbers and 16 names, 520 bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (number, names): (u32, &[HookName]) = match &self.accept {
            Accept::All => (0, &[]),
            Accept::Nothing => (1, &[]),
            Accept::Listed(names) => (2, names),
            Accept::Prefixed(names) => (3, names),
        };
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.extend(self.limit().unwrap_or(0).to_le_bytes());
        bytes.extend(names.iter().flat_map(|name| padded::<NAME>(name.as_str())));
        bytes.resize(8 + MAX_POLICY_NAMES * NAME, 0);
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new("a hook policy", bytes);
        let (number, limit) = (reader.u32_le()?, NonZeroU32::new(reader.u32_le()?));
        let names = (0..MAX_POLICY_NAMES)
            .map(|_| reader.text::<NAME>())
            .collect::<Result<Vec<_>, _>>()?;
        let names = names.iter().filter(|name| !name.is_empty()).map(|name| name.parse());
        let accept = match number {
            0 => Accept::All,
            1 => Accept::Nothing,
            2 => Accept::Listed(names.collect::<Result<_, _>>()?),
            3 => Accept::Prefixed(names.collect::<Result<_, _>>()?),
            value => {
                let what = "hook policy";
                return Err(Malformed::Value { what, value });
            }
        };
        Ok(Self { accept, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<HookName> {
        vec!["lan".parse().unwrap(); count]
    }

    #[test]
    fn what_was_written_is_read() {
        let rows = [
            Accept::All,
            Accept::Nothing,
            Accept::Listed(names(16)),
            Accept::Prefixed(names(1)),
        ];
        for accept in rows {
            let policy = HookPolicy::new(accept).unwrap().with_limit(3);
            let bytes = policy.to_bytes();
            assert_eq!(bytes.len(), 520);
            assert_eq!(HookPolicy::read(&bytes), Ok(policy));
        }
    }

    #[test]
    fn more_names_than_there_is_room_for_are_refused() {
        assert_eq!(HookPolicy::new(Accept::Listed(names(17))), Err(TooManyNames(17)));
    }

    #[test]
    fn an_unknown_policy_is_malformed() {
        let mut bytes = HookPolicy::default().to_bytes();
        bytes[0] = 4;
        assert!(matches!(
            HookPolicy::read(&bytes),
            Err(Malformed::Value { value: 4, .. })
        ));
        assert!(HookPolicy::read(&bytes[..519]).is_err());
    }
}
