//! What the serde bridge promises: types keep their values, and meet the values of JavaScript halfway.
#![cfg(feature = "serde")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use knit_codec::serde::{from_bytes, from_bytes_with, to_bytes, to_writer};
use knit_codec::{
    Binary, BinaryKind, CodecError, ErrorClass, ErrorValue, JsString, Limits, Object, ShapeTable,
    ShapeWriter, SparseArray, Value, Writer,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    id: u32,
    name: String,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    parent: Option<Box<Record>>,
    kind: Kind,
    scores: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    New(i64),
    Tuple(u8, String),
    Struct { a: bool, b: Option<f32> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    first: i32,
    #[serde(flatten)]
    rest: BTreeMap<String, i32>,
}

/// A type survives, and its message is one that `from_bytes` of values accepts as well.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let bytes = to_bytes(&value).expect("it can be written");
    assert_eq!(from_bytes::<T>(&bytes), Ok(value));
    knit_codec::from_bytes(&bytes).expect("a valid message");
}

fn written<T: Serialize>(value: T) -> Value {
    knit_codec::from_bytes(&to_bytes(&value).expect("it can be written")).expect("a valid message")
}

fn read<T: DeserializeOwned>(value: impl Into<Value>) -> Result<T, CodecError> {
    from_bytes(&knit_codec::to_bytes(&value.into()).expect("it can be written"))
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(properties.into_iter().collect())
}

#[test]
fn every_primitive_survives() {
    survives((true, 'ß', "text".to_owned(), ()));
    survives((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN));
    survives((u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX));
    survives([0.1_f32, f32::MAX]);
    survives((
        1_u64 << 53,
        (1_u64 << 53) - 1,
        -(1_i64 << 53),
        1.5,
        -0.0,
        f64::INFINITY,
    ));
    survives((Some(1), None::<u8>, vec![Some("a".to_owned()), None]));
    survives(String::new());
}

#[test]
fn integers_past_what_a_double_holds_are_bigints() {
    let bigint = |value: i128| Value::BigInt(value.into());
    assert_eq!(
        written((1_i64 << 53) - 1),
        Value::Number(9_007_199_254_740_991.0)
    );
    assert_eq!(written(1_i64 << 53), bigint(1 << 53));
    assert_eq!(written(-(1_i64 << 53)), bigint(-(1 << 53)));
    assert_eq!(written(u64::MAX), bigint(u64::MAX.into()));
    assert_eq!(written(u128::from(u64::MAX) + 1), bigint(1 << 64));
    assert_eq!(written(7_i128), Value::Number(7.0));
}

#[test]
fn types_become_what_the_table_says() {
    assert_eq!(written(None::<u8>), Value::Undefined);
    assert_eq!(written(()), Value::Undefined);
    assert_eq!(written(Kind::Unit), Value::from("Unit"));
    assert_eq!(written(Kind::New(3)), object([("New", 3.into())]));
    assert_eq!(
        written(Kind::Tuple(1, "x".into())),
        object([("Tuple", Value::Array(vec![1.into(), "x".into()]))])
    );
    assert_eq!(
        written(Kind::Struct { a: true, b: None }),
        object([(
            "Struct",
            object([("a", true.into()), ("b", Value::Undefined)])
        )])
    );
    assert_eq!(
        written(BTreeMap::from([("b", 1), ("c", 2)])),
        object([("b", 1.into()), ("c", 2.into())])
    );
    assert_eq!(written(BTreeMap::<String, u8>::new()), object([]));
    assert_eq!(
        written(BTreeMap::from([(1, "b"), (2, "c")])),
        Value::Map(vec![(1.into(), "b".into()), (2.into(), "c".into())])
    );
    assert_eq!(
        written(BTreeMap::from([((1, 2), 3)])),
        Value::Map(vec![(vec![1.0, 2.0].into(), 3.into())])
    );
    assert_eq!(
        written(Flat {
            first: 1,
            rest: [("z".into(), 2)].into()
        }),
        object([("first", 1.into()), ("z", 2.into())])
    );
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"abc")
        }
    }
    assert_eq!(
        written(Bytes),
        Value::Binary(Binary {
            kind: BinaryKind::Uint8Array,
            bytes: (*b"abc").into()
        })
    );
}

