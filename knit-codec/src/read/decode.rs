//! From bytes to a [`Value`].
//!
//! One pass, without recursion; room is reserved only for what the cursor has found to fit the message.

use std::sync::Arc;

use super::check::Lengths;
use super::cursor::Cursor;
use super::token::{ErrorHead, ErrorRest, Keys, Place, Strings, Token};
use crate::bigint::BigInt;
use crate::error::Result;
use crate::limits::Limits;
use crate::object::Object;
use crate::shape::Shape;
use crate::string::{JsString, StrRef};
use crate::table::ShapeTable;
use crate::value::{Binary, Envelope, ErrorValue, RegExp, SparseArray, Value};

/// Reads a message that names no shared shapes, within the default limits.
pub fn from_bytes(bytes: &[u8]) -> Result<Value> {
    from_bytes_with(bytes, Limits::DEFAULT, None)
}

/// Reads a message, with limits and with the shapes of its sender.
pub fn from_bytes_with(bytes: &[u8], limits: Limits, shapes: Option<&ShapeTable>) -> Result<Value> {
    let mut decoder = Decoder {
        cursor: Cursor::new(bytes, limits, shapes, false)?,
        shapes: Vec::new(),
    };
    let value = decoder.value()?;
    decoder.cursor.finish(bytes)?;
    Ok(value)
}

struct Decoder<'a> {
    cursor: Cursor<'a>,
    /// The message's local shapes.
    shapes: Vec<Arc<Shape>>,
}

/// A container under construction.
struct Building {
    kind: Kind,
    /// Values, or entries of a holey array, that are missing.
    left: usize,
    values: Vec<Value>,
}

enum Kind {
    Object(Arc<Shape>, bool),
    Array,
    Set,
    Map,
    Envelope,
    /// The fields that are missing.
    Error(Box<ErrorValue>, ErrorRest),
    /// The indices of the elements so far.
    Holey(Vec<u32>, Lengths, u32),
}

impl<'a> Decoder<'a> {
    /// Reads one value. Containers wait on a stack of their own, so the depth of a message costs no stack of the thread.
    fn value(&mut self) -> Result<Value> {
        let mut open: Vec<Building> = Vec::new();
        let mut place = Place::Value;
        loop {
            let at = self.cursor.at();
            let token = self.cursor.next(place)?;
            let mut done = match self.begin(token)? {
                Begun::Container(building) => {
                    self.cursor.enter()?;
                    open.push(building);
                    None
                }
                Begun::Leaf(value) => Some(value),
                Begun::Holes(run) => {
                    if let Some(Building {
                        kind: Kind::Holey(_, lengths, length),
                        ..
                    }) = open.last_mut()
                    {
                        *length = lengths.holes(run, at)?;
                    }
                    None
                }
            };
            place = loop {
                let Some(top) = open.last_mut() else {
                    return Ok(done.unwrap_or_default());
                };
                if let Some(value) = done.take() {
                    top.push(value, at)?;
                }
                if let Some(left) = top.left.checked_sub(1) {
                    top.left = left;
                    break top.next_place();
                }
                self.cursor.leave();
                done = open.pop().map(Building::finish);
            };
        }
    }

    #[inline]
    fn begin(&mut self, token: Token<'a>) -> Result<Begun> {
        let (kind, left) = match token {
            Token::Object {
                null_prototype,
                keys,
            } => {
                let left = keys.len();
                (Kind::Object(self.shape(keys), null_prototype), left)
            }
            Token::Array(count) => (Kind::Array, count as usize),
            Token::Set(count) => (Kind::Set, count as usize),
            Token::Map(count) => (Kind::Map, count as usize * 2),
            Token::Envelope => (Kind::Envelope, 2),
            Token::Error(head) => (
                Kind::Error(self.error(&head), head.rest),
                head.rest.0.count_ones() as usize,
            ),
            Token::Holey(count) => {
                let places = Vec::with_capacity(count as usize);
                (Kind::Holey(places, Lengths::default(), 0), count as usize)
            }
            Token::Holes(run) => return Ok(Begun::Holes(run)),
            Token::RegExp(strings, last_index) => {
                return Ok(Begun::Leaf(self.regexp(strings, last_index)));
            }
            leaf => return Ok(Begun::Leaf(self::leaf(leaf))),
        };
        Ok(Begun::Container(Building {
            kind,
            left,
            values: Vec::with_capacity(left),
        }))
    }

    fn regexp(&self, strings: Strings, last_index: u32) -> Value {
        let mut texts = self.cursor.strings_of(strings).map(JsString::from);
        let mut next = || texts.next().unwrap_or_else(|| "".into());
        RegExp {
            source: next(),
            flags: next(),
            last_index,
        }
        .into()
    }

