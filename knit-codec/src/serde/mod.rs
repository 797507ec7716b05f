//! Any `Serialize` type as a message, and any `Deserialize` type from one.
//!
//! # From Rust
//!
//! | Rust | JavaScript |
//! |---|---|
//! | `bool`, `f32`, `f64`, integers of up to 32 bits | boolean, number |
//! | `i64`, `u64`, `i128`, `u128` | number up to 2^53 - 1 either way, bigint beyond |
//! | `char`, `str` | string |
//! | bytes (`serialize_bytes`, as `serde_bytes` does) | `Uint8Array` |
//! | `None`, `()`, a unit struct | `undefined` |
//! | struct | object, keys in the order of the fields |
//! | map with keys that are strings | object; past 65 535 entries a `Map` |
//! | any other map | `Map` |
//! | sequence, tuple, tuple struct | array |
//! | newtype struct | what it holds |
//! | enum variant without fields | string, the variant's name |
//! | any other variant | object with the variant's name as its only key |
//!
//! # To Rust
//!
//! The way back, and: `null` is `None` or `()` too; a number without a fraction is any integer it fits; a `Date` is a number, a `URL` and a `Symbol.for` are
//! strings, a `RegExp` is `/source/flags`; a `Set` is a sequence, an `Envelope` one of two; a hole is `undefined`; a typed array is bytes where bytes are asked for and a sequence of
//! numbers where a sequence is. An `Error` is a map of what it has of `name`, `message`, `stack`, `cause`, `code`, `errors`, `properties`.
//! Strings borrow from the message unless it is UTF-16; lone surrogates fail, a `String` cannot hold them.
//! A reference is read again where it stands, as a copy: a cycle fails with `TooDeep`, and copies together are bounded by 16 times the message.
//! Blocks and shared memory have no meaning here and fail.
//! A part that does not fit its type fails with its path: `image.width: expected u32, found string "12"`.
//!
//! Both ways recurse with the types, so nesting is limited to [`DEPTH`] levels unless a caller asks for more.

mod access;
mod de;
mod elements;
mod errors;
mod key;
mod path;
mod ser;

use ::serde::de::{Expected, Unexpected};
use ::serde::{Deserialize, Serialize};

use crate::error::{CodecError, Result};
use crate::limits::Limits;
use crate::table::ShapeTable;
use crate::write::{Writer, with_writer};

/// Levels of nesting by default, on both ways.
pub const DEPTH: u32 = 128;

/// Writes a value as a message.
///
/// Each thread keeps a writer for this, so that shapes need not be learnt again and again. Use [`to_writer`] with a [`Writer`] of your own
/// for a shape table, or to use the bytes without a copy.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    with_writer(|writer| to_writer(writer, value))
}

/// Writes a value at the place where the writer stands: as the root, or inside a container that has been begun.
pub fn to_writer<T: Serialize + ?Sized>(writer: &mut Writer, value: &T) -> Result<()> {
    let most = writer.depth() + DEPTH as usize;
    value.serialize(&mut ser::Serializer { writer, most })
}

/// Reads a message that names no shared shapes.
pub fn from_bytes<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    from_bytes_with(bytes, Limits::DEFAULT.with_depth(DEPTH), None)
}

/// Reads a message, with limits and with the shapes of its sender.
pub fn from_bytes_with<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    limits: Limits,
    shapes: Option<&'de ShapeTable>,
) -> Result<T> {
    let mut deserializer = de::Deserializer::new(bytes, limits, shapes)?;
    let value = T::deserialize(&mut deserializer)
        .map_err(|error| path::located::<T>(error, bytes, limits, shapes))?;
    deserializer.finish(bytes)?;
    Ok(value)
}

impl ::serde::ser::Error for CodecError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }
}

impl ::serde::de::Error for CodecError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string().into())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        path::mismatch(found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        path::mismatch(found, expected)
    }
}
