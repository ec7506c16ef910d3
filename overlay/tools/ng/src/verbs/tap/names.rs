//! What the nodes of taps are called.

use netgraph::NodeName;

use crate::failure::Result;

/// What the name of a tap's tee starts with.
const TEE: &str = "ngtap";

/// What the name of the node of a guardian starts with.
const GUARDIAN: &str = "ngtapd";

/// Who has this name is the only one who inserts or removes taps meanwhile.
const LOCK: &str = "ngtap-lock";

/// The name of the tee that a guardian with that process number inserts.
pub fn tee(process: u32) -> Result<NodeName> {
    name(format!("{TEE}{process}"))
}

/// The name of its own node.
pub fn guardian(process: u32) -> Result<NodeName> {
    name(format!("{GUARDIAN}{process}"))
}

/// The name of whoever inserts or removes a tap.
pub fn lock() -> Result<NodeName> {
    name(LOCK.to_owned())
}

fn name(text: String) -> Result<NodeName> {
    Ok(text.parse().map_err(netgraph::Error::from)?)
}

/// Whether a node of that name, if it is a tee, was inserted by `ng tap`.
///
/// Such a tee is no part of the graph as it is meant to be: what is on its left and on its right belongs together.
#[must_use]
pub fn is_tap_name(name: &str) -> bool {
    process(name).is_some()
}

/// The process number in the name of a tap's tee.
pub fn process(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(TEE)?;
    let number: u32 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tees_of_taps_are_called_so() {
        assert!(is_tap_name(tee(4711).unwrap().as_str()));
        for other in [
            "ngtap",
            "ngtap01",
            "ngtap+1",
            "ngtap1x",
            "tap0",
            "ngtapd12",
            "ngtap-lock",
            "ng12",
        ] {
            assert!(!is_tap_name(other), "{other}");
        }
    }
}
