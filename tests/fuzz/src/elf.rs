//! Programs, scripts and kernel modules, as an image build reads them: no input may make it fail, or tell of more than is in it.

use ngforge_image::elf::{Facts, facts};

/// More than any input can name: each name takes a table entry of 16 bytes.
const MOST_NAMES: usize = 1_000;
/// The longest name there is.
const LONGEST_NAME: usize = 4_096;

/// Reads one file.
pub fn execute(data: &[u8]) {
    let Some(facts) = facts(data) else { return };
    let names = match facts {
        Facts::Program(needs) => [needs.libraries, needs.search].concat(),
        Facts::Kld(kld) => [kld.provides, kld.depends].concat(),
        Facts::Script(interpreter) => {
            assert!(interpreter.starts_with('/'), "{interpreter}");
            vec![interpreter]
        }
    };
    assert!(names.len() <= 2 * MOST_NAMES, "{} names", names.len());
    for name in names {
        // What is no text takes up to three bytes each as text.
        assert!(name.len() <= 3 * LONGEST_NAME, "a name of {} bytes", name.len());
    }
}
