//! What is installed beside the program: manual pages, completions for shells, its other names.

use crate::manual;

/// For bash.
pub const BASH: &str = include_str!("completions/ng.bash");

/// For zsh.
pub const ZSH: &str = include_str!("completions/_ng");

/// For fish.
pub const FISH: &str = include_str!("completions/ng.fish");

/// A file or link that belongs to the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// Where, relative to the folder that programs are installed below, such as `usr/local`.
    pub path: &'static str,
    /// What.
    pub body: Body,
}

/// What a companion is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A file with this text.
    Text(String),
    /// A symbolic link to the program.
    Link,
}

/// Everything that is installed beside the program.
#[must_use]
pub fn companions() -> Vec<Companion> {
    let text = |path, text: String| Companion {
        path,
        body: Body::Text(text),
    };
    let link = |path| Companion { path, body: Body::Link };
    vec![
        text("share/man/man8/ng.8", manual::ng()),
        text("share/man/man5/graph.yaml.5", manual::graph()),
        text("share/bash-completion/completions/ng", BASH.to_owned()),
        text("share/zsh/site-functions/_ng", ZSH.to_owned()),
        text("share/fish/vendor_completions.d/ng.fish", FISH.to_owned()),
        link("libexec/ng/ngctl"),
        link("libexec/ng/nghook"),
    ]
}
