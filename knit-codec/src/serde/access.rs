//! Containers as serde sees them: sequences, maps, variants.

use ::serde::de::value::BorrowedStrDeserializer;
use ::serde::de::{
    DeserializeSeed, Deserializer as _, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use ::serde::forward_to_deserialize_any;

use super::de::{Deserializer, visit_text};
use crate::error::{CodecError, Result};
use crate::read::{KeyIter, Keys, Lengths, Place, Token};
use crate::string::StrRef;
use crate::tag;

/// The type took fewer elements than there are.
pub(super) const TOO_MANY: CodecError =
    CodecError::Unsupported("more elements than the type has room for");

/// An array, a set, an envelope.
pub(super) struct Sequence<'r, 'de> {
    de: &'r mut Deserializer<'de>,
    /// Values, or entries, that have not begun.
    left: usize,
    /// Holes of the run that is being passed.
    holes: u32,
    /// For a holey array: what has been counted, and how many holes may still come.
    holey: Option<(Lengths, usize)>,
}

impl<'r, 'de> Sequence<'r, 'de> {
    pub(super) fn of(de: &'r mut Deserializer<'de>, left: usize, holey: bool) -> Self {
        // Each hole becomes an element in memory: no more of them than the message has bytes.
        let holey = holey.then(|| (Lengths::default(), de.cursor.size()));
        Self {
            de,
            left,
            holes: 0,
            holey,
        }
    }

    pub(super) fn finish(&self) -> Result<()> {
        if self.left == 0 && self.holes == 0 {
            Ok(())
        } else {
            Err(TOO_MANY)
        }
    }

    /// Steps to the next element of a holey array; true if it is a hole.
    fn hole(&mut self) -> Result<bool> {
        let Some((lengths, most)) = &mut self.holey else {
            return Ok(false);
        };
        if self.holes == 0 {
            let at = self.de.cursor.at();
            if self
                .de
                .cursor
                .peek()
                .is_none_or(|slot| slot >> 40 != tag::slot(tag::HOLES, 0, 0) >> 40)
            {
                self.left -= 1;
                lengths.element(at)?;
                return Ok(false);
            }
            if let Token::Holes(run) = self.de.cursor.next(Place::Entry)? {
                lengths.holes(run, at)?;
                *most = most
                    .checked_sub(run as usize)
                    .ok_or(CodecError::Unsupported("an array of mostly holes"))?;
                self.holes = run;
            }
            self.left -= 1;
        }
        self.holes -= 1;
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Sequence<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.left == 0 && self.holes == 0 {
            return Ok(None);
        }
        if self.holey.is_none() {
            self.left -= 1;
        } else if self.hole()? {
            return seed.deserialize(Hole).map(Some);
        }
        seed.deserialize(&mut *self.de).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// `undefined`, or nothing.
struct Hole;

impl<'de> ::serde::Deserializer<'de> for Hole {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A map that knows whether all of it has been read.
pub(super) trait Finish<'de>: MapAccess<'de, Error = CodecError> {
    fn de(&mut self) -> &mut Deserializer<'de>;
    fn is_finished(&self) -> bool;
}

/// Visits a map and checks that the visitor read all of it.
#[inline]
pub(super) fn visit_map<'de, V: Visitor<'de>>(
    mut map: impl Finish<'de>,
    visitor: V,
) -> Result<V::Value> {
    map.de().cursor.enter()?;
    let value = visitor.visit_map(&mut map)?;
    if !map.is_finished() {
        return Err(TOO_MANY);
    }
    map.de().cursor.leave();
    Ok(value)
}

/// An object.
pub(super) struct Fields<'r, 'de> {
    de: &'r mut Deserializer<'de>,
    keys: KeyIter<'de>,
    left: usize,
}

impl<'r, 'de> Fields<'r, 'de> {
    pub(super) fn of(de: &'r mut Deserializer<'de>, keys: &Keys<'de>) -> Self {
        Self {
            keys: de.cursor.keys(keys),
            left: keys.len(),
            de,
        }
    }
}

impl<'de> Finish<'de> for Fields<'_, 'de> {
    fn de(&mut self) -> &mut Deserializer<'de> {
        self.de
    }

    fn is_finished(&self) -> bool {
        self.left == 0
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = CodecError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        match self.keys.next() {
            Some(key) => seed.deserialize(Text(key)).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(CodecError::Unsupported("a value without a key"))?;
        seed.deserialize(&mut *self.de)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A `Map`.
pub(super) struct Pairs<'r, 'de> {
    de: &'r mut Deserializer<'de>,
    /// Keys and values that are left.
    left: usize,
}

impl<'r, 'de> Pairs<'r, 'de> {
    pub(super) fn of(de: &'r mut Deserializer<'de>, entries: usize) -> Self {
        Self {
            de,
            left: entries * 2,
        }
    }
}

impl<'de> Finish<'de> for Pairs<'_, 'de> {
    fn de(&mut self) -> &mut Deserializer<'de> {
        self.de
    }

    fn is_finished(&self) -> bool {
        self.left == 0
    }
}

impl<'de> MapAccess<'de> for Pairs<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.de).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(CodecError::Unsupported("a value without a key"))?;
        seed.deserialize(&mut *self.de)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left / 2)
    }
}

/// A string that has been read.
#[derive(Clone, Copy)]
pub(super) struct Text<'de>(pub(super) StrRef<'de>);

impl<'de> ::serde::Deserializer<'de> for Text<'de> {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visit_text(self.0, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            StrRef::Utf8(text) => {
                BorrowedStrDeserializer::new(text).deserialize_enum(name, variants, visitor)
            }
            StrRef::Utf16(_) => {
                let text = self.0.to_js_string();
                let text = text.as_str().ok_or(super::de::LONE)?;
                visitor.visit_enum(::serde::de::IntoDeserializer::into_deserializer(text))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A variant with content: an object of one key.
pub(super) struct Variant<'r, 'de> {
    pub(super) de: &'r mut Deserializer<'de>,
    pub(super) name: StrRef<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self)> {
        let name = seed.deserialize(Text(self.name))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<()> {
        ::serde::Deserialize::deserialize(self.de)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.de)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.de.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.de.deserialize_any(visitor)
    }
}
