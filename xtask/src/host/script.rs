//! What the scripts have in common.

use std::path::Path;

use super::definition::Definition;

/// The first lines of a script: what it is, and what it needs.
pub fn head(definition: &Definition, needs: &str) -> String {
    format!(
        "#!/bin/sh\n# {}: {}\n# {needs}\nset -eu\n\nimage={}\n",
        definition.name,
        definition.introduction.replace('\n', " "),
        quoted(&definition.image)
    )
}

/// A path as one word for the shell.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Arguments on lines of their own.
pub fn command(parts: &[String]) -> String {
    parts.join(" \\\n    ") + "\n"
}
