//! What is written is read again, and nothing that is read does harm.

mod common;

use common::value;
use knit_codec::{
    ArrayRef, Limits, Object, Reader, ShapeTable, ShapeWriter, SparseArray, Value, ValueRef,
    Writer, from_bytes, from_bytes_with, to_bytes,
};
use proptest::prelude::*;

/// A value made by walking over a message in place.
fn owned(value: ValueRef<'_>) -> Value {
    let list = |array: &ArrayRef<'_>| {
        array
            .iter()
            .map(|(_, item)| owned(item))
            .collect::<Vec<_>>()
    };
    match value {
        ValueRef::Undefined => Value::Undefined,
        ValueRef::Null => Value::Null,
        ValueRef::Bool(value) => value.into(),
        ValueRef::Number(value) => value.into(),
        ValueRef::BigInt(value) => value.to_bigint().into(),
        ValueRef::String(text) => Value::String(text.into()),
        ValueRef::Symbol(key) => Value::Symbol(key.into()),
        ValueRef::Date(ms) => Value::Date(ms),
        ValueRef::Object(object) => {
            assert_eq!(object.len(), object.iter().count());
            let mut copy: Object = object
                .iter()
                .map(|(key, value)| (key.to_js_string(), owned(value)))
                .collect();
            copy.null_prototype = object.null_prototype();
            for (key, value) in copy.iter() {
                if let Some(key) = key.as_str() {
                    assert_eq!(object.get(key).map(owned).as_ref(), Some(value));
                }
            }
            copy.into()
        }
        ValueRef::Array(array) => {
            let entries = array
                .iter()
                .map(|(index, item)| (index, owned(item)))
                .collect();
            SparseArray {
                length: array.len() as u32,
                entries,
            }
            .into()
        }
        ValueRef::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (owned(key), owned(value)))
                .collect(),
        ),
        ValueRef::Set(items) => Value::Set(list(&items)),
        ValueRef::RegExp {
            source,
            flags,
            last_index,
        } => knit_codec::RegExp {
            source: source.into(),
            flags: flags.into(),
            last_index,
        }
        .into(),
        ValueRef::Url(href) => Value::Url(href.into()),
        ValueRef::Binary { kind, bytes } => knit_codec::Binary {
            kind,
            bytes: bytes.into(),
        }
        .into(),
        ValueRef::BinaryBlock(block) => Value::BinaryBlock(block),
        ValueRef::StringBlock(block) => Value::StringBlock(block),
        ValueRef::Error(error) => knit_codec::ErrorValue {
            class: error.class(),
            name: (error.name() != *error.class().name()).then(|| error.name().into()),
            message: error.message().map(Into::into),
            stack: error.stack().map(Into::into),
            cause: error.cause().map(owned),
            code: error.code().map(owned),
            errors: error.errors().map(owned),
            properties: error
                .properties()
                .map(owned)
                .map(|properties| match properties {
                    Value::Object(properties) => properties,
                    other => panic!("properties are an object, not {other:?}"),
                }),
        }
        .into(),
        ValueRef::SharedMemory(memory) => Value::SharedMemory(memory),
        ValueRef::Envelope(parts) => {
            let mut parts = list(&parts).into_iter();
            let (header, body) = (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            );
            knit_codec::Envelope { header, body }.into()
        }
        ValueRef::Ref(number) => Value::Ref(number),
        other => panic!("unknown {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_read_as_it_was_written(value in value()) {
        let bytes = to_bytes(&value).expect("within limits");
        prop_assert_eq!(from_bytes(&bytes), Ok(value));
    }

    #[test]
    fn a_message_walked_in_place_is_the_same_value(value in value()) {
        let bytes = to_bytes(&value).expect("within limits");
        let reader = Reader::new(&bytes, Limits::DEFAULT, None).expect("a valid message");
        prop_assert_eq!(owned(reader.root()), value);
    }

    #[test]
    fn references_resolve_to_what_their_numbers_mean(value in value()) {
        let bytes = to_bytes(&value).expect("within limits");
        let reader = Reader::new(&bytes, Limits::DEFAULT, None).expect("a valid message");
        prop_assert!(reader.resolve(u32::MAX).is_none());
        let numbered = value.numbered();
        // Without references the reader keeps no places.
        let has_references = format!("{value:?}").contains("Ref(");
        prop_assert!(!has_references || reader.resolve(numbered.len() as u32 - 1).is_some());
        for (number, meant) in numbered.into_iter().enumerate() {
            if let (Some(found), Some(meant)) = (reader.resolve(number as u32), meant) {
                prop_assert_eq!(&owned(found), meant);
            }
        }
    }

    #[test]
    fn shapes_that_a_sender_shares_change_nothing(values in prop::collection::vec(value(), 1..6)) {
        let mut writer = Writer::new().with_shapes(ShapeWriter::new(vec![0; 200]).expect("there is room"));
        let mut table = ShapeTable::default();
        // Twice: a shape enters the table when it is met again.
        for value in values.iter().chain(&values) {
            let bytes = writer.encode(value).expect("within limits").to_vec();
            let words = writer.shapes().expect("it was given one").words();
            let words: Vec<u32> = (0..words.len()).map(|index| words.get(index)).collect();
            table.extend(&words).expect("a valid table");
            prop_assert_eq!(&from_bytes_with(&bytes, Limits::DEFAULT, Some(&table)), &Ok(value.clone()));
        }
    }

    #[test]
    fn readers_agree_about_damaged_messages(
        value in value(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        shall_cut in any::<bool>(),
    ) {
        let mut bytes = to_bytes(&value).expect("within limits");
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if shall_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let read = from_bytes(&bytes);
        let checked = Reader::new(&bytes, Limits::DEFAULT, None);
        match (&read, &checked) {
            (Ok(value), Ok(reader)) => {
                // What is accepted can be walked over, and written again.
                if has_plain_names(value) {
                    prop_assert_eq!(&owned(reader.root()), value);
                }
                let again = to_bytes(value).expect("what was read can be written");
                prop_assert_eq!(&from_bytes(&again), &read);
            }
            (Err(error), Err(other)) => prop_assert_eq!(error, other),
            _ => prop_assert!(false, "{read:?} against {checked:?}"),
        }
    }

    #[test]
    fn noise_is_never_more_than_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), tags in prop::collection::vec((0..0x1C_u8, 0..3_u8, 0..5_u32), 0..20)) {
        let _ = from_bytes(&bytes);
        // Noise of valid tags gets further.
        let mut message = Vec::new();
        for (tag, aux, lo) in &tags {
            message.extend((0xFFFE_u64 << 48 | u64::from(*tag) << 40 | u64::from(*aux) << 32 | u64::from(*lo)).to_le_bytes());
        }
        message.extend(&bytes);
        let head = 0xFFFE_u64 << 48 | 0xC_u64 << 32 | (8 + tags.len() as u64 * 8);
        let message = [head.to_le_bytes().to_vec(), message].concat();
        let _ = from_bytes(&message);
        let _ = Reader::new(&message, Limits::DEFAULT, None).map(|reader| owned(reader.root()));
        let words: Vec<u32> = bytes.chunks_exact(4).map(|c| u32::from_le_bytes([c[0] % 32, c[1] % 2, 0, 0])).collect();
        let _ = ShapeTable::parse(&words);
    }
}

/// `owned` leaves out a name that is the class's own; a message may have it all the same.
fn has_plain_names(value: &Value) -> bool {
    value
        .numbered()
        .into_iter()
        .flatten()
        .all(|value| match value {
            Value::Error(error) => error
                .name
                .as_ref()
                .is_none_or(|name| *name != error.class.name()),
            _ => true,
        })
}
