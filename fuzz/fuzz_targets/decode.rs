//! Any bytes as a message: never a panic, never a large allocation, and all ways of reading agree.
#![no_main]

use std::sync::LazyLock;

use knit_codec::{Limits, Reader, ShapeTable, ValueRef, from_bytes, from_bytes_with, to_bytes};
use libfuzzer_sys::fuzz_target;

/// Two shapes: `{x, y}` and `{}`.
static SHAPES: LazyLock<ShapeTable> =
    LazyLock::new(|| ShapeTable::parse(&[7, 2, 2, 1, 1, 0x7978, 0, 0]).expect("a valid table"));

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::DEFAULT.with_depth(200);
    let read = from_bytes_with(bytes, limits, Some(&SHAPES));
    let checked = Reader::new(bytes, limits, Some(&SHAPES));
    match (&read, &checked) {
        (Ok(value), Ok(reader)) => {
            walk(reader.root());
            let again = to_bytes(value).expect("what was read can be written");
            assert_eq!(from_bytes(&again).as_ref(), Ok(value));
        }
        (Err(error), Err(other)) => assert_eq!(error, other),
        _ => panic!("{read:?} against {checked:?}"),
    }
    let ignored =
        knit_codec::serde::from_bytes_with::<serde::de::IgnoredAny>(bytes, limits, Some(&SHAPES));
    assert_eq!(ignored.map(|_| ()), read.map(|_| ()));
    // The types do not matter: whatever serde asks for, bytes are bytes.
    let _ = knit_codec::serde::from_bytes_with::<Anything>(bytes, limits, Some(&SHAPES));
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    let _ = ShapeTable::parse(&words);
});

/// Touches everything that a message shows.
fn walk(value: ValueRef<'_>) {
    match value {
        ValueRef::Object(object) => object.iter().for_each(|(_, value)| walk(value)),
        ValueRef::Array(items) | ValueRef::Set(items) | ValueRef::Envelope(items) => {
            items.iter().for_each(|(_, value)| walk(value));
        }
        ValueRef::Map(entries) => entries.iter().for_each(|(key, value)| {
            walk(key);
            walk(value);
        }),
        ValueRef::Error(error) => {
            let fields = [
                error.cause(),
                error.code(),
                error.errors(),
                error.properties(),
            ];
            fields.into_iter().flatten().for_each(walk);
        }
        _ => {}
    }
}

/// Takes what comes, as `serde_json::Value` does.
struct Anything;

impl<'de> serde::Deserialize<'de> for Anything {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        macro_rules! take {
            ($($method:ident: $type:ty;)*) => {
                $(fn $method<E>(self, _: $type) -> Result<Anything, E> { Ok(Anything) })*
            };
        }
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Anything;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }
            take! {
                visit_bool: bool;
                visit_i64: i64;
                visit_u64: u64;
                visit_i128: i128;
                visit_u128: u128;
                visit_f64: f64;
                visit_str: &str;
                visit_bytes: &[u8];
            }
            fn visit_unit<E>(self) -> Result<Anything, E> {
                Ok(Anything)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Anything, A::Error> {
                while seq.next_element::<Anything>()?.is_some() {}
                Ok(Anything)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Anything, A::Error> {
                while map.next_entry::<Anything, Anything>()?.is_some() {}
                Ok(Anything)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
