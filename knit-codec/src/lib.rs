//! A compact, versioned binary format for the values of JavaScript.
#![forbid(unsafe_code)]

mod bigint;
mod convert;
mod error;
mod kinds;
mod limits;
mod object;
mod read;
#[cfg(feature = "serde")]
pub mod serde;
mod shape;
mod string;
mod table;
mod tag;
mod value;
mod write;

pub use bigint::BigInt;
pub use error::{CodecError, Result};
pub use kinds::{BinaryKind, ErrorClass, SharedMemoryKind, TextEncoding};
pub use limits::Limits;
pub use object::Object;
pub use read::*;
pub use shape::Shape;
pub use string::{JsString, StrRef, Units};
pub use table::{ShapeTable, ShapeWriter, Words, WordsMut};
pub use value::{
    Binary, BinaryBlock, Envelope, ErrorValue, RegExp, SharedMemory, SparseArray, StringBlock,
    Value,
};
pub use write::{ErrorFields, Writer, to_bytes};
