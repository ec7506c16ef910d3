//! Help texts in mdoc(7).

/// Words that stand for something else, which the manual writes small and in italics.
const METAVARIABLES: [&str; 7] = ["FILE", "HOOK", "NAME", "PATH", "PEER", "PEERHOOK", "TYPE"];

/// A piece of text.
enum Piece<'a> {
    /// Words.
    Text(&'a str),
    /// What stood between backticks.
    Code(&'a str),
}

/// Paragraphs of help as paragraphs of a manual page; each ends its sentences with a full stop.
pub fn prose(help: &str) -> String {
    let paragraphs = help.split("\n\n").map(paragraph);
    paragraphs.collect::<Vec<_>>().join(".Pp\n")
}

fn paragraph(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = if text.ends_with(['.', '!', '?', ':']) || text.is_empty() {
        ""
    } else {
        "."
    };
    let text = format!("{text}{end}");
    let mut page = Page::default();
    for (place, piece) in text.split('`').enumerate() {
        page.add(if place % 2 == 0 {
            Piece::Text(piece)
        } else {
            Piece::Code(piece)
        });
    }
    page.finish()
}

/// A page that grows: lines of text, and macro lines that punctuation behind them still belongs to.
#[derive(Default)]
struct Page {
    done: String,
    line: String,
    is_macro: bool,
}

impl Page {
    fn add(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Code(code) => {
                let opened = self.take_opening();
                self.start(&format!(".Ql {opened}"));
                self.line += &code.split_whitespace().map(argument).collect::<Vec<_>>().join(" ");
            }
            Piece::Text(text) => {
                let end = text.find(|character: char| !is_closing(character));
                let behind = if self.is_macro { end.unwrap_or(text.len()) } else { 0 };
                self.close(&text[..behind]);
                text[behind..].split_whitespace().for_each(|word| self.word(word));
            }
        }
    }

    /// Punctuation directly behind a macro is an argument of it.
    fn close(&mut self, punctuation: &str) {
        for mark in punctuation.chars() {
            self.line += &format!(" {mark}");
        }
    }

    /// An opening bracket directly before a macro is an argument of it.
    fn take_opening(&mut self) -> &'static str {
        match self.line.strip_suffix('(') {
            Some(rest) => {
                self.line = rest.trim_end().to_owned();
                "( "
            }
            None => "",
        }
    }

    fn word(&mut self, word: &str) {
        if let Some((name, section, behind)) = reference(word) {
            let opened = if word.starts_with('(') { "( " } else { "" };
            self.start(&format!(".Xr {opened}{name} {section}"));
            self.close(behind);
            return;
        }
        let name = word.trim_end_matches(is_closing);
        if METAVARIABLES.contains(&name) {
            self.start(&format!(".Ar {}", name.to_ascii_lowercase()));
            self.close(&word[name.len()..]);
            return;
        }
        if self.is_macro {
            self.start("");
        }
        let space = if self.line.is_empty() { "" } else { " " };
        if self.line.len() + word.len() > 100 {
            self.start("");
        } else {
            self.line += space;
        }
        self.line += &escaped(word);
        // Sentences begin on lines of their own.
        if word.ends_with('.') && word.len() > 2 {
            self.start("");
        }
    }

    /// Ends the line and begins another one.
    fn start(&mut self, line: &str) {
        if !self.line.is_empty() {
            let safe = if self.is_macro {
                self.line.clone()
            } else {
                text_line(&self.line)
            };
            self.done += &format!("{safe}\n");
        }
        line.clone_into(&mut self.line);
        self.is_macro = line.starts_with('.');
    }

    fn finish(mut self) -> String {
        self.start("");
        self.done
    }
}

fn is_closing(character: char) -> bool {
    matches!(character, '.' | ',' | ';' | ':' | '?' | '!' | ')')
}

/// `name(8)`, with a bracket before it or punctuation behind it: the name, the section, and the punctuation.
fn reference(word: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = word.trim_start_matches('(').split_once('(')?;
    let (section, behind) = rest.split_once(')')?;
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let is_section = section.len() == 1 && section.chars().all(|c| c.is_ascii_digit());
    (is_name && is_section && behind.chars().all(is_closing)).then_some((name, section, behind))
}

/// An argument of a macro: neither a macro itself, nor punctuation.
pub fn argument(word: &str) -> String {
    let escaped = escaped(word);
    let is_short = word.len() <= 3 && word.starts_with(|first: char| first.is_ascii_uppercase());
    let is_punctuation = word.len() == 1 && !word.starts_with(|first: char| first.is_ascii_alphanumeric());
    if is_short || is_punctuation || word.starts_with('.') {
        format!("\\&{escaped}")
    } else {
        escaped
    }
}

/// A line of text that is taken for no macro.
pub fn text_line(line: &str) -> String {
    if line.starts_with(['.', '\'']) {
        format!("\\&{line}")
    } else {
        line.to_owned()
    }
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\e").replace('"', "\\(dq")
}
