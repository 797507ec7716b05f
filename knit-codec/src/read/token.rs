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
    /// Source and flags, and where the next match begins.
    RegExp(Strings, u32),
    Url(StrRef<'a>),
    Symbol(StrRef<'a>),
    Binary {
        kind: BinaryKind,
        bytes: &'a [u8],
    },
    BinaryBlock(BinaryBlock),
    StringBlock(StringBlock),
    Error(ErrorHead),
    Ref(u32),
    SharedMemory(SharedMemory),
    Envelope,
}

/// Where an object's keys are.
#[derive(Clone, Debug)]
pub(crate) enum Keys<'a> {
    Table(&'a Arc<Shape>),
    /// Just read.
    New(Strings),
    Local(Strings, u32),
}

impl Keys<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Table(shape) => shape.len(),
            Self::New(local) | Self::Local(local, _) => local.count as usize,
        }
    }
}

/// `STRING` slots one after the other that have been read: where they and their text begin.
///
/// The keys of a local shape, the strings of an error, source and flags of a regular expression.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strings {
    pub(crate) at: u32,
    pub(crate) text_at: u32,
    pub(crate) count: u32,
}

/// The fixed part of an error. The fields after the strings follow as values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorHead {
    pub(crate) class: ErrorClass,
    /// Which strings it has: bits 0 to 2.
    pub(crate) bits: u8,
    pub(crate) texts: Strings,
    pub(crate) rest: ErrorRest,
}

/// The strings of an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorTexts<'a> {
    pub(crate) name: Option<StrRef<'a>>,
    pub(crate) message: Option<StrRef<'a>>,
    pub(crate) stack: Option<StrRef<'a>>,
}

/// The local shapes of a message; few of them need no allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locals {
    few: [Strings; 4],
    many: Vec<Strings>,
    count: usize,
}

impl Locals {
    pub(crate) fn push(&mut self, keys: Strings) {
        match self.few.get_mut(self.count) {
            Some(place) => *place = keys,
            None => self.many.push(keys),
        }
        self.count += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<Strings> {
        if number >= self.count {
            return None;
        }
        let place = self
            .few
            .get(number)
            .or_else(|| self.many.get(number - self.few.len()));
        place.copied()
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
