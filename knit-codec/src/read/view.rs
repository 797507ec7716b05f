//! Looking at a message in place.
//!
//! [`Reader::new`] checks the whole message once, everything FORMAT.md asks for. Walking over it afterwards cannot fail, copies nothing
//! and allocates nothing. Values lie one after the other, so reaching the n-th element means passing over those before it: walk with the
//! iterators, once, rather than by index.
//!
//! A reference shows as [`ValueRef::Ref`]; [`Reader::resolve`] gives what it means. Following references without an end in mind may never end.

use super::again::Mark;
use super::check::children;
use super::cursor::Cursor;
use super::decode::doubles;
use super::token::{KeyIter, Locals, Place, Token};
use super::view_leaves::{BigIntRef, Digits, ErrorRef};
use crate::error::Result;
use crate::kinds::BinaryKind;
use crate::limits::Limits;
use crate::string::StrRef;
use crate::table::ShapeTable;
use crate::value::{BinaryBlock, SharedMemory, StringBlock};

/// A message that has been checked.
#[derive(Debug)]
pub struct Reader<'a> {
    /// At the root, without what belongs to this reader.
    start: Cursor<'a>,
    locals: Locals,
    marks: Vec<Mark>,
}

impl<'a> Reader<'a> {
    /// Checks a message. `shapes` is what is known of the sender's table.
    pub fn new(bytes: &'a [u8], limits: Limits, shapes: Option<&'a ShapeTable>) -> Result<Self> {
        let start = Cursor::new(bytes, limits, shapes, true)?;
        let mut cursor = start.clone();
        cursor.check(Place::Value, &mut Vec::new())?;
        cursor.finish(bytes)?;
        let marks = std::mem::take(&mut cursor.marks);
        Ok(Self {
            start,
            marks,
            locals: cursor.locals,
        })
    }

    /// The message's value.
    pub fn root(&self) -> ValueRef<'_> {
        let mut cursor = self.start.clone().trust(&self.locals);
        value(&mut cursor)
    }

    /// The value that [`ValueRef::Ref`] of this number means; nothing if the message has no references or not that many values.
    pub fn resolve(&self, number: u32) -> Option<ValueRef<'_>> {
        let mark = self.marks.get(number as usize)?;
        let mut cursor = self.start.clone().trust(&self.locals);
        cursor.seek(mark.at as usize, mark.text_at as usize);
        cursor.numbered = u32::MAX / 2;
        Some(value(&mut cursor))
    }
}

/// A value in a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ValueRef<'r> {
    /// `undefined`.
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A bigint.
    BigInt(BigIntRef<'r>),
    /// A string.
    String(StrRef<'r>),
    /// `Symbol.for` of this key.
    Symbol(StrRef<'r>),
    /// A `Date`, in milliseconds since the epoch.
    Date(f64),
    /// An object.
    Object(ObjectRef<'r>),
    /// An array.
    Array(ArrayRef<'r>),
    /// A `Map`.
    Map(EntriesRef<'r>),
    /// A `Set`.
    Set(ArrayRef<'r>),
    /// A `RegExp`.
    RegExp {
        /// The pattern.
        source: StrRef<'r>,
        /// The flags.
        flags: StrRef<'r>,
        /// Where the next match of a global or sticky expression begins.
        last_index: u32,
    },
    /// A `URL`, by its `href`.
    Url(StrRef<'r>),
    /// Bytes.
    Binary {
        /// The class in JavaScript.
        kind: BinaryKind,
        /// The bytes.
        bytes: &'r [u8],
    },
    /// Bytes in a block.
    BinaryBlock(BinaryBlock),
    /// A string in a block.
    StringBlock(StringBlock),
    /// An error.
    Error(ErrorRef<'r>),
    /// Memory that both sides see.
    SharedMemory(SharedMemory),
    /// `Envelope(header, body)`: these two.
    Envelope(ArrayRef<'r>),
    /// A value met before.
    Ref(u32),
}

/// An object in a message.
#[derive(Clone, Debug)]
pub struct ObjectRef<'r> {
    keys: KeyIter<'r>,
    count: usize,
    cursor: Cursor<'r>,
    null_prototype: bool,
}

impl<'r> ObjectRef<'r> {
    /// Whether it was made by `Object.create(null)`.
    pub fn null_prototype(&self) -> bool {
        self.null_prototype
    }

    /// How many properties.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The properties, in order.
    pub fn iter(&self) -> Properties<'r> {
        Properties {
            keys: self.keys.clone(),
            values: Walk {
                cursor: self.cursor.clone(),
                left: self.count,
            },
        }
    }

    /// The value of a key; passes over the values before it.
    pub fn get(&self, key: &str) -> Option<ValueRef<'r>> {
        let at = self.keys.clone().position(|candidate| candidate == *key)?;
        let mut cursor = self.cursor.clone();
        cursor.skip_checked(at);
        Some(value(&mut cursor))
    }
}

/// The properties of an object in a message.
#[derive(Clone, Debug)]
pub struct Properties<'r> {
    keys: KeyIter<'r>,
    values: Walk<'r>,
}

impl<'r> Iterator for Properties<'r> {
    type Item = (StrRef<'r>, ValueRef<'r>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.keys.next()?, self.values.next()?.1?))
    }
}

/// An array, a set, or the two parts of an envelope, in a message.
#[derive(Clone, Debug)]
pub struct ArrayRef<'r>(Items<'r>);

#[expect(
    clippy::large_enum_variant,
    reason = "it lives on the stack; a box would be an allocation"
)]
#[derive(Clone, Debug)]
enum Items<'r> {
    Walk(Walk<'r>),
    Numbers(&'r [u8]),
}

impl<'r> ArrayRef<'r> {
    /// The elements, each with its index, holes left out.
    pub fn iter(&self) -> Elements<'r> {
        Elements {
            items: self.0.clone(),
            index: 0,
        }
    }

    /// The length, holes counted; a holey array is walked over for it.
    pub fn len(&self) -> usize {
        match &self.0 {
            Items::Numbers(bytes) => bytes.len() / 8,
            Items::Walk(walk) => walk.clone().map(|(width, _)| width as usize).sum(),
        }
    }

    /// Whether it has no elements and no holes.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Items::Numbers(bytes) => bytes.is_empty(),
            Items::Walk(walk) => walk.left == 0,
        }
    }

    /// All elements at once, if the array is packed numbers.
    pub fn numbers(&self) -> Option<impl ExactSizeIterator<Item = f64> + Clone + 'r> {
        match self.0 {
            Items::Numbers(bytes) => Some(doubles(bytes)),
            Items::Walk(_) => None,
        }
    }
}

