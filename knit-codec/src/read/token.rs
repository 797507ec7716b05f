//! What one step of reading gives: a scalar whole, or the head of a container.

use std::sync::Arc;

use crate::kinds::{BinaryKind, ErrorClass};
use crate::shape::Shape;
use crate::string::StrRef;
use crate::value::{BinaryBlock, SharedMemory, StringBlock};

/// A value, or the head of one: the values it announces follow.
#[derive(Clone, Debug)]
pub(crate) enum Token<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    /// Only where entries of a holey array are read.
    Holes(u32),
    String(StrRef<'a>),
    BigInt64(i64),
    /// The limbs' bytes.
    BigInt {
        negative: bool,
        limbs: &'a [u8],
    },
    Date(f64),
    Object {
        null_prototype: bool,
        keys: Keys<'a>,
    },
    Array(u32),
    /// The doubles' bytes.
    Numbers(&'a [u8]),
    Holey(u32),
    Map(u32),
    Set(u32),
    RegExp {
        source: StrRef<'a>,
        flags: StrRef<'a>,
    },
    Url(StrRef<'a>),
    Symbol(StrRef<'a>),
    Binary {
        kind: BinaryKind,
        bytes: &'a [u8],
    },
    BinaryBlock(BinaryBlock),
    StringBlock(StringBlock),
    Error(ErrorHead<'a>),
    Ref(u32),
    SharedMemory(SharedMemory),
    Envelope,
}

/// Where an object's keys are.
#[derive(Clone, Debug)]
pub(crate) enum Keys<'a> {
    Table(&'a Arc<Shape>),
    /// Just read.
    New(LocalShape),
    Local(LocalShape, u32),
}

impl Keys<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Table(shape) => shape.len(),
            Self::New(local) | Self::Local(local, _) => local.count as usize,
        }
    }
}

/// A shape defined in the message: where its `STRING` slots and their text begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalShape {
    pub(crate) at: u32,
    pub(crate) text_at: u32,
    pub(crate) count: u32,
}

/// The fixed part of an error. The fields after the strings follow as values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorHead<'a> {
    pub(crate) class: ErrorClass,
    pub(crate) name: Option<StrRef<'a>>,
    pub(crate) message: Option<StrRef<'a>>,
    pub(crate) stack: Option<StrRef<'a>>,
    pub(crate) rest: ErrorRest,
}

impl ErrorHead<'_> {
    /// What may stand where the field after so many fields is.
    pub(crate) fn next_place(&self, done: usize) -> Place {
        let mut rest = self.rest;
        for _ in 0..done {
            rest.pop();
        }
        rest.pop().map_or(Place::Value, Place::of_error_field)
    }
}

/// Field bits 3 to 6 of an error that are still to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErrorRest(pub(crate) u32);

impl ErrorRest {
    pub(crate) const CAUSE: u32 = 1 << 3;
    pub(crate) const CODE: u32 = 1 << 4;
    pub(crate) const ERRORS: u32 = 1 << 5;
    pub(crate) const PROPERTIES: u32 = 1 << 6;

    pub(crate) fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }

    /// Takes the lowest field off and gives its bit.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        let bit = self.0 & self.0.wrapping_neg();
        self.0 ^= bit;
        (bit != 0).then_some(bit)
    }
}

/// What may stand in the place that is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Any value.
    Value,
    /// An entry of a holey array: any value, or holes.
    Entry,
    /// An error's `errors`: an array or a reference.
    Errors,
    /// An error's own properties: an object.
    Properties,
}

impl Place {
    pub(crate) fn of_error_field(bit: u32) -> Self {
        match bit {
            ErrorRest::ERRORS => Self::Errors,
            ErrorRest::PROPERTIES => Self::Properties,
            _ => Self::Value,
        }
    }
}

/// The keys of an object, in order.
#[derive(Clone, Debug)]
pub(crate) enum KeyIter<'a> {
    Table(std::slice::Iter<'a, crate::JsString>),
    /// `STRING` slots that have been checked, and their text.
    Message {
        slots: std::slice::ChunksExact<'a, u8>,
        text: super::text::Text<'a>,
    },
}

impl<'a> Iterator for KeyIter<'a> {
    type Item = StrRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<StrRef<'a>> {
        match self {
            // A shape from a table is well-formed: its text was checked as UTF-8.
            Self::Table(keys) => keys.next()?.as_str().map(StrRef::Utf8),
            Self::Message { slots, text } => {
                let units = u32::from_le_bytes(*slots.next()?.first_chunk()?);
                text.take(units, 0).ok()
            }
        }
    }
}
