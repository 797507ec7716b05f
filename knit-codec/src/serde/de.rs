//! `Deserializer`: tokens of a message to calls of a visitor.

use ::serde::de::{self, IntoDeserializer, Visitor};

use super::access::{self, Fields, Pairs, Sequence, Variant};
use super::elements::Elements;
use crate::bigint::BigInt;
use crate::error::{CodecError, Result};
use crate::limits::Limits;
use crate::read::{Cursor, Open, Place, Token};
use crate::string::{JsString, StrRef};
use crate::table::ShapeTable;
use crate::tag;

/// Slots that references may make a message grow by, per slot it has.
const GROWTH: usize = 16;
/// And at least.
const LEAST_GROWTH: usize = 4096;

pub(super) struct Deserializer<'de> {
    pub(super) cursor: Cursor<'de>,
    /// What may stand where the next value is read.
    pub(super) place: Place,
    scratch: Vec<Open>,
    /// References that are being followed.
    following: usize,
    /// Slots that may still be read again.
    budget: usize,
}

impl<'de> Deserializer<'de> {
    pub(super) fn new(
        bytes: &'de [u8],
        limits: Limits,
        shapes: Option<&'de ShapeTable>,
    ) -> Result<Self> {
        let cursor = Cursor::new(bytes, limits, shapes, true)?;
        let budget = cursor.size() / tag::SLOT * GROWTH + LEAST_GROWTH;
        Ok(Self {
            cursor,
            place: Place::Value,
            scratch: Vec::new(),
            following: 0,
            budget,
        })
    }

    pub(super) fn finish(&self, bytes: &[u8]) -> Result<()> {
        self.cursor.finish(bytes)
    }

    fn token(&mut self) -> Result<Token<'de>> {
        let place = std::mem::replace(&mut self.place, Place::Value);
        if self.following == 0 {
            return self.cursor.next(place);
        }
        let before = self.cursor.used();
        let token = self.cursor.next(place)?;
        let read = (self.cursor.used() - before).div_ceil(tag::SLOT);
        self.budget = self
            .budget
            .checked_sub(read)
            .ok_or(CodecError::Unsupported("references that repeat too much"))?;
        Ok(token)
    }

    /// Reads a value and hands it to `visit`; a reference is followed and read where it points.
    #[inline]
    pub(super) fn read<T>(
        &mut self,
        visit: impl FnOnce(&mut Self, Token<'de>) -> Result<T>,
    ) -> Result<T> {
        match self.token()? {
            Token::Ref(number) => self.follow(number, visit),
            token => visit(self, token),
        }
    }

    fn follow<T>(
        &mut self,
        number: u32,
        visit: impl FnOnce(&mut Self, Token<'de>) -> Result<T>,
    ) -> Result<T> {
        // A cycle comes to its end here: every reference followed counts as a level.
        self.cursor.enter()?;
        let position = self.cursor.jump(number)?;
        self.following += 1;
        let token = self.token()?;
        let value = visit(self, token)?;
        self.following -= 1;
        self.cursor.restore(position);
        self.cursor.leave();
        Ok(value)
    }

    #[inline(never)]
    pub(super) fn visit<V: Visitor<'de>>(
        &mut self,
        token: Token<'de>,
        visitor: V,
    ) -> Result<V::Value> {
        match token {
            Token::Undefined | Token::Null | Token::Holes(_) => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Number(value) => visit_number(value, visitor),
            Token::Date(ms) => visitor.visit_f64(ms),
            Token::String(text) | Token::Url(text) | Token::Symbol(text) => {
                visit_text(text, visitor)
            }
            Token::RegExp(strings, _) => {
                let texts: Vec<JsString> =
                    self.cursor.strings_of(strings).map(Into::into).collect();
                match texts
                    .iter()
                    .map(JsString::as_str)
                    .collect::<Option<Vec<_>>>()
                    .as_deref()
                {
                    Some([source, flags]) => visitor.visit_string(format!("/{source}/{flags}")),
                    _ => Err(LONE),
                }
            }
            Token::BigInt64(value) => visitor.visit_i64(value),
            Token::BigInt { negative, limbs } => visit_bigint(negative, limbs, visitor),
            Token::Binary { bytes, .. } => visitor.visit_borrowed_bytes(bytes),
            Token::Array(count) | Token::Set(count) => {
                self.sequence(count as usize, false, visitor)
            }
            Token::Holey(count) => self.sequence(count as usize, true, visitor),
            Token::Envelope => self.sequence(2, false, visitor),
            Token::Numbers(bytes) => Elements::numbers(bytes).visit(visitor),
            Token::Object { keys, .. } => {
                let fields = Fields::of(self, &keys);
                access::visit_map(fields, visitor)
            }
            Token::Map(count) => access::visit_map(Pairs::of(self, count as usize), visitor),
            Token::Error(head) => {
                let fields = super::errors::ErrorFields::of(self, head);
                access::visit_map(fields, visitor)
            }
            Token::BinaryBlock(_) | Token::StringBlock(_) => {
                Err(CodecError::Unsupported("a block has no form in serde"))
            }
            Token::SharedMemory(_) => Err(CodecError::Unsupported(
                "shared memory has no form in serde",
            )),
            Token::Ref(number) => self.follow(number, |de, token| de.visit(token, visitor)),
        }
    }

    fn sequence<V: Visitor<'de>>(
        &mut self,
        count: usize,
        holey: bool,
        visitor: V,
    ) -> Result<V::Value> {
        self.cursor.enter()?;
        let mut sequence = Sequence::of(self, count, holey);
        let value = visitor.visit_seq(&mut sequence)?;
        sequence.finish()?;
        self.cursor.leave();
        Ok(value)
    }
}