/// The elements of an array in a message.
#[derive(Clone, Debug)]
pub struct Elements<'r> {
    items: Items<'r>,
    index: u32,
}

impl<'r> Iterator for Elements<'r> {
    type Item = (u32, ValueRef<'r>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let index = self.index;
            let (width, element) = match &mut self.items {
                Items::Walk(walk) => walk.next()?,
                Items::Numbers(bytes) => {
                    let (first, rest) = bytes.split_first_chunk::<8>()?;
                    *bytes = rest;
                    (
                        1,
                        Some(ValueRef::Number(crate::tag::double(u64::from_le_bytes(
                            *first,
                        )))),
                    )
                }
            };
            self.index = index.wrapping_add(width);
            if let Some(element) = element {
                return Some((index, element));
            }
        }
    }
}

/// A `Map` in a message.
#[derive(Clone, Debug)]
pub struct EntriesRef<'r>(Walk<'r>);

impl<'r> EntriesRef<'r> {
    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.left / 2
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.left == 0
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ValueRef<'r>, ValueRef<'r>)> + use<'r> {
        let mut walk = self.0.clone();
        std::iter::from_fn(move || Some((walk.next()?.1?, walk.next()?.1?)))
    }
}

/// Values one after the other: how many places each takes, and what it is, if it is not a run of holes.
#[derive(Clone, Debug)]
struct Walk<'r> {
    cursor: Cursor<'r>,
    left: usize,
}

impl<'r> Iterator for Walk<'r> {
    type Item = (u32, Option<ValueRef<'r>>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let token = self.cursor.next(Place::Entry).ok()?;
        if let Token::Holes(run) = token {
            return Some((run, None));
        }
        let inside = children(&token);
        let element = wrap(token, &self.cursor);
        self.cursor.skip_checked(inside);
        Some((1, Some(element)))
    }
}

/// The value at the cursor of a checked message.
pub(super) fn value<'r>(cursor: &mut Cursor<'r>) -> ValueRef<'r> {
    // A checked message has a value here.
    cursor
        .next(Place::Value)
        .map_or(ValueRef::Undefined, |token| wrap(token, cursor))
}

/// Makes a token, and the cursor after it, a value.
fn wrap<'r>(token: Token<'r>, after: &Cursor<'r>) -> ValueRef<'r> {
    let walk = |left| Walk {
        cursor: after.clone(),
        left,
    };
    let array = |left: usize| ArrayRef(Items::Walk(walk(left)));
    match token {
        Token::Undefined | Token::Holes(_) => ValueRef::Undefined,
        Token::Null => ValueRef::Null,
        Token::Bool(value) => ValueRef::Bool(value),
        Token::Number(value) => ValueRef::Number(value),
        Token::String(text) => ValueRef::String(text),
        Token::BigInt64(value) => ValueRef::BigInt(BigIntRef(Digits::Small(value))),
        Token::BigInt { negative, limbs } => {
            ValueRef::BigInt(BigIntRef(Digits::Large(negative, limbs)))
        }
        Token::Date(ms) => ValueRef::Date(ms),
        Token::Object {
            null_prototype,
            keys,
        } => ValueRef::Object(ObjectRef {
            count: keys.len(),
            keys: after.keys(&keys),
            cursor: after.clone(),
            null_prototype,
        }),
        Token::Array(count) | Token::Holey(count) => ValueRef::Array(array(count as usize)),
        Token::Numbers(bytes) => ValueRef::Array(ArrayRef(Items::Numbers(bytes))),
        Token::Map(count) => ValueRef::Map(EntriesRef(walk(count as usize * 2))),
        Token::Set(count) => ValueRef::Set(array(count as usize)),
        Token::RegExp(strings, last_index) => {
            let mut texts = after.strings_of(strings);
            let mut next = || texts.next().unwrap_or(StrRef::Utf8(""));
            ValueRef::RegExp {
                source: next(),
                flags: next(),
                last_index,
            }
        }
        Token::Url(href) => ValueRef::Url(href),
        Token::Symbol(key) => ValueRef::Symbol(key),
        Token::Binary { kind, bytes } => ValueRef::Binary { kind, bytes },
        Token::BinaryBlock(block) => ValueRef::BinaryBlock(block),
        Token::StringBlock(block) => ValueRef::StringBlock(block),
        Token::Error(head) => ValueRef::Error(ErrorRef {
            texts: after.error_texts(&head),
            head,
            cursor: after.clone(),
        }),
        Token::SharedMemory(memory) => ValueRef::SharedMemory(memory),
        Token::Envelope => ValueRef::Envelope(array(2)),
        Token::Ref(number) => ValueRef::Ref(number),
    }
}
