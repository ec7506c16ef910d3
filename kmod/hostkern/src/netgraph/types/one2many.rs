//! `one2many`: deals what comes in by `one` out to `many0`, `many1`, … in turn; what comes in by those goes to `one`.

use core::ffi::CStr;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::netgraph::errors::{EINVAL, ENOENT, Result};
use crate::netgraph::hook::HookRef;
use crate::netgraph::item::Item;
use crate::netgraph::native::{NodeType, forward, hook, hooks};
use crate::netgraph::node::NodeRef;

/// `NG_ONE2MANY_MAX_LINKS`
const MAX_LINKS: u32 = 64;

#[derive(Default)]
pub(crate) struct OneToMany {
    /// Packets dealt out so far.
    dealt: AtomicUsize,
}

/// The number of a `many` hook.
fn link(name: &[u8]) -> Option<u32> {
    let number = core::str::from_utf8(name.strip_prefix(b"many")?).ok()?;
    let value = number.parse().ok().filter(|value: &u32| value.to_string() == number)?;
    (value < MAX_LINKS).then_some(value)
}

impl NodeType for OneToMany {
    const NAME: &'static CStr = c"one2many";

    fn new_hook(&self, name: &[u8]) -> Result {
        if name == b"one" || link(name).is_some() {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    fn receive(&self, node: &NodeRef, from: &HookRef, item: Item) -> Result {
        if from.name() != b"one" {
            return forward(item, &hook(node, c"one").ok_or(ENOENT)?);
        }
        let mut links = hooks(node);
        links.retain(|hook| link(&hook.name()).is_some());
        links.sort_by_key(|hook| link(&hook.name()));
        let turn = self.dealt.fetch_add(1, Ordering::Relaxed).checked_rem(links.len());
        forward(item, &links[turn.ok_or(ENOENT)?])
    }
}