    fn error(&self, head: &ErrorHead) -> Box<ErrorValue> {
        let texts = self.cursor.error_texts(head);
        Box::new(ErrorValue {
            class: head.class,
            name: texts.name.map(StrRef::to_js_string),
            message: texts.message.map(StrRef::to_js_string),
            stack: texts.stack.map(StrRef::to_js_string),
            ..ErrorValue::default()
        })
    }

    fn shape(&mut self, keys: Keys<'a>) -> Arc<Shape> {
        match keys {
            Keys::Table(shape) => Arc::clone(shape),
            Keys::Local(_, number) => Arc::clone(&self.shapes[number as usize]),
            Keys::New(_) => {
                let keys = self.cursor.keys(&keys).map(Into::into).collect();
                let shape = Arc::new(Shape::of_distinct(keys));
                self.shapes.push(Arc::clone(&shape));
                shape
            }
        }
    }
}

enum Begun {
    Leaf(Value),
    Container(Building),
    Holes(u32),
}

impl Building {
    #[inline]
    fn push(&mut self, value: Value, at: usize) -> Result<()> {
        match &mut self.kind {
            Kind::Holey(places, lengths, length) => {
                places.push(*length);
                *length = lengths.element(at)?;
            }
            Kind::Error(error, rest) => {
                set_field(error, rest.pop(), value);
                return Ok(());
            }
            _ => {}
        }
        self.values.push(value);
        Ok(())
    }

    /// What may stand where the next value is.
    #[inline]
    fn next_place(&mut self) -> Place {
        match &mut self.kind {
            Kind::Holey(..) => Place::Entry,
            Kind::Error(_, rest) => rest
                .clone()
                .pop()
                .map_or(Place::Value, Place::of_error_field),
            _ => Place::Value,
        }
    }

    fn finish(self) -> Value {
        let mut values = self.values;
        match self.kind {
            Kind::Object(shape, null_prototype) => {
                Value::Object(Object::of_parts(shape, values, null_prototype))
            }
            Kind::Array => Value::Array(values),
            Kind::Set => Value::Set(values),
            Kind::Map => {
                let mut values = values.into_iter();
                Value::Map(std::iter::from_fn(|| Some((values.next()?, values.next()?))).collect())
            }
            Kind::Envelope => {
                let body = values.pop().unwrap_or_default();
                Value::Envelope(Box::new(Envelope {
                    header: values.pop().unwrap_or_default(),
                    body,
                }))
            }
            Kind::Error(error, _) => Value::Error(error),
            Kind::Holey(places, _, length) => Value::Sparse(Box::new(SparseArray {
                length,
                entries: places.into_iter().zip(values).collect(),
            })),
        }
    }
}

fn set_field(error: &mut ErrorValue, bit: Option<u32>, value: Value) {
    match (bit, value) {
        (Some(ErrorRest::CAUSE), value) => error.cause = Some(value),
        (Some(ErrorRest::CODE), value) => error.code = Some(value),
        (Some(ErrorRest::ERRORS), value) => error.errors = Some(value),
        (_, Value::Object(properties)) => error.properties = Some(properties),
        // `Place::Properties` lets nothing but an object through.
        _ => {}
    }
}

/// The value of a token that announces no others.
fn leaf(token: Token<'_>) -> Value {
    match token {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(value),
        Token::BigInt64(value) => Value::BigInt(value.into()),
        Token::BigInt { negative, limbs } => {
            Value::BigInt(BigInt::from_limb_bytes(negative, limbs))
        }
        Token::Date(ms) => Value::Date(ms),
        Token::Numbers(bytes) => Value::Numbers(doubles(bytes).collect()),
        Token::Url(href) => Value::Url(href.into()),
        Token::Symbol(key) => Value::Symbol(key.into()),
        Token::Binary { kind, bytes } => Value::Binary(Binary {
            kind,
            bytes: bytes.into(),
        }),
        Token::BinaryBlock(block) => Value::BinaryBlock(block),
        Token::StringBlock(block) => Value::StringBlock(block),
        Token::SharedMemory(memory) => Value::SharedMemory(memory),
        Token::Ref(number) => Value::Ref(number),
        Token::Number(number) => Value::Number(number),
        Token::String(text) => Value::String(text.into()),
        _ => Value::Undefined,
    }
}

/// The doubles in raw slots, NaN made canonical.
pub(super) fn doubles(bytes: &[u8]) -> impl ExactSizeIterator<Item = f64> + Clone + '_ {
    bytes.chunks_exact(8).map(|chunk| {
        let mut bits = [0; 8];
        bits.copy_from_slice(chunk);
        crate::tag::double(u64::from_le_bytes(bits))
    })
}
