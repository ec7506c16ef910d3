//! What a module's type amounts to.

use core::ffi::{CStr, c_int};
use core::ptr::NonNull;

use super::types::{self, ArrayInfo, FixedArrayInfo, GetLength, StructField, ng_parse_type};
use crate::netgraph::errors::{EINVAL, EOPNOTSUPP, Result};

/// How an integer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    Signed,
    Unsigned,
    Hexadecimal,
}

/// A type, understood.
pub(super) enum Shape {
    Struct(Vec<Field>),
    FixedArray {
        element: *const ng_parse_type,
        length: usize,
    },
    Array {
        element: *const ng_parse_type,
        length: Length,
    },
    Bytes(Length),
    /// A C string as long as it is.
    String,
    FixedString(usize),
    /// Two bytes of length, and no NUL.
    SizedString,
    Integer {
        size: usize,
        notation: Notation,
    },
    IpAddress,
    EthernetAddress,
}

/// A member of a structure.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: *const ng_parse_type,
    /// In place of the type's own, unless 0.
    pub(super) alignment: usize,
}

/// How long an array is: a function of what precedes it.
#[derive(Clone, Copy)]
pub(super) struct Length {
    kind: *const ng_parse_type,
    function: GetLength,
}

impl Length {
    /// The length of the array that begins at `offset` of `data`.
    pub(super) fn get(self, data: &[u8], offset: usize) -> Result<usize> {
        let here = data.get(offset..).ok_or(EINVAL)?.as_ptr();
        // SAFETY: the module's function for its own type; what precedes the array is there.
        let length = unsafe { (self.function)(self.kind, data.as_ptr(), here) };
        usize::try_from(length).map_err(|_| EINVAL)
    }
}

fn integer(kind: *const ng_parse_type) -> Option<Shape> {
    use Notation::{Hexadecimal, Signed, Unsigned};
    let integers = [
        (&raw const types::ng_parse_int8_type, 1, Signed),
        (&raw const types::ng_parse_int16_type, 2, Signed),
        (&raw const types::ng_parse_int32_type, 4, Signed),
        (&raw const types::ng_parse_int64_type, 8, Signed),
        (&raw const types::ng_parse_uint8_type, 1, Unsigned),
        (&raw const types::ng_parse_uint16_type, 2, Unsigned),
        (&raw const types::ng_parse_uint32_type, 4, Unsigned),
        (&raw const types::ng_parse_uint64_type, 8, Unsigned),
        (&raw const types::ng_parse_hint8_type, 1, Hexadecimal),
        (&raw const types::ng_parse_hint16_type, 2, Hexadecimal),
        (&raw const types::ng_parse_hint32_type, 4, Hexadecimal),
        (&raw const types::ng_parse_hint64_type, 8, Hexadecimal),
    ];
    let found = integers.into_iter().find(|(known, ..)| *known == kind);
    found.map(|(_, size, notation)| Shape::Integer { size, notation })
}

/// What a basic type with this info amounts to; `kind` is the type asked for.
fn basic(base: *const ng_parse_type, info: *const core::ffi::c_void, kind: *const ng_parse_type) -> Result<Shape> {
    let simple = [
        (&raw const types::ng_parse_string_type, Shape::String),
        (&raw const types::ng_parse_sizedstring_type, Shape::SizedString),
        (&raw const types::ng_parse_ipaddr_type, Shape::IpAddress),
        (&raw const types::ng_parse_enaddr_type, Shape::EthernetAddress),
    ];
    let simple = simple
        .into_iter()
        .find(|(known, _)| *known == base)
        .map(|(_, shape)| shape);
    match simple.or_else(|| integer(base)) {
        Some(shape) => Ok(shape),
        None => with_info(base, NonNull::new(info.cast_mut()).ok_or(EOPNOTSUPP)?, kind),
    }
}

fn with_info(
    base: *const ng_parse_type,
    info: NonNull<core::ffi::c_void>,
    kind: *const ng_parse_type,
) -> Result<Shape> {
    if base == &raw const types::ng_parse_struct_type {
        return Ok(Shape::Struct(fields(info.cast().as_ptr())));
    }
    if base == &raw const types::ng_parse_fixedstring_type {
        // SAFETY: the info of this type is the size.
        let size = unsafe { info.cast::<c_int>().read() };
        return usize::try_from(size).map(Shape::FixedString).map_err(|_| EINVAL);
    }
    if base == &raw const types::ng_parse_fixedarray_type {
        // SAFETY: the info of this type.
        let info = unsafe { info.cast::<FixedArrayInfo>().as_ref() };
        let length = usize::try_from(info.length).map_err(|_| EINVAL)?;
        return Ok(Shape::FixedArray {
            element: info.element,
            length,
        });
    }
    if base == &raw const types::ng_parse_array_type {
        // SAFETY: the info of this type.
        let info = unsafe { info.cast::<ArrayInfo>().as_ref() };
        let length = Length {
            kind,
            function: info.length,
        };
        return Ok(Shape::Array {
            element: info.element,
            length,
        });
    }
    if base == &raw const types::ng_parse_bytearray_type {
        // SAFETY: the info of this type is the function itself.
        let function = unsafe { core::mem::transmute::<*mut core::ffi::c_void, GetLength>(info.as_ptr()) };
        return Ok(Shape::Bytes(Length { kind, function }));
    }
    Err(EOPNOTSUPP)
}

fn fields(mut next: *const StructField) -> Vec<Field> {
    let mut fields = Vec::new();
    loop {
        // SAFETY: a list of fields ends with one without a name.
        let field = unsafe { &*next };
        if field.name.is_null() {
            return fields;
        }
        // SAFETY: a C string.
        let name = unsafe { CStr::from_ptr(field.name) };
        fields.push(Field {
            name: name.to_string_lossy().into_owned(),
            kind: field.kind,
            alignment: usize::try_from(field.alignment).unwrap_or(0),
        });
        next = next.wrapping_add(1);
    }
}

impl Shape {
    /// Understands a type. Types with methods of their own are not understood: `EOPNOTSUPP`.
    ///
    /// # Safety
    /// `kind` is a valid type, and so is what it refers to.
    pub(super) unsafe fn of(kind: *const ng_parse_type) -> Result<Self> {
        let (mut base, mut info) = (kind, core::ptr::null::<core::ffi::c_void>());
        loop {
            // SAFETY: valid (caller).
            let this = unsafe { &*base };
            if !this.parse.is_null() || !this.unparse.is_null() {
                return Err(EOPNOTSUPP);
            }
            if info.is_null() {
                info = this.info;
            }
            if this.supertype.is_null() {
                return basic(base, info, kind);
            }
            base = this.supertype;
        }
    }

    /// At which addresses a value may lie.
    pub(super) fn alignment(&self) -> usize {
        match self {
            Self::Struct(fields) => fields.iter().map(Field::alignment).max().unwrap_or(1),
            Self::FixedArray { element, .. } | Self::Array { element, .. } => alignment_of(*element),
            Self::Integer { size, .. } => *size,
            Self::IpAddress => 4,
            Self::SizedString => 2,
            _ => 1,
        }
    }
}

fn alignment_of(kind: *const ng_parse_type) -> usize {
    // SAFETY: a type that another valid type refers to.
    unsafe { Shape::of(kind) }.map_or(1, |shape| shape.alignment())
}

impl Field {
    pub(super) fn alignment(&self) -> usize {
        match self.alignment {
            0 => alignment_of(self.kind),
            given => given,
        }
    }
}
