//! Lock order, by class as WITNESS does: taking two classes one way round and later the other way round may deadlock,
//! whether or not it did.

use std::collections::{BTreeMap, BTreeSet};

use super::class_name;
use super::held::{Held, Place};
use super::word::Word;

/// Which class was held while which other was taken, and where.
#[derive(Default)]
pub(super) struct Order(BTreeMap<String, BTreeMap<String, String>>);

impl Order {
    /// Records that a mutex is taken with others held; says what is wrong if there is an order against it.
    pub(super) fn take(&mut self, held: &[Held], word: &Word, place: Place) -> Result<(), String> {
        let class = class_name(word.name_pointer(), word.kind());
        for held in held {
            if held.class == class {
                check_duplicate(held, word, place)?;
            } else {
                self.record(held, &class, place)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, held: &Held, class: &str, place: Place) -> Result<(), String> {
        if self.0.get(&held.class).is_some_and(|then| then.contains_key(class)) {
            return Ok(());
        }
        if let Some(before) = self.path(class, &held.class, &mut BTreeSet::new()) {
            return Err(format!(
                "lock order reversal: {class} is taken at {place} with {} held, taken at {}, but before: {before}",
                held.class,
                held.place()
            ));
        }
        let both = format!("{class} at {place} with {} held, taken at {}", held.class, held.place());
        self.0
            .entry(held.class.clone())
            .or_default()
            .insert(class.to_owned(), both);
        Ok(())
    }

    /// How `to` came to be taken after `from`, by way of other classes or directly.
    fn path<'a>(&'a self, from: &'a str, to: &str, seen: &mut BTreeSet<&'a str>) -> Option<String> {
        let then = self.0.get(from)?;
        if let Some(how) = then.get(to) {
            return Some(how.clone());
        }
        then.iter().find_map(|(next, how)| {
            let rest = if seen.insert(next) {
                self.path(next, to, seen)
            } else {
                None
            };
            Some(format!("{how}; {}", rest?))
        })
    }
}

fn check_duplicate(held: &Held, word: &Word, place: Place) -> Result<(), String> {
    if word.allows_duplicates() {
        return Ok(());
    }
    Err(format!(
        "two mutexes of one class: {} is taken at {place} with {} held, taken at {}",
        word.name(),
        held.name,
        held.place()
    ))
}
