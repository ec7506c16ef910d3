//! Generated graphs: applied, dumped, planned again, edited.

use graphs::{Edit, Sketch, edits, runner, sketches};

use super::{Machine, links, parsed};

/// How many graphs are tried, unless `PROPTEST_CASES` says otherwise.
const GRAPHS: u32 = 200;

/// Applied, dumped and read again, there is nothing to change; edited, there is exactly what is declared.
#[test]
fn what_is_declared_is_what_there_is() {
    let machine = Machine::start();
    let sketches = (sketches(300, 600), edits());
    let check = |(sketch, edit): (Sketch, Edit)| {
        let text = sketch.yaml();
        machine.apply(&text).unwrap();
        machine.assert_is(&text);
        assert_eq!(machine.changes(&text), 0, "{text}");
        let dumped = machine.dump();
        let again = dumped.to_yaml();
        assert_eq!(links(&dumped).len(), parsed(&again).edges().len());
        assert_eq!(machine.changes(&again), 0, "{again}");
        let edited = edit.of(&sketch).yaml();
        machine
            .apply(&edited)
            .unwrap_or_else(|failure| panic!("{text}\n{edited}\n{failure}"));
        machine.assert_is(&edited);
        assert_eq!(machine.changes(&edited), 0, "{edited}");
        Ok(())
    };
    runner(GRAPHS).run(&sketches, check).unwrap();
    machine.apply("version: 1\n").unwrap();
    machine.assert_is("version: 1\n");
}
