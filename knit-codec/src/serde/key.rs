//! Keys of maps: a string makes an object's key, anything else is written as a value of a `Map`.

use ::serde::Serialize;
use ::serde::ser;

use super::ser::{Compound, Entries, Form, Serializer};
use crate::error::{CodecError, Result};

pub(super) struct KeySerializer<'k, 'w> {
    pub(super) to: &'k mut Serializer<'w>,
    pub(super) form: &'k mut Form,
    pub(super) len: Option<usize>,
}

impl<'k, 'w> KeySerializer<'k, 'w> {
    fn text(self, key: &str) -> Result<()> {
        self.form.text_key(self.to, key, self.len)
    }

    fn value(self) -> Result<&'k mut Serializer<'w>> {
        self.form.other_key(self.to)?;
        Ok(self.to)
    }
}

macro_rules! values {
    ($($method:ident($($name:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $($name: $type),*) -> Result<$result> {
            self.value()?.$method($($name),*)
        })*
    };
}

impl<'k, 'w> ser::Serializer for KeySerializer<'k, 'w> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Compound<'k, 'w>;
    type SerializeTuple = Compound<'k, 'w>;
    type SerializeTupleStruct = Compound<'k, 'w>;
    type SerializeTupleVariant = Compound<'k, 'w>;
    type SerializeMap = Entries<'k, 'w>;
    type SerializeStruct = Compound<'k, 'w>;
    type SerializeStructVariant = Compound<'k, 'w>;

    fn serialize_str(self, key: &str) -> Result<()> {
        self.text(key)
    }

    fn serialize_char(self, key: char) -> Result<()> {
        self.text(key.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<()> {
        self.text(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<()> {
        key.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        key: &T,
    ) -> Result<()> {
        key.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        key: &T,
    ) -> Result<()> {
        self.value()?
            .serialize_newtype_variant(name, index, variant, key)
    }

    values! {
        serialize_bool(key: bool) -> ();
        serialize_i8(key: i8) -> ();
        serialize_i16(key: i16) -> ();
        serialize_i32(key: i32) -> ();
        serialize_i64(key: i64) -> ();
        serialize_i128(key: i128) -> ();
        serialize_u8(key: u8) -> ();
        serialize_u16(key: u16) -> ();
        serialize_u32(key: u32) -> ();
        serialize_u64(key: u64) -> ();
        serialize_u128(key: u128) -> ();
        serialize_f32(key: f32) -> ();
        serialize_f64(key: f64) -> ();
        serialize_bytes(key: &[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(name: &'static str) -> ();
        serialize_seq(len: Option<usize>) -> Compound<'k, 'w>;
        serialize_tuple(len: usize) -> Compound<'k, 'w>;
        serialize_tuple_struct(name: &'static str, len: usize) -> Compound<'k, 'w>;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Compound<'k, 'w>;
        serialize_map(len: Option<usize>) -> Entries<'k, 'w>;
        serialize_struct(name: &'static str, len: usize) -> Compound<'k, 'w>;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Compound<'k, 'w>;
    }
}
