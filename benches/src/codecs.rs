//! One type per codec: how it writes into a buffer that is kept from call to call, and how it reads.

use rkyv::api::high::{HighDeserializer, HighSerializer, HighValidator};
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;
use serde::{Serialize, de::DeserializeOwned};

/// A codec of `serde` values.
pub trait Codec {
    /// Its name in the report.
    const NAME: &'static str;

    /// Writes `value` at the start of `out`, whatever was there; says how long it is.
    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> usize;

    /// Reads an owned value.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T;
}

/// serde_json.
pub struct Json;

impl Codec for Json {
    const NAME: &'static str = "serde_json";

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> usize {
        out.clear();
        serde_json::to_writer(&mut *out, value).expect("a value that JSON can hold");
        out.len()
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T {
        serde_json::from_slice(bytes).expect("what was written")
    }
}

/// rmp-serde, structures as maps: with their keys, as Knit and JSON write them.
pub struct MessagePack;

impl Codec for MessagePack {
    const NAME: &'static str = "rmp-serde (named)";

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> usize {
        out.clear();
        rmp_serde::encode::write_named(out, value).expect("a value that MessagePack can hold");
        out.len()
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T {
        rmp_serde::from_slice(bytes).expect("what was written")
    }
}

/// postcard: neither keys nor types; the reader must know both.
pub struct Postcard;

/// More than any of the values needs.
const POSTCARD_BYTES: usize = 1 << 20;

impl Codec for Postcard {
    const NAME: &'static str = "postcard (no keys)";

    fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> usize {
        // Once; then it writes into the same slice, which is its fastest way.
        if out.len() < POSTCARD_BYTES {
            out.resize(POSTCARD_BYTES, 0);
        }
        postcard::to_slice(value, out)
            .expect("a value that postcard can hold")
            .len()
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> T {
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
