//! Applies that are killed before each of their messages: the next one heals what they left. And applies of which each
//! message in turn is refused: they take back what they did.

use graphs::{runner, sketches};
use proptest::strategy::{Strategy, ValueTree};

use super::Machine;

/// Between which graphs it is killed: from nothing, and from one to the other.
fn pairs() -> Vec<(String, String)> {
    let mut runner = runner(1);
    let strategy = sketches(12, 16);
    let mut drawn = || strategy.new_tree(&mut runner).unwrap().current().yaml();
    (0..6).map(|_| (drawn(), drawn())).collect()
}

#[test]
fn an_apply_that_is_killed_anywhere_is_healed_by_the_next() {
    let machine = Machine::start();
    let mut kills = 0;
    for (first, second) in pairs() {
        for step in 0.. {
            machine.apply(&first).unwrap();
            if machine.apply_until(&second, step).is_some() {
                break;
            }
            kills += 1;
            machine
                .apply(&second)
                .unwrap_or_else(|failure| panic!("step {step}: {failure}\n{first}\n{second}"));
            machine.assert_is(&second);
            // Or the other way: whoever thinks better of it.
            machine.apply(&first).unwrap();
            machine.apply_until(&second, step);
            machine
                .apply(&first)
                .unwrap_or_else(|failure| panic!("step {step}: {failure}\n{first}\n{second}"));
            machine.assert_is(&first);
        }
    }
    machine.apply("version: 1\n").unwrap();
    machine.assert_is("version: 1\n");
    assert!(kills > 100, "{kills}");
}

#[test]
fn an_apply_that_is_refused_anything_takes_back_what_it_did() {
    let machine = Machine::start();
    let mut refusals = 0;
    for (first, second) in pairs() {
        machine.apply(&first).unwrap();
        for step in 0.. {
            let Some(result) = machine.apply_without(&second, step) else {
                break;
            };
            refusals += 1;
            let Err(failure) = result else {
                machine.assert_is(&second);
                machine.apply(&first).unwrap();
                continue;
            };
            let said = failure.to_string();
            assert!(
                !said.contains("could not be made what it was"),
                "step {step}: {said}\n{first}\n{second}"
            );
            machine.assert_is(&first);
            assert_eq!(machine.changes(&first), 0, "step {step}: {said}");
        }
    }
    machine.apply("version: 1\n").unwrap();
    assert!(refusals > 100, "{refusals}");
}
