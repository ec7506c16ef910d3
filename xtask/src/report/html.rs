//! Text in HTML.

use std::fmt::Write;

/// Text as HTML takes it anywhere: markup as entities, control characters as terminals echo them (`^[`), so that what a guest writes
/// can neither leave its place nor hide.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            control @ ('\0'..='\u{1f}' | '\u{7f}') => {
                safe.push('^');
                safe.push(char::from(control as u8 ^ 0x40));
            }
            // C1 controls, and what turns the direction of writing.
            '\u{80}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    safe
}

/// A folded part: its summary, and what it holds, both markup.
pub fn folded(summary: &str, body: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!("<details{open}><summary>{summary}</summary>\n{body}</details>\n")
}

/// A section with its heading.
pub fn section(id: &str, heading: &str, body: &str) -> String {
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n{body}</section>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        let hostile = "</pre><script>alert('x')</script>&\0\u{1b}[31m\u{7f}\u{9b}\u{202e}\r\"";
        assert_eq!(
            escaped(hostile),
            "&lt;/pre&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;^@^[[31m^?\\u{9b}\\u{202e}^M&quot;"
        );
    }
}
