//! `Serializer`: Rust values to calls of the [`Writer`].

use ::serde::Serialize;
use ::serde::ser;

use super::key::KeySerializer;
use crate::bigint::BigInt;
use crate::error::{CodecError, Result};
use crate::kinds::BinaryKind;
use crate::tag::MAX_KEYS;
use crate::write::Writer;

/// Integers up to here, either way, are numbers without loss.
const SAFE: u64 = (1 << 53) - 1;

pub(super) struct Serializer<'w> {
    pub(super) writer: &'w mut Writer,
    /// Containers that may be open.
    pub(super) most: usize,
}

impl Serializer<'_> {
    fn check_depth(&self) -> Result<()> {
        if self.writer.depth() > self.most {
            return Err(CodecError::TooDeep {
                limit: super::DEPTH,
            });
        }
        Ok(())
    }

    fn begin_array(&mut self) -> Result<()> {
        self.writer.begin_array()?;
        self.check_depth()
    }

    fn begin_record(&mut self, name: &'static str, len: Option<usize>) -> Result<()> {
        self.writer.begin_record(name, len)?;
        self.check_depth()
    }

    /// The object around a variant's content.
    fn begin_variant(&mut self, variant: &'static str) -> Result<()> {
        self.begin_record(variant, Some(1))?;
        self.writer.static_key(variant)
    }

    fn wide(&mut self, value: BigInt, number: f64) -> Result<()> {
        if number.abs() <= SAFE as f64 {
            self.writer.number(number)
        } else {
            self.writer.bigint(&value)
        }
    }
}

/// A container that is being written: how many to end.
pub(super) struct Compound<'s, 'w> {
    pub(super) to: &'s mut Serializer<'w>,
    ends: u8,
}

impl Compound<'_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.to)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.to.writer.static_key(key)?;
        value.serialize(&mut *self.to)
    }

    fn finish(self) -> Result<()> {
        (0..self.ends).try_for_each(|_| self.to.writer.end())
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty;)*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<()> {
            self.writer.number(value.into())
        })*
    };
}

impl<'s, 'w> ser::Serializer for &'s mut Serializer<'w> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Compound<'s, 'w>;
    type SerializeTuple = Compound<'s, 'w>;
    type SerializeTupleStruct = Compound<'s, 'w>;
    type SerializeTupleVariant = Compound<'s, 'w>;
    type SerializeMap = Entries<'s, 'w>;
    type SerializeStruct = Compound<'s, 'w>;
    type SerializeStructVariant = Compound<'s, 'w>;

    numbers! {
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_f32: f32;
        serialize_f64: f64;
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.writer.bool(value)
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<()> {
        if value.unsigned_abs() <= SAFE {
            self.writer.number(value as f64)
        } else {
            self.writer.bigint64(value)
        }
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<()> {
        if value <= SAFE {
            self.writer.number(value as f64)
        } else {
            self.writer.bigint(&value.into())
        }
    }

    fn serialize_i128(self, value: i128) -> Result<()> {
        self.wide(value.into(), value as f64)
    }

    fn serialize_u128(self, value: u128) -> Result<()> {
        self.wide(value.into(), value as f64)
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.writer.string(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        self.writer.string(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.writer.binary(BinaryKind::Uint8Array, value)
    }

    fn serialize_none(self) -> Result<()> {
        self.writer.undefined()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.writer.undefined()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        self.writer.undefined()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<()> {
        self.writer.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.begin_variant(variant)?;
        value.serialize(&mut *self)?;
        self.writer.end()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Compound<'s, 'w>> {
        self.begin_array()?;
        Ok(Compound { to: self, ends: 1 })
    }

    fn serialize_tuple(self, len: usize) -> Result<Compound<'s, 'w>> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Compound<'s, 'w>> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'s, 'w>> {
        self.begin_variant(variant)?;
        self.begin_array()?;
        Ok(Compound { to: self, ends: 2 })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries<'s, 'w>> {
        let form = if len.is_some_and(|len| len > MAX_KEYS) {
            Form::map(self)?
        } else {
            Form::Open
        };
        Ok(Entries {
            to: self,
            form,
            len,
        })
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Compound<'s, 'w>> {
        self.begin_record(name, Some(len))?;
        Ok(Compound { to: self, ends: 1 })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Compound<'s, 'w>> {
        self.begin_variant(variant)?;
        self.begin_record(variant, Some(len))?;
        Ok(Compound { to: self, ends: 2 })
    }
}

/// A map that is being written. The first key decides what it becomes.
pub(super) struct Entries<'s, 'w> {
    to: &'s mut Serializer<'w>,
    form: Form,
    len: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// No key yet.
    Open,
    Object,
    Map,
}

impl Form {
    fn map(to: &mut Serializer<'_>) -> Result<Self> {
        to.writer.begin_map()?;
        to.check_depth()?;
        Ok(Self::Map)
    }

    /// A key that is a string.
    pub(super) fn text_key(
        &mut self,
        to: &mut Serializer<'_>,
        key: &str,
        len: Option<usize>,
    ) -> Result<()> {
        if *self == Self::Open {
            to.begin_record("", len)?;
            *self = Self::Object;
        }
        if *self == Self::Map {
            to.writer.string(key)
        } else {
            to.writer.key(key)
        }
    }

    /// Any other key: it is written as a value.
    pub(super) fn other_key(&mut self, to: &mut Serializer<'_>) -> Result<()> {
        match self {
            Self::Open => Self::map(to).map(|form| *self = form),
            Self::Map => Ok(()),
            Self::Object => Err(CodecError::Unsupported(
                "the keys of a map are all strings, or none is the first",
            )),
        }
    }
}

impl ser::SerializeMap for Entries<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        key.serialize(KeySerializer {
            to: self.to,
            form: &mut self.form,
            len: self.len,
        })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.to)
    }

    fn end(self) -> Result<()> {
        if self.form == Form::Open {
            self.to.begin_record("", Some(0))?;
        }
        self.to.writer.end()
    }
}

macro_rules! compound {
    ($($trait:ident::$method:ident($($key:ident)?) => $call:ident;)*) => {
        $(impl ser::$trait for Compound<'_, '_> {
            type Ok = ();
            type Error = CodecError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<()> {
                self.$call($($key,)? value)
            }

            fn end(self) -> Result<()> {
                self.finish()
            }
        })*
    };
}

compound! {
    SerializeSeq::serialize_element() => element;
    SerializeTuple::serialize_element() => element;
    SerializeTupleStruct::serialize_field() => element;
    SerializeTupleVariant::serialize_field() => element;
    SerializeStruct::serialize_field(key) => field;
    SerializeStructVariant::serialize_field(key) => field;
}
