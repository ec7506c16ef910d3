//! The words of ASCII arguments.

use crate::netgraph::errors::{EINVAL, Result};

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// One of `{ } [ ] =`.
    Mark(u8),
    /// `"…"`, with its escapes resolved.
    String(Vec<u8>),
    /// Anything else up to white space or a mark.
    Word(String),
}

/// The words of a text, in order.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// The next word, without taking it.
    pub(super) fn peek(&self) -> Result<Token> {
        Tokens { rest: self.rest }.next()
    }

    /// Takes the next word; `EINVAL` if there is none.
    pub(super) fn next(&mut self) -> Result<Token> {
        self.skip_space();
        let first = *self.rest.first().ok_or(EINVAL)?;
        if is_mark(first) {
            self.rest = &self.rest[1..];
            return Ok(Token::Mark(first));
        }
        if first == b'"' {
            return self.string().map(Token::String);
        }
        let ends = |byte: &u8| byte.is_ascii_whitespace() || is_mark(*byte) || *byte == b'"';
        let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(Token::Word(String::from_utf8_lossy(word).into_owned()))
    }

    /// Takes the mark if it is next.
    pub(super) fn take(&mut self, mark: u8) -> bool {
        let found = self.peek() == Ok(Token::Mark(mark));
        if found {
            self.skip_space();
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Takes a word; `EINVAL` if it is anything else.
    pub(super) fn word(&mut self) -> Result<String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => Err(EINVAL),
        }
    }

    /// Takes a value, whatever it is: a word, a string, or all within braces or brackets.
    pub(super) fn value(&mut self) -> Result<Tokens<'a>> {
        self.skip_space();
        let start = self.rest;
        let mut open = 0_usize;
        loop {
            match self.next()? {
                Token::Mark(b'{' | b'[') => open += 1,
                Token::Mark(b'}' | b']') => open = open.checked_sub(1).ok_or(EINVAL)?,
                Token::Mark(_) if open == 0 => return Err(EINVAL),
                _ => {}
            }
            if open == 0 {
                return Ok(Tokens::of(&start[..start.len() - self.rest.len()]));
            }
        }
    }

    fn string(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.rest = &self.rest[1..];
        loop {
            let (first, rest) = self.rest.split_first().ok_or(EINVAL)?;
            self.rest = rest;
            match first {
                b'"' => return Ok(bytes),
                b'\\' => bytes.push(self.escape()?),
                other => bytes.push(*other),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or(EINVAL)?;
        let (skipped, digits, radix) = match first {
            b'x' => (1, 2, 16),
            b'0'..=b'7' => (0, 3, 8),
            other => {
                self.rest = rest;
                return Ok(simple_escape(*other));
            }
        };
        let number = &self.rest[skipped..];
        let length = number
            .iter()
            .take(digits)
            .take_while(|byte| (**byte as char).is_digit(radix))
            .count();
        let text = core::str::from_utf8(&number[..length]).map_err(|_| EINVAL)?;
        let value = u32::from_str_radix(text, radix).map_err(|_| EINVAL)?;
        self.rest = &number[length..];
        u8::try_from(value & 0xff).map_err(|_| EINVAL)
    }
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b'=')
}

fn simple_escape(byte: u8) -> u8 {
    match byte {
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'v' => 0x0b,
        b'f' => 0x0c,
        other => other,
    }
}

/// Writes a string as the reader above takes it.
pub(super) fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in text {
        match byte {
            b'\t' => quoted.push_str("\\t"),
            b'\n' => quoted.push_str("\\n"),
            b'\r' => quoted.push_str("\\r"),
            0x0b => quoted.push_str("\\v"),
            0x0c => quoted.push_str("\\f"),
            b'"' | b'\\' => quoted.extend(['\\', *byte as char]),
            b' '..=b'~' => quoted.push(*byte as char),
            other => quoted.push_str(&format!("\\x{other:02x}")),
        }
    }
    quoted.push('"');
    quoted
}
