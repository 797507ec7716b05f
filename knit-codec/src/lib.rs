#![cfg_attr(feature = "serde", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "serde"),
    doc = "A compact, versioned binary format for the values of JavaScript."
)]
//!
//! # Where things are
//!
//! | to | use | which |
//! |---|---|---|
//! | write and read types of your own | `serde` | copies nothing but what the types own |
//! | write and read any value | [`to_bytes`], [`from_bytes`], [`Value`] | keeps everything, cycles too |
//! | write without making values | [`Writer`] | streams; keeps buffers and shapes from message to message |
//! | read without making values | [`Reader`], [`ValueRef`] | checks once, then walks in place |
//! | share shapes between messages | [`ShapeWriter`], [`ShapeTable`] | needs memory that the reader sees |
//!
//! The bytes are plain slices here. Memory that another process may change while it is read must be copied first: a `&[u8]` over it would be unsound.
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
pub use error::{CodecError, Misfit, Result};
pub use kinds::{BinaryKind, ErrorClass, SharedMemoryKind, TextEncoding};
pub use limits::Limits;
pub use object::Object;
pub use read::{
    ArrayRef, BigIntRef, Elements, EntriesRef, ErrorRef, ObjectRef, Properties, Reader, ValueRef,
    from_bytes, from_bytes_with,
};
pub use shape::Shape;
pub use string::{JsString, StrRef, Units};
pub use table::{ShapeTable, ShapeWriter, Words, WordsMut};
pub use value::{
    Binary, BinaryBlock, Envelope, ErrorValue, RegExp, SharedMemory, SparseArray, StringBlock,
    Value,
};
pub use write::{ErrorFields, Writer, to_bytes};