#[test]
fn maps_with_more_keys_than_a_shape_survive() {
    survives(
        (0..70_000_u32)
            .map(|i| (i.to_string(), i))
            .collect::<HashMap<_, _>>(),
    );
    survives(
        (0..300_u32)
            .map(|i| (i.to_string(), i))
            .collect::<HashMap<_, _>>(),
    );
}

#[test]
fn values_of_javascript_are_taken_for_the_types_they_fit() {
    assert_eq!(read::<Option<u8>>(Value::Null), Ok(None));
    assert_eq!(read::<u8>(Value::Number(255.0)), Ok(255));
    assert!(read::<u8>(Value::Number(256.0)).is_err());
    assert!(read::<u8>(Value::Number(1.5)).is_err());
    assert_eq!(read::<f64>(Value::Number(3.0)), Ok(3.0));
    assert_eq!(read::<u64>(Value::BigInt(5_i64.into())), Ok(5));
    assert_eq!(read::<f64>(Value::Date(7.0)), Ok(7.0));
    assert_eq!(
        read::<String>(Value::Url("https://example.org/".into())),
        Ok("https://example.org/".into())
    );
    let regexp = knit_codec::RegExp {
        source: "a+".into(),
        flags: "g".into(),
        last_index: 2,
    };
    assert_eq!(read::<String>(regexp), Ok("/a+/g".into()));
    assert_eq!(
        read::<Vec<u8>>(Value::Set(vec![1.into(), 2.into()])),
        Ok(vec![1, 2])
    );
    let typed = |kind, bytes: &[u8]| {
        Value::Binary(Binary {
            kind,
            bytes: bytes.into(),
        })
    };
    assert_eq!(
        read::<Vec<i16>>(typed(BinaryKind::Int16Array, &[0xFF, 0xFF, 2, 0])),
        Ok(vec![-1, 2])
    );
    assert_eq!(
        read::<Vec<f32>>(typed(BinaryKind::Float16Array, &[0, 0x3C, 0, 0xC0])),
        Ok(vec![1.0, -2.0])
    );
    assert_eq!(
        read::<Vec<f32>>(typed(BinaryKind::Float32Array, &1.5_f32.to_le_bytes())),
        Ok(vec![1.5])
    );
    assert_eq!(read::<(u8, u8)>(vec![1.0, 2.0]), Ok((1, 2)));
    assert!(read::<(u8, u8)>(vec![1.0, 2.0, 3.0]).is_err());
    assert_eq!(
        read::<HashMap<String, u8>>(Value::Map(vec![("k".into(), 1.into())])),
        Ok([("k".into(), 1)].into())
    );
    let sparse = SparseArray {
        length: 4,
        entries: vec![(1, 5.into())],
    };
    assert_eq!(
        read::<Vec<Option<u8>>>(sparse),
        Ok(vec![None, Some(5), None, None])
    );
}

#[test]
fn errors_are_read_as_maps() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Failure {
        name: String,
        message: String,
        cause: Option<Box<Failure>>,
        errors: Option<Vec<u8>>,
        properties: Option<HashMap<String, u8>>,
    }
    let inner = ErrorValue {
        class: ErrorClass::TypeError,
        message: Some("inner".into()),
        ..ErrorValue::default()
    };
    let outer = ErrorValue {
        name: Some("Mine".into()),
        message: Some("outer".into()),
        cause: Some(inner.into()),
        errors: Some(vec![1.0].into()),
        properties: Some(Object::from_iter([("k", 2)])),
        ..ErrorValue::default()
    };
    let failure = |name: &str, message: &str| Failure {
        name: name.into(),
        message: message.into(),
        cause: None,
        errors: None,
        properties: None,
    };
    let expected = Failure {
        cause: Some(Box::new(failure("TypeError", "inner"))),
        errors: Some(vec![1]),
        properties: Some([("k".into(), 2)].into()),
        ..failure("Mine", "outer")
    };
    assert_eq!(read::<Failure>(outer), Ok(expected));
}

#[test]
fn a_reference_is_read_as_a_copy() {
    #[derive(Debug, PartialEq, Clone, Deserialize)]
    struct Point {
        x: u8,
        name: String,
    }
    let point = || object([("x", 1.into()), ("name", "p".into())]);
    let value = Value::Array(vec![
        point(),
        "between".into(),
        Value::Ref(1),
        point(),
        Value::Ref(1),
        Value::Ref(2),
    ]);
    #[derive(Debug, PartialEq, Deserialize)]
    struct All(Point, String, Point, Point, Point, Point);
    let p = Point {
        x: 1,
        name: "p".into(),
    };
    assert_eq!(
        read::<All>(value),
        Ok(All(
            p.clone(),
            "between".into(),
            p.clone(),
            p.clone(),
            p.clone(),
            p
        ))
    );
}

