//! Arguments of messages in words, as far as they have to be understood here: structures, `{ name=value ... }`.

/// The fields of a structure in words, values as they stand; None when it is none.
#[must_use]
pub fn fields(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim_start();
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let length = value_length(after)?;
        fields.push((name.trim(), &after[..length]));
        rest = after[length..].trim_start();
    }
    Some(fields)
}

/// A structure with the fields that it is to have, in place of those it has or beside them; None when either is none.
#[must_use]
pub fn merge(current: &str, wanted: &str) -> Option<String> {
    let mut merged = fields(current)?;
    for (name, value) in fields(wanted)? {
        match merged.iter_mut().find(|(existing, _)| *existing == name) {
            Some(field) => field.1 = value,
            None => merged.push((name, value)),
        }
    }
    let merged: Vec<String> = merged.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Some(format!("{{ {} }}", merged.join(" ")))
}

/// How many bytes the value at the beginning takes: up to a space outside of brackets and quotes.
fn value_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.checked_sub(1)?,
            ' ' | '\t' | '\n' if depth == 0 => return Some(position),
            _ => {}
        }
    }
    (depth == 0 && !quoted).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_apart() {
        let text = r#"{ debugLevel=1 list=[ 1 { a=2 } ] name="x } \" y" last={} }"#;
        let expected = [
            ("debugLevel", "1"),
            ("list", "[ 1 { a=2 } ]"),
            ("name", r#""x } \" y""#),
            ("last", "{}"),
        ];
        assert_eq!(fields(text).unwrap(), expected);
        assert_eq!(fields("{ }").unwrap(), []);
        for text in ["", "1", "{ a }", "{ a=] }", "{ a=\"x }"] {
            assert_eq!(fields(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wanted_takes_the_place_of_what_is() {
        let merged = merge("{ debugLevel=1 loopTimeout=60 }", "{ loopTimeout=30 more=[ 1 2 ] }");
        assert_eq!(merged.unwrap(), "{ debugLevel=1 loopTimeout=30 more=[ 1 2 ] }");
        assert_eq!(merge("1", "{ a=1 }"), None);
    }
}
