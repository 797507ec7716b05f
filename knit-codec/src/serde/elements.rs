//! Packed numbers and typed arrays as sequences.

use ::serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};

use crate::error::{CodecError, Result};
use crate::kinds::BinaryKind;
use crate::tag;

/// The elements of a typed array, or packed numbers, that are still to be read.
pub(super) struct Elements<'de> {
    kind: BinaryKind,
    left: std::slice::ChunksExact<'de, u8>,
}

impl<'de> Elements<'de> {
    pub(super) fn numbers(bytes: &'de [u8]) -> Self {
        Self::binary(BinaryKind::Float64Array, bytes)
    }

    pub(super) fn binary(kind: BinaryKind, bytes: &'de [u8]) -> Self {
        Self {
            kind,
            left: bytes.chunks_exact(kind.element_size()),
        }
    }

    pub(super) fn visit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        let value = visitor.visit_seq(&mut self)?;
        if self.left.len() == 0 {
            Ok(value)
        } else {
            Err(super::access::TOO_MANY)
        }
    }
}

/// The bytes of an element as an integer.
fn bits(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = CodecError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(element) = self.left.next() else {
            return Ok(None);
        };
        let bits = bits(element);
        let value = match self.kind {
            BinaryKind::Int8Array => seed.deserialize((bits as i8).into_deserializer()),
            BinaryKind::Int16Array => seed.deserialize((bits as i16).into_deserializer()),
            BinaryKind::Int32Array => seed.deserialize((bits as i32).into_deserializer()),
            BinaryKind::BigInt64Array => seed.deserialize((bits as i64).into_deserializer()),
            BinaryKind::Float16Array => seed.deserialize(Number(half(bits as u16))),
            BinaryKind::Float32Array => {
                seed.deserialize(Number(f32::from_bits(bits as u32).into()))
            }
            BinaryKind::Float64Array => seed.deserialize(Number(tag::double(bits))),
            _ => seed.deserialize(bits.into_deserializer()),
        };
        value.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

/// A half-precision float.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3FF);
    sign * match i32::from(bits >> 10 & 0x1F) {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// A number, an integer wherever a visitor wants one.
struct Number(f64);

impl<'de> Deserializer<'de> for Number {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        super::de::visit_number(self.0, visitor)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_f64(self.0)
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_f64(self.0)
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

    ::serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
