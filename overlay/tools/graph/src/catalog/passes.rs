//! Which way frames take through a node.

/// Between which hooks a node passes frames on, so that they could go round in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Between none, or wrapped up or unwrapped: no frame can go round through it for ever.
    Nothing,
    /// From each to all others.
    All,
    /// From each back to itself.
    Back,
    /// Between the hooks of each of these pairs, both ways.
    Pairs(&'static [(&'static str, &'static str)]),
    /// From the first to the second hook of each of these pairs.
    Ways(&'static [(&'static str, &'static str)]),
    /// Between this hook and each other one.
    Star(&'static str),
    /// Between two hooks with these words and the same number.
    Numbered(&'static str, &'static str),
}

impl Passes {
    /// Whether a frame that comes in by one hook can leave by the other.
    #[must_use]
    pub fn leads(&self, from: &str, to: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => from != to,
            Self::Back => from == to,
            Self::Pairs(pairs) => pairs.contains(&(from, to)) || pairs.contains(&(to, from)),
            Self::Ways(ways) => ways.contains(&(from, to)),
            Self::Star(centre) => from != to && (from == *centre || to == *centre),
            Self::Numbered(left, right) => {
                let fits = |a: &str, b: &str| {
                    a.strip_prefix(left)
                        .is_some_and(|number| b.strip_prefix(right) == Some(number))
                };
                fits(from, to) || fits(to, from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_take_the_ways_of_the_manual() {
        let tee = Passes::Ways(&[("left", "right"), ("left", "left2right")]);
        let rows = [
            (Passes::Nothing, "a", "b", false),
            (Passes::All, "link0", "link1", true),
            (Passes::All, "link0", "link0", false),
            (Passes::Back, "a", "a", true),
            (Passes::Back, "a", "b", false),
            (Passes::Pairs(&[("in", "out")]), "out", "in", true),
            (tee, "left", "left2right", true),
            (tee, "left2right", "left", false),
            (Passes::Star("one"), "many1", "one", true),
            (Passes::Star("one"), "many1", "many2", false),
            (Passes::Numbered("iface", "out"), "out3", "iface3", true),
            (Passes::Numbered("iface", "out"), "iface3", "out4", false),
        ];
        for (passes, from, to, expected) in rows {
            assert_eq!(passes.leads(from, to), expected, "{passes:?} {from} {to}");
        }
    }
}
