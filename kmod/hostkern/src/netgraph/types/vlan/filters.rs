//! Which VLAN belongs to which hook of a `vlan` node.

use std::collections::BTreeMap;

use super::super::arguments::{hook_field, string};
use crate::netgraph::errors::{EEXIST, EINVAL, ENOENT, Result};

/// The bytes of a hook's name in a message.
const NAME: usize = 32;
/// `EVL_VLID_MASK`: the highest identifier of a VLAN.
const HIGHEST: u16 = 0xfff;

/// `struct ng_vlan_filter`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) hook: Vec<u8>,
    vid: u16,
    /// Priority code point.
    pcp: u8,
    /// Canonical format indicator.
    cfi: u8,
}

impl Filter {
    /// Reads a filter. The field `vlan` is an older name of `vid`.
    pub(super) fn read(arguments: &[u8]) -> Result<Self> {
        let (name, rest) = arguments.split_at_checked(NAME).ok_or(EINVAL)?;
        let &[vlan_low, vlan_high, vid_low, vid_high, pcp, cfi] = rest else {
            return Err(EINVAL);
        };
        let vlan = u16::from_ne_bytes([vlan_low, vlan_high]);
        let vid = match u16::from_ne_bytes([vid_low, vid_high]) {
            0 => vlan,
            vid if vlan != 0 && vlan != vid => return Err(EINVAL),
            vid => vid,
        };
        if vid > HIGHEST || pcp > 7 || cfi > 1 {
            return Err(EINVAL);
        }
        let hook = string(name).to_vec();
        Ok(Self { hook, vid, pcp, cfi })
    }

    fn write(&self) -> Vec<u8> {
        let vid = self.vid.to_ne_bytes();
        [&hook_field(&self.hook)[..], &vid, &vid, &[self.pcp, self.cfi]].concat()
    }

    /// The tag of its frames: priority, indicator and identifier.
    pub(super) fn tag(&self) -> [u8; 2] {
        let tag = u16::from(self.pcp) << 13 | u16::from(self.cfi) << 12 | self.vid;
        tag.to_be_bytes()
    }
}

/// The filters, by VLAN identifier.
#[derive(Debug, Default)]
pub(super) struct Filters(BTreeMap<u16, Filter>);

impl Filters {
    /// Adds a filter for a hook that has none yet, and a VLAN that has none yet.
    pub(super) fn add(&mut self, filter: Filter) -> Result {
        if self.of_hook(&filter.hook).is_some() || self.0.contains_key(&filter.vid) {
            return Err(EEXIST);
        }
        self.0.insert(filter.vid, filter);
        Ok(())
    }

    pub(super) fn of_hook(&self, hook: &[u8]) -> Option<&Filter> {
        self.0.values().find(|filter| filter.hook == hook)
    }

    /// The filter for frames with this tag.
    pub(super) fn of_tag(&self, tag: [u8; 2]) -> Option<&Filter> {
        self.0.get(&(u16::from_be_bytes(tag) & HIGHEST))
    }

    pub(super) fn remove_hook(&mut self, hook: &[u8]) -> Result {
        let vid = self.of_hook(hook).ok_or(ENOENT)?.vid;
        self.remove(vid)
    }

    pub(super) fn remove(&mut self, vid: u16) -> Result {
        if vid > HIGHEST {
            return Err(EINVAL);
        }
        self.0.remove(&vid).map(|_| ()).ok_or(ENOENT)
    }

    /// `struct ng_vlan_table`
    pub(super) fn table(&self) -> Vec<u8> {
        let count = u32::try_from(self.0.len()).unwrap_or(0).to_ne_bytes();
        count
            .into_iter()
            .chain(self.0.values().flat_map(Filter::write))
            .collect()
    }
}
