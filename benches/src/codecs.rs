//! One type per codec: how it writes into memory that it keeps from call to call, and how it reads.

use knit_codec::{Limits, ShapeTable, ShapeWriter, Writer};
use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use serde::{Serialize, de::DeserializeOwned};

/// A codec of `serde` values, with the memory that it keeps.
pub trait Codec: Default {
    /// Its name in the report.
    const NAME: &'static str;

    /// Writes a value; it stays until the next.
    fn encode<T: Serialize>(&mut self, value: &T) -> &[u8];

    /// Reads an owned value.
    fn decode<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> T;
}

/// knit-codec, each message by itself: it names the keys of its objects, each shape once.
#[derive(Default)]
pub struct Knit(Writer);

impl Codec for Knit {
    const NAME: &'static str = "knit-codec";

    fn encode<T: Serialize>(&mut self, value: &T) -> &[u8] {
        self.0.clear();
        knit_codec::serde::to_writer(&mut self.0, value).expect("a value that Knit can hold");
        self.0.finish().expect("a whole message")
    }

    fn decode<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> T {
        knit_codec::serde::from_bytes(bytes).expect("what was written")
    }
}

/// knit-codec as a pool uses it: both sides share a table of shapes.
pub struct KnitShared {
    writer: Writer,
    table: ShapeTable,
}

/// Words of the shape table.
const TABLE_WORDS: usize = 4096;

impl Default for KnitShared {
    fn default() -> Self {
        let shapes = ShapeWriter::new(vec![0; TABLE_WORDS]).expect("an empty table");
        KnitShared {
            writer: Writer::new().with_shapes(shapes),
            table: ShapeTable::default(),
        }
    }
}

impl Codec for KnitShared {
    const NAME: &'static str = "knit-codec (shared shapes)";

    fn encode<T: Serialize>(&mut self, value: &T) -> &[u8] {
        self.writer.clear();
        knit_codec::serde::to_writer(&mut self.writer, value).expect("a value that Knit can hold");
        self.writer.finish().expect("a whole message")
    }

    fn decode<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> T {
        if let Some(shapes) = self.writer.shapes()
            && shapes.len() != self.table.len()
        {
            self.table.extend(shapes.words()).expect("a sound table");
        }
        knit_codec::serde::from_bytes_with(bytes, Limits::DEFAULT, Some(&self.table))
            .expect("what was written")
    }
}

/// serde_json.
#[derive(Default)]
pub struct Json(Vec<u8>);

impl Codec for Json {
    const NAME: &'static str = "serde_json";

    fn encode<T: Serialize>(&mut self, value: &T) -> &[u8] {
        self.0.clear();
        serde_json::to_writer(&mut self.0, value).expect("a value that JSON can hold");
        &self.0
    }

    fn decode<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> T {
        serde_json::from_slice(bytes).expect("what was written")
    }
}

/// rmp-serde, structures as maps: with their keys, as Knit and JSON write them.
#[derive(Default)]
pub struct MessagePack(Vec<u8>);

impl Codec for MessagePack {
    const NAME: &'static str = "rmp-serde (named)";

    fn encode<T: Serialize>(&mut self, value: &T) -> &[u8] {
        self.0.clear();
        rmp_serde::encode::write_named(&mut self.0, value)
            .expect("a value that MessagePack can hold");
        &self.0
    }

    fn decode<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> T {
        rmp_serde::from_slice(bytes).expect("what was written")
    }
}

/// postcard: neither keys nor types; the reader must know both. Into one slice, which is its fastest way.
pub struct Postcard(Vec<u8>);

/// More than any of the values needs.
const POSTCARD_BYTES: usize = 1 << 20;

impl Default for Postcard {
    fn default() -> Self {
        Postcard(vec![0; POSTCARD_BYTES])
    }
}

impl Codec for Postcard {
    const NAME: &'static str = "postcard (no keys)";

    fn encode<T: Serialize>(&mut self, value: &T) -> &[u8] {
        postcard::to_slice(value, &mut self.0).expect("a value that postcard can hold")
    }

    fn decode<T: DeserializeOwned>(&mut self, bytes: &[u8]) -> T {
        postcard::from_bytes(bytes).expect("what was written")
    }
}

/// What rkyv asks of a type to write it, to check it, and to read it.
pub trait Archived:
    rkyv::Archive<
        Archived: for<'a> CheckBytes<HighValidator<'a, Error>>
                      + rkyv::Deserialize<Self, HighDeserializer<Error>>,
    > + for<'a> rkyv::Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>
    + Sized
{
}

impl<T> Archived for T where
    T: rkyv::Archive<
            Archived: for<'a> CheckBytes<HighValidator<'a, Error>>
                          + rkyv::Deserialize<T, HighDeserializer<Error>>,
        > + for<'a> rkyv::Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>
{
}

/// rkyv: the bytes are the value, laid out for reading in place.
pub mod rkyv_codec {
    use super::*;

    /// Writes `value` into `out`, which keeps its memory.
    pub fn encode<T: Archived>(value: &T, mut out: AlignedVec) -> AlignedVec {
        out.clear();
        rkyv::api::high::to_bytes_in::<_, Error>(value, out).expect("a value that rkyv can hold")
    }

    /// Checks and reads an owned value: what the others do.
    pub fn decode<T: Archived>(bytes: &[u8]) -> T {
        rkyv::from_bytes::<T, Error>(bytes).expect("what was written")
    }

    /// Only checks, which is all that reading in place needs.
    pub fn access<T: Archived>(bytes: &[u8]) -> &T::Archived {
        rkyv::access::<T::Archived, Error>(bytes).expect("what was written")
    }
}