/// Text with a lone surrogate was asked for as a Rust string.
pub(super) const LONE: CodecError =
    CodecError::Unsupported("a string with a lone surrogate is no Rust string");

pub(super) fn visit_text<'de, V: Visitor<'de>>(text: StrRef<'de>, visitor: V) -> Result<V::Value> {
    match text {
        StrRef::Utf8(text) => visitor.visit_borrowed_str(text),
        StrRef::Utf16(units) => {
            let text = char::decode_utf16(units.iter()).collect::<Result<String, _>>();
            visitor.visit_string(text.map_err(|_| LONE)?)
        }
    }
}

/// A number without a fraction is an integer to a visitor; -0 keeps its sign only as a float.
#[inline]
pub(super) fn visit_number<'de, V: Visitor<'de>>(value: f64, visitor: V) -> Result<V::Value> {
    let integer = value as i64;
    if integer as f64 == value
        && integer.unsigned_abs() < 1 << 53
        && (integer != 0 || value.is_sign_positive())
    {
        return if integer < 0 {
            visitor.visit_i64(integer)
        } else {
            visitor.visit_u64(integer as u64)
        };
    }
    visitor.visit_f64(value)
}

fn visit_bigint<'de, V: Visitor<'de>>(
    negative: bool,
    limbs: &[u8],
    visitor: V,
) -> Result<V::Value> {
    let value = BigInt::from_limb_bytes(negative, limbs);
    match (value.to_u128(), value.to_i128()) {
        (Some(value), _) => match u64::try_from(value) {
            Ok(value) => visitor.visit_u64(value),
            Err(_) => visitor.visit_u128(value),
        },
        (None, Some(value)) => visitor.visit_i128(value),
        (None, None) => Err(CodecError::Unsupported("a bigint of more than 128 bits")),
    }
}

/// Methods for what is asked for most: one token is handled at once, the others as ever.
macro_rules! expect {
    ($($token:ident => $visit:ident: $($method:ident)*;)*) => {
        $($(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.read(|de, token| match token {
                Token::$token(value) => $visit(value, visitor),
                token => de.visit(token, visitor),
            })
        })*)*
    };
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read(|de, token| de.visit(token, visitor))
    }

    expect! {
        Number => visit_number:
            deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128;
        String => visit_text: deserialize_str deserialize_string deserialize_identifier;
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read(|de, token| match token {
            Token::Number(value) => visitor.visit_f64(value),
            token => de.visit(token, visitor),
        })
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let nothing = [tag::UNDEFINED, tag::NULL].map(|tag| Some(tag::slot(tag, 0, 0)));
        if !nothing.contains(&self.cursor.peek()) {
            return visitor.visit_some(self);
        }
        self.token()?;
        visitor.visit_none()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read(|de, token| match token {
            Token::Binary { kind, bytes } => Elements::binary(kind, bytes).visit(visitor),
            token => de.visit(token, visitor),
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.read(|de, token| match token {
            Token::String(StrRef::Utf8(name)) => visitor.visit_enum(name.into_deserializer()),
            Token::String(text) => {
                let text = text.to_js_string();
                visitor.visit_enum(text.as_str().ok_or(LONE)?.into_deserializer())
            }
            Token::Object { keys, .. } if keys.len() == 1 => {
                de.cursor.enter()?;
                let name = de.cursor.keys(&keys).next().ok_or(LONE)?;
                let value = visitor.visit_enum(Variant { de: &mut *de, name })?;
                de.cursor.leave();
                Ok(value)
            }
            _ => Err(CodecError::Unsupported(
                "an enum is a string, or an object with the variant as its only key",
            )),
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let place = std::mem::replace(&mut self.place, Place::Value);
        self.cursor.check(place, &mut self.scratch)?;
        visitor.visit_unit()
    }

    ::serde::forward_to_deserialize_any! {
        bool char bytes byte_buf unit unit_struct map
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }
}
