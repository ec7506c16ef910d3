//! From binary to ASCII. What has its default value is left out.

use super::parse::parse;
use super::shape::{Field, Notation, Shape};
use super::text::quote;
use super::types::ng_parse_type;
use crate::netgraph::errors::{EINVAL, Result};

/// Arguments that are being read.
pub(super) struct Reader<'a> {
    data: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn of(data: &'a [u8]) -> Self {
        Self { data, offset: 0 }
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        let end = self.offset.checked_add(size).ok_or(EINVAL)?;
        let bytes = self.data.get(self.offset..end).ok_or(EINVAL)?;
        self.offset = end;
        Ok(bytes)
    }

    fn align(&mut self, alignment: usize) {
        self.offset = self.offset.next_multiple_of(alignment.max(1));
    }

    /// Skips a value if it is the default.
    fn skip_default(&mut self, kind: *const ng_parse_type) -> bool {
        // What precedes the value decides how it is aligned, and how long its arrays are.
        let start = if has_length_elsewhere(kind) {
            0
        } else {
            self.offset & !7
        };
        let Some(data) = self.data.get(start..) else {
            return false;
        };
        let mut expected = data[..(self.offset - start).min(data.len())].to_vec();
        let is_default = parse(kind, None, &mut expected).is_ok() && data.starts_with(&expected);
        if is_default {
            self.offset = start + expected.len();
        }
        is_default
    }
}

/// Whether a type has arrays whose length another value says.
fn has_length_elsewhere(kind: *const ng_parse_type) -> bool {
    // SAFETY: a type of a module's command list, or one that such a type refers to.
    match unsafe { Shape::of(kind) } {
        Ok(Shape::Array { .. } | Shape::Bytes(_)) => true,
        Ok(Shape::FixedArray { element, .. }) => has_length_elsewhere(element),
        Ok(Shape::Struct(fields)) => fields.iter().any(|field| has_length_elsewhere(field.kind)),
        _ => false,
    }
}

/// Writes a value of a type.
pub(super) fn unparse(kind: *const ng_parse_type, from: &mut Reader<'_>, out: &mut String) -> Result {
    // SAFETY: a type of a module's command list, or one that such a type refers to.
    let shape = unsafe { Shape::of(kind) }?;
    from.align(shape.alignment());
    match &shape {
        Shape::Struct(fields) => {
            unparse_struct(fields, from, out)?;
            from.align(shape.alignment());
        }
        Shape::FixedArray { element, length } => unparse_array(*element, *length, from, out)?,
        Shape::Array { element, length } => {
            let length = length.get(from.data, from.offset)?;
            unparse_array(*element, length, from, out)?;
        }
        Shape::Bytes(length) => {
            let length = length.get(from.data, from.offset)?;
            unparse_array(&raw const super::types::ng_parse_hint8_type, length, from, out)?;
        }
        _ => out.push_str(&simple(&shape, from)?),
    }
    Ok(())
}

fn unparse_struct(fields: &[Field], from: &mut Reader<'_>, out: &mut String) -> Result {
    out.push('{');
    for field in fields {
        from.align(field.alignment());
        if !from.skip_default(field.kind) {
            out.push_str(&format!(" {}=", field.name));
            unparse(field.kind, from, out)?;
        }
    }
    out.push_str(" }");
    Ok(())
}

fn unparse_array(kind: *const ng_parse_type, length: usize, from: &mut Reader<'_>, out: &mut String) -> Result {
    out.push('[');
    let mut next = 0;
    for index in 0..length {
        if from.skip_default(kind) {
            continue;
        }
        out.push(' ');
        if index != next {
            out.push_str(&format!("{index}="));
        }
        unparse(kind, from, out)?;
        next = index + 1;
    }
    out.push_str(" ]");
    Ok(())
}

/// The bytes before the NUL.
fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(&[])
}

fn simple(shape: &Shape, from: &mut Reader<'_>) -> Result<String> {
    Ok(match shape {
        Shape::Integer { size, notation } => integer(from.take(*size)?, *notation),
        Shape::FixedString(size) => quote(c_string(from.take(*size)?)),
        Shape::SizedString => {
            let length = from.take(2)?;
            let length = u16::from_ne_bytes([length[0], length[1]]);
            quote(from.take(length.into())?)
        }
        Shape::IpAddress => join(from.take(4)?, ".", |byte| byte.to_string()),
        Shape::EthernetAddress => join(from.take(6)?, ":", |byte| format!("{byte:02x}")),
        _ => {
            let text = c_string(from.data.get(from.offset..).ok_or(EINVAL)?);
            from.take(text.len() + 1)?;
            quote(text)
        }
    })
}

fn join(bytes: &[u8], separator: &str, part: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(part).collect::<Vec<_>>().join(separator)
}

fn integer(bytes: &[u8], notation: Notation) -> String {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let value = u64::from_le_bytes(wide);
    let unused = 64 - 8 * u32::try_from(bytes.len()).unwrap_or(8);
    match notation {
        Notation::Signed => ((value << unused).cast_signed() >> unused).to_string(),
        Notation::Unsigned => value.to_string(),
        Notation::Hexadecimal => format!("{value:#x}"),
    }
}
