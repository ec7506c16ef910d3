//! What is wrong with a text that is no YAML, in words of who wrote it.
//!
//! A parser tells what it expected, which seldom is what was done wrong. So the line is looked at, and the one above it.

use crate::error::{Mistake, Position};

/// Explains why the parser stopped at a place; `open` is the innermost list or mapping that it was in.
pub fn explain(text: &str, at: Position, said: &str, open: Option<Position>) -> Mistake {
    let lines: Vec<&str> = text.lines().collect();
    let page = Page { lines: &lines };
    page.tab(at)
        .or_else(|| page.quote(at, said))
        .or_else(|| page.bracket(at, said, open))
        .or_else(|| page.first_character(at, said))
        .or_else(|| page.colon(at, said))
        .or_else(|| page.indentation(at, said))
        .unwrap_or_else(|| other(at, said))
}

fn other(at: Position, said: &str) -> Mistake {
    match said {
        "while parsing node, found unknown anchor" => {
            Mistake::new(at, "there is no anchor (`&name`) by this name above")
        }
        "recursion limit exceeded" => Mistake::new(at, "there are too many lists and mappings inside each other"),
        "found unprintable character" => {
            Mistake::new(at, "here is a character that cannot be seen").hint("take it out")
        }
        _ => Mistake::new(at, format!("this is no YAML: {said}")),
    }
}

struct Page<'a> {
    lines: &'a [&'a str],
}

impl Page<'_> {
    /// The line of that number, from 1.
    fn line(&self, number: usize) -> &str {
        let index = number.checked_sub(1);
        index.and_then(|index| self.lines.get(index)).copied().unwrap_or("")
    }

    /// The last line before that one that says something.
    fn above(&self, number: usize) -> Option<usize> {
        (1..number).rev().find(|&above| says_something(self.line(above)))
    }

    /// A tab before the first word; the parser may still be in the line before.
    fn tab(&self, at: Position) -> Option<Mistake> {
        let candidates = [at.line, at.line + 1];
        let (line, column) = candidates.into_iter().find_map(|line| {
            let text = self.line(line);
            let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
            text.get(..blank)?.find('\t').map(|column| (line, column + 1))
        })?;
        let mistake = Mistake::new(Position { line, column }, "this line is indented with a tab");
        Some(mistake.hint("indent with spaces: YAML takes no tabs there"))
    }

    fn quote(&self, at: Position, said: &str) -> Option<Mistake> {
        if said.contains("quoted scalar, found unexpected end") {
            return Some(Mistake::new(at, "the quote that starts here does not end"));
        }
        if said.starts_with("invalid trailing content") {
            let hint = "put the whole text into quotes";
            return Some(Mistake::new(at, "there is something behind the closing quote").hint(hint));
        }
        let escape = said.contains("quoted scalar") && (said.contains("escape") || said.contains("hexadecimal"));
        let hint = "write `\\\\` for a backslash, or use single quotes";
        escape.then(|| {
            Mistake::new(
                at,
                "a backslash inside double quotes starts an escape, and this is none",
            )
            .hint(hint)
        })
    }

    /// What goes wrong between `{` and `}`, or `[` and `]`.
    fn bracket(&self, at: Position, said: &str, open: Option<Position>) -> Option<Mistake> {
        if said == "misplaced bracket" {
            return Some(Mistake::new(at, "this bracket closes nothing"));
        }
        let start = open?;
        let (opening, closing) = match self.line(start.line).chars().nth(start.column - 1)? {
            '{' => ('{', '}'),
            '[' => ('[', ']'),
            _ => return None,
        };
        if start.line < at.line {
            let mistake = Mistake::new(start, format!("the `{opening}` that stands here is not closed"));
            return Some(mistake.hint(format!("close it with `{closing}`; a `,` belongs between its entries")));
        }
        let message = format!("this does not belong between `{opening}` and `{closing}`");
        Some(Mistake::new(at, message).hint(format!("write entries as in {}", example(opening))))
    }

    fn first_character(&self, at: Position, said: &str) -> Option<Mistake> {
        let character = self.line(at.line).chars().nth(at.column - 1)?;
        let mistake = Mistake::new(at, format!("a text cannot start with `{character}`"));
        let unexpected = said.starts_with("unexpected character");
        unexpected.then(|| mistake.hint("put it into quotes"))
    }

    /// An entry without `: `, or with two.
    fn colon(&self, at: Position, said: &str) -> Option<Mistake> {
        let line = match said {
            "simple key expect ':'" | "simple key expected" => self.above(at.line)?,
            "mapping values are not allowed in this context" => self.above(at.line).unwrap_or(at.line),
            _ => return None,
        };
        let text = self.line(line);
        if text.trim_start().starts_with("- ") || has_colon(text) {
            let here = self.line(at.line);
            let twice = self.above(at.line).is_none() || here.matches(": ").count() > 1;
            let hint = "write `{ }` around what belongs to the first key, or quotes around a text with a `: `";
            return twice.then(|| Mistake::new(at, "there is a second `: ` in this line").hint(hint));
        }
        let column = text.chars().take_while(|character| *character == ' ').count() + 1;
        let place = Position { line, column };
        if text.contains(" -- ") {
            let mistake = Mistake::new(place, "this edge has no `- ` in front");
            return Some(mistake.hint("write `- node.hook -- node.hook`"));
        }
        Some(match text.find(':') {
            Some(_) => Mistake::new(place, "there is no space behind the `:`").hint("write `key: value`"),
            None => Mistake::new(place, "this line is no entry: it has no `:`").hint("write `key: value`"),
        })
    }

    fn indentation(&self, at: Position, said: &str) -> Option<Mistake> {
        if said.starts_with("block sequence entries are not allowed") {
            let hint = "put its first `- ` into a line of its own";
            return Some(Mistake::new(at, "a list cannot start in the middle of a line").hint(hint));
        }
        let about = [
            "did not find expected key",
            "mapping values are not allowed",
            "indentation",
            "-' indicator",
        ];
        if !about.iter().any(|part| said.contains(part)) {
            return None;
        }
        let depth = |line: usize| {
            self.line(line)
                .chars()
                .take_while(|character| *character == ' ')
                .count()
        };
        let column = depth(at.line) + 1;
        let above = self.above(at.line)?;
        let message = if depth(at.line) > depth(above) {
            format!("this line is indented deeper than line {above}, which it does not belong to")
        } else {
            "this line is indented like nothing above it".to_owned()
        };
        let place = Position { line: at.line, column };
        Some(Mistake::new(place, message).hint("entries of one list or mapping start in the same column"))
    }
}

fn example(opening: char) -> &'static str {
    if opening == '{' {
        "`{ type: tee, jail: web }`"
    } else {
        "`[ setpromisc: 1, setautosrc: 0 ]`"
    }
}

fn says_something(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// Whether a line has a colon that ends a key.
fn has_colon(line: &str) -> bool {
    let words = line.split(" #").next().unwrap_or("").trim_end();
    words.contains(": ") || words.ends_with(':')
}