#[test]
fn shapes_keep_their_numbers_when_a_reference_is_read_again() {
    let point = |x: i32| object([("x", x.into())]);
    let other = |y: i32| object([("y", y.into())]);
    let value = Value::Array(vec![
        point(1),
        Value::Ref(1),
        other(2),
        other(3),
        point(4),
        Value::Ref(2),
    ]);
    let map = |key: &str, value: u8| HashMap::from([(key.to_owned(), value)]);
    let expected = vec![
        map("x", 1),
        map("x", 1),
        map("y", 2),
        map("y", 3),
        map("x", 4),
        map("y", 2),
    ];
    assert_eq!(read::<Vec<HashMap<String, u8>>>(value), Ok(expected));
}

#[test]
fn a_cycle_fails_and_so_do_references_that_multiply() {
    #[derive(Debug, Deserialize)]
    struct Nest(#[allow(dead_code)] Vec<Nest>);
    assert_eq!(
        read::<Nest>(Value::Array(vec![Value::Ref(0)])).map(|_| ()),
        Err(CodecError::TooDeep { limit: 128 })
    );
    // Each level holds the one before twice: 2^60 elements if nobody counted.
    let mut levels = vec![Value::Array(vec![])];
    for number in 1..60 {
        levels.push(Value::Array(vec![Value::Ref(number), Value::Ref(number)]));
    }
    assert_eq!(
        read::<Nest>(Value::Array(levels))
            .map(|_| ())
            .map_err(|error| error.code()),
        Err("Unsupported")
    );
}

#[test]
fn holes_are_elements_only_as_long_as_the_message_is() {
    let holes = |length, entries| SparseArray { length, entries };
    assert!(read::<Vec<Option<u8>>>(holes(16, vec![])).is_ok());
    assert_eq!(
        read::<Vec<Option<u8>>>(holes(1_000, vec![])).map_err(|error| error.code()),
        Err("Unsupported")
    );
    // Each run is short, all of them are not.
    let entries: Vec<_> = (1..=100).map(|place| (place * 40, Value::Null)).collect();
    assert_eq!(
        read::<Vec<Option<u8>>>(holes(4_001, entries)).map_err(|error| error.code()),
        Err("Unsupported")
    );
}

#[test]
fn nesting_is_limited_on_both_ways() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Nest(Vec<Nest>);
    let nested = |levels| (1..levels).fold(Nest(vec![]), |inner, _| Nest(vec![inner]));
    assert!(from_bytes::<Nest>(&to_bytes(&nested(128)).expect("128 levels")).is_ok());
    assert_eq!(
        to_bytes(&nested(129)),
        Err(CodecError::TooDeep { limit: 128 })
    );
    let deep = (1..129).fold(Value::Array(vec![]), |inner, _| Value::Array(vec![inner]));
    let bytes = knit_codec::to_bytes(&deep).expect("129 levels");
    assert!(from_bytes::<Nest>(&bytes).is_err());
    assert!(from_bytes_with::<Nest>(&bytes, Limits::DEFAULT, None).is_ok());
    // What is ignored is checked all the same.
    assert!(from_bytes::<serde::de::IgnoredAny>(&bytes).is_err());
}

#[test]
fn strings_borrow_from_the_message() {
    let bytes = to_bytes(&("ascii", "größe")).expect("it can be written");
    let (ascii, utf8): (&str, &str) = from_bytes(&bytes).expect("a valid message");
    assert_eq!((ascii, utf8), ("ascii", "größe"));
    assert!(bytes.as_ptr_range().contains(&ascii.as_ptr()));
}

#[test]
fn a_lone_surrogate_is_no_rust_string_but_its_neighbours_are() {
    let lone = Value::String(JsString::from_utf16(&[0xD800]));
    assert_eq!(
        read::<String>(lone.clone()).map_err(|error| error.code()),
        Err("Unsupported")
    );
    let beside = Value::Array(vec![
        "ß🧶".into(),
        object([("k", Value::Null), ("v", lone)]),
    ]);
    assert_eq!(
        read::<(String, HashMap<String, serde::de::IgnoredAny>)>(beside)
            .map(|(text, map)| (text, map.len())),
        Ok(("ß🧶".into(), 2))
    );
}

