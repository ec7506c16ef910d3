//! From ASCII to binary.

use super::shape::{Field, Shape};
use super::text::{Token, Tokens};
use super::types::ng_parse_type;
use crate::netgraph::errors::{E2BIG, EALREADY, EINVAL, ENOENT, EOPNOTSUPP, ERANGE, Result};

/// The largest arguments that are made, in bytes.
const LIMIT: usize = 20 * 1024;

/// Appends a value of a type to `out`; without a text, the default.
pub(super) fn parse(kind: *const ng_parse_type, text: Option<Tokens<'_>>, out: &mut Vec<u8>) -> Result {
    // SAFETY: a type of a module's command list, or one that such a type refers to.
    let shape = unsafe { Shape::of(kind) }?;
    pad(out, shape.alignment());
    match &shape {
        Shape::Struct(fields) => parse_struct(fields, text, out, shape.alignment()),
        Shape::FixedArray { element, length } => parse_array(*element, *length, text, out),
        Shape::Array { element, length } => {
            let length = length.get(out, out.len())?;
            parse_array(*element, length, text, out)
        }
        Shape::Bytes(length) => {
            let length = length.get(out, out.len())?;
            parse_bytes(length, text, out)
        }
        _ => parse_simple(&shape, text, out),
    }?;
    if out.len() > LIMIT { Err(ERANGE) } else { Ok(()) }
}

pub(super) fn pad(out: &mut Vec<u8>, alignment: usize) {
    out.resize(out.len().next_multiple_of(alignment.max(1)), 0);
}

fn parse_struct(fields: &[Field], text: Option<Tokens<'_>>, out: &mut Vec<u8>, alignment: usize) -> Result {
    let mut values: Vec<Option<Tokens<'_>>> = fields.iter().map(|_| None).collect();
    if let Some(text) = text {
        collect_fields(fields, text, &mut values)?;
    }
    for (field, value) in fields.iter().zip(values) {
        pad(out, field.alignment());
        parse(field.kind, value, out)?;
    }
    pad(out, alignment);
    Ok(())
}

/// Finds the value of each field in `{ name=value … }`.
fn collect_fields<'a>(fields: &[Field], mut text: Tokens<'a>, values: &mut [Option<Tokens<'a>>]) -> Result {
    if !text.take(b'{') {
        return Err(EINVAL);
    }
    while !text.take(b'}') {
        let name = text.word()?;
        let index = fields.iter().position(|field| field.name == name).ok_or(ENOENT)?;
        if values[index].is_some() {
            return Err(EALREADY);
        }
        if !text.take(b'=') {
            return Err(EINVAL);
        }
        values[index] = Some(text.value()?);
    }
    Ok(())
}

fn parse_array(kind: *const ng_parse_type, length: usize, text: Option<Tokens<'_>>, out: &mut Vec<u8>) -> Result {
    if length > LIMIT {
        return Err(ERANGE);
    }
    let mut values: Vec<Option<Tokens<'_>>> = (0..length).map(|_| None).collect();
    if let Some(text) = text {
        collect_elements(text, &mut values)?;
    }
    values.into_iter().try_for_each(|value| parse(kind, value, out))
}

/// Finds the value of each element in `[ value index=value … ]`.
fn collect_elements<'a>(mut text: Tokens<'a>, values: &mut [Option<Tokens<'a>>]) -> Result {
    if !text.take(b'[') {
        return Err(EINVAL);
    }
    let mut index = 0;
    while !text.take(b']') {
        let mut value = text.value()?;
        if text.take(b'=') {
            index = value.word()?.parse().map_err(|_| EINVAL)?;
            value = text.value()?;
        }
        let place = values.get_mut(index).ok_or(E2BIG)?;
        if place.replace(value).is_some() {
            return Err(EALREADY);
        }
        index += 1;
    }
    Ok(())
}

/// Bytes are an array of numbers, or a string that zeros follow.
fn parse_bytes(length: usize, text: Option<Tokens<'_>>, out: &mut Vec<u8>) -> Result {
    let byte = &raw const super::types::ng_parse_hint8_type;
    let text = match text.map(|text| (text.peek(), text)) {
        Some((Ok(Token::String(string)), _)) => return put_string(&string, length, out),
        Some((_, text)) => Some(text),
        None => None,
    };
    parse_array(byte, length, text, out)
}

/// A string in a field of this size.
fn put_string(string: &[u8], size: usize, out: &mut Vec<u8>) -> Result {
    let zeros = size.checked_sub(string.len()).ok_or(E2BIG)?;
    out.extend(string);
    out.resize(out.len() + zeros, 0);
    Ok(())
}

fn parse_simple(shape: &Shape, text: Option<Tokens<'_>>, out: &mut Vec<u8>) -> Result {
    let token = text.map(|mut text| text.next()).transpose()?;
    match (shape, token) {
        (Shape::Integer { size, .. }, token) => put_integer(*size, token, out),
        (Shape::String, Some(Token::String(string))) => put_string(&string, string.len() + 1, out),
        (Shape::String, None) => put_string(&[], 1, out),
        (Shape::FixedString(size), Some(Token::String(string))) if string.len() < *size => {
            put_string(&string, *size, out)
        }
        (Shape::FixedString(_), Some(Token::String(_))) => Err(E2BIG),
        (Shape::FixedString(size), None) => put_string(&[], *size, out),
        (Shape::SizedString, Some(Token::String(string))) => {
            out.extend(u16::try_from(string.len()).map_err(|_| E2BIG)?.to_ne_bytes());
            put_string(&string, string.len(), out)
        }
        (Shape::SizedString, None) => put_string(&[], 2, out),
        (Shape::IpAddress, Some(Token::Word(word))) => put_parts(&word, '.', 10, 4, out),
        (Shape::IpAddress, None) => put_string(&[], 4, out),
        (Shape::EthernetAddress, Some(Token::Word(word))) => put_parts(&word, ':', 16, 6, out),
        (Shape::EthernetAddress, None) => Err(EOPNOTSUPP),
        _ => Err(EINVAL),
    }
}

/// An address of so many bytes.
fn put_parts(word: &str, separator: char, radix: u32, count: usize, out: &mut Vec<u8>) -> Result {
    let parts = word.split(separator).map(|part| u8::from_str_radix(part, radix));
    let bytes: Vec<u8> = parts.collect::<core::result::Result<_, _>>().map_err(|_| EINVAL)?;
    if bytes.len() != count {
        return Err(EINVAL);
    }
    out.extend(bytes);
    Ok(())
}

/// An integer of so many bytes, given as a signed or an unsigned one; 0 by default.
fn put_integer(size: usize, token: Option<Token>, out: &mut Vec<u8>) -> Result {
    let value = match token {
        Some(Token::Word(word)) => number(&word).ok_or(EINVAL)?,
        Some(_) => return Err(EINVAL),
        None => 0,
    };
    let bits = u32::try_from(size * 8).map_err(|_| EINVAL)?;
    if value < -(1_i128 << (bits - 1)) || value >= 1_i128 << bits {
        return Err(EINVAL);
    }
    out.extend(&value.to_le_bytes()[..size]);
    Ok(())
}

/// A number in C's notation.
fn number(word: &str) -> Option<i128> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, word),
    };
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let value = match (hexadecimal, digits) {
        (Some(digits), _) => i128::from_str_radix(digits, 16),
        (None, octal) if octal.len() > 1 && octal.starts_with('0') => i128::from_str_radix(octal, 8),
        (None, decimal) => decimal.parse(),
    };
    value.ok().map(|value| sign * value)
}