#[test]
fn a_shape_costs_its_keys_once_a_message_and_never_again_with_a_table() {
    let records: Vec<(Kind, BTreeMap<&str, u8>)> = (0..100)
        .map(|_| {
            (
                Kind::Struct { a: true, b: None },
                BTreeMap::from([("first", 1), ("second", 2)]),
            )
        })
        .collect();
    let bytes = to_bytes(&records).expect("it can be written");
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(
        (
            text.matches("Struct").count(),
            text.matches("first").count()
        ),
        (1, 1)
    );

    let mut writer =
        Writer::new().with_shapes(ShapeWriter::new(vec![0; 100]).expect("there is room"));
    for _ in 0..3 {
        writer.clear();
        to_writer(&mut writer, &records).expect("it can be written");
    }
    let bytes = writer.finish().expect("a message").to_vec();
    assert!(!String::from_utf8_lossy(&bytes).contains("Struct"));
    let words = writer.shapes().expect("it was given one").words();
    let words: Vec<u32> = (0..words.len()).map(|index| words.get(index)).collect();
    let table = ShapeTable::parse(&words).expect("a valid table");
    let again: Vec<(Kind, BTreeMap<&str, u8>)> =
        from_bytes_with(&bytes, Limits::DEFAULT, Some(&table)).expect("a valid message");
    assert_eq!(again, records);
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        any::<i64>().prop_map(Kind::New),
        (any::<u8>(), "\\PC{0,4}").prop_map(|(a, b)| Kind::Tuple(a, b)),
        (any::<bool>(), any::<Option<i16>>()).prop_map(|(a, b)| Kind::Struct {
            a,
            b: b.map(Into::into)
        }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let plain = (
        any::<u32>(),
        "\\PC{0,8}",
        prop::collection::vec("[a-zü]{0,5}", 0..3),
        any::<Option<bool>>(),
        kind(),
    )
        .prop_map(|(id, name, tags, note, kind)| Record {
            id,
            name,
            tags,
            note: note.map(|note| note.to_string()),
            parent: None,
            kind,
            scores: vec![f64::from(id); id as usize % 3],
        });
    (prop::collection::vec(plain, 1..5)).prop_map(|mut chain| {
        let last = chain.pop().expect("one at least");
        chain.into_iter().fold(last, |inner, outer| Record {
            parent: Some(Box::new(inner)),
            ..outer
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Fields come and go, so that guesses about shapes are wrong in every way they can be.
    #[test]
    fn records_survive_whatever_the_writer_guesses(
        batches in prop::collection::vec(prop::collection::vec((record(), prop::collection::btree_map("[a-d]", any::<u8>(), 0..4), any::<Option<bool>>()), 0..6), 1..4),
        table in any::<bool>(),
    ) {
        let mut writer = Writer::new();
        if table {
            writer = writer.with_shapes(ShapeWriter::new(vec![0; 300]).expect("there is room"));
        }
        for batch in batches.iter().chain(&batches) {
            writer.clear();
            to_writer(&mut writer, batch).expect("it can be written");
            let bytes = writer.finish().expect("a message").to_vec();
            let shapes = writer.shapes().map(|shapes| {
                let words: Vec<u32> = (0..shapes.words().len()).map(|index| shapes.words().get(index)).collect();
                ShapeTable::parse(&words).expect("a valid table")
            });
            let again = from_bytes_with::<Vec<(Record, BTreeMap<String, u8>, Option<bool>)>>(&bytes, Limits::DEFAULT, shapes.as_ref());
            prop_assert_eq!(again.as_ref(), Ok(batch));
            // Keys and values belong together for every reader.
            prop_assert!(knit_codec::from_bytes_with(&bytes, Limits::DEFAULT, shapes.as_ref()).is_ok());
            survives(batch.clone());
        }
    }

    #[test]
    fn damaged_messages_are_errors_at_worst(batch in prop::collection::vec(record(), 0..4), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = to_bytes(&batch).expect("it can be written");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = from_bytes::<Vec<Record>>(&bytes);
        let ignored = from_bytes::<serde::de::IgnoredAny>(&bytes).map(|_| ());
        prop_assert_eq!(ignored, knit_codec::from_bytes_with(&bytes, Limits::DEFAULT.with_depth(128), None).map(|_| ()));
    }
}
