//! Messages that must be read: every tag, every encoding, the edges.

use std::sync::Arc;

use knit_codec::{
    BigInt, Binary, BinaryBlock, BinaryKind, Envelope, ErrorClass, ErrorValue, JsString, Object,
    RegExp, ShapeWriter, SharedMemory, SharedMemoryKind, SparseArray, StringBlock, TextEncoding,
    Value, Writer,
};

/// A message and what it means.
pub struct Case {
    pub name: &'static str,
    pub value: Value,
    pub bytes: Vec<u8>,
    pub shapes: Option<Vec<u32>>,
    pub exact: bool,
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        scalars(),
        strings(),
        objects(),
        arrays(),
        collections(),
        binaries(),
        errors(),
        references(),
    ]
    .into_iter()
    .flatten()
    .map(|(name, value)| {
        let bytes = Writer::new()
            .encode(&value)
            .expect("every case can be written")
            .to_vec();
        Case {
            name,
            value,
            bytes,
            shapes: None,
            exact: true,
        }
    })
    .collect();
    cases.extend(shared_shapes());
    cases.extend(by_hand());
    cases
}

type Named = (&'static str, Value);

fn text(text: &str) -> Value {
    text.into()
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(properties.into_iter().collect())
}

fn lone(units: &[u16]) -> JsString {
    JsString::from_utf16(units)
}

fn scalars() -> Vec<Named> {
    let number = |n: f64| Value::Number(n);
    let bigint = |v: i128| Value::BigInt(v.into());
    vec![
        ("undefined", Value::Undefined),
        ("null", Value::Null),
        ("false", Value::Bool(false)),
        ("true", Value::Bool(true)),
        ("zero", number(0.0)),
        ("negative zero", number(-0.0)),
        ("one", number(1.0)),
        ("minus one and a half", number(-1.5)),
        ("largest safe integer", number(9_007_199_254_740_991.0)),
        ("largest double", number(f64::MAX)),
        ("lowest double", number(f64::MIN)),
        ("smallest subnormal", number(5e-324)),
        ("NaN", number(f64::NAN)),
        ("infinity", number(f64::INFINITY)),
        ("negative infinity", number(f64::NEG_INFINITY)),
        ("bigint zero", bigint(0)),
        ("bigint minus one", bigint(-1)),
        ("largest bigint of 64 bits", bigint(i64::MAX.into())),
        ("lowest bigint of 64 bits", bigint(i64::MIN.into())),
        ("bigint one past 64 bits", bigint(1 << 63)),
        ("bigint one below 64 bits", bigint(-(1 << 63) - 1)),
        ("bigint of 67 bits", bigint(1 << 66 | 5)),
        ("negative bigint of 127 bits", bigint(i128::MIN + 1)),
        (
            "bigint of 193 bits",
            Value::BigInt(BigInt::from_limbs(false, &[1, 0, 0, 1])),
        ),
        (
            "negative bigint of 256 bits",
            Value::BigInt(BigInt::from_limbs(true, &[u64::MAX; 4])),
        ),
        ("date", Value::Date(1_700_000_000_123.0)),
        ("date before the epoch", Value::Date(-1.0)),
        ("invalid date", Value::Date(f64::NAN)),
    ]
}

fn strings() -> Vec<Named> {
    vec![
        ("empty string", text("")),
        ("ascii string", text("hello, world")),
        (
            "ascii string with controls",
            text("\0\t\n\r\u{1b}\u{7f}\"\\"),
        ),
        ("latin string", text("Grüße")),
        ("string of three-byte characters", text("日本語")),
        ("string of pairs", text("🧶👩‍👩‍👧")),
        ("lone high surrogate", Value::String(lone(&[0xD83E]))),
        (
            "lone low surrogate inside",
            Value::String(lone(&[0x61, 0xDC00, 0x62])),
        ),
        (
            "surrogates in the wrong order",
            Value::String(lone(&[0xDEF6, 0xD83E])),
        ),
        (
            "a pair cut across two strings",
            Value::Array(vec![
                Value::String(lone(&[0xD83E])),
                Value::String(lone(&[0xDDF6])),
            ]),
        ),
        (
            "utf-16 for all strings of a message",
            object([
                ("plain", text("abc")),
                ("pair", text("🧶")),
                ("lone", Value::String(lone(&[0xD800, 0x7A]))),
            ]),
        ),
        ("symbol", Value::Symbol("knit.key".into())),
        ("empty symbol", Value::Symbol("".into())),
        (
            "many strings",
            Value::Array(["", "a", "", "é", "bc", "🧶", "def"].map(text).into()),
        ),
        (
            "string block",
            Value::StringBlock(StringBlock {
                encoding: TextEncoding::Utf8,
                units: 70_000,
                bytes: 70_010,
                locator: 0x0102_0304_0506_0708,
            }),
        ),
        (
            "string blocks of the other encodings",
            Value::Array(
                [(TextEncoding::Ascii, 5), (TextEncoding::Utf16, 10)]
                    .map(|(encoding, bytes)| {
                        Value::StringBlock(StringBlock {
                            encoding,
                            units: 5,
                            bytes,
                            locator: u64::MAX,
                        })
                    })
                    .into(),
            ),
        ),
    ]
}

fn objects() -> Vec<Named> {
    let point = |x: i32, y: i32| object([("x", x.into()), ("y", y.into())]);
    let lone_key: Object = [(lone(&[0xDC00]), Value::Null)].into_iter().collect();
    let mut null = Object::from_iter([("a", 1)]);
    null.null_prototype = true;
    vec![
        ("empty object", object([])),
        ("object without a prototype", Value::Object(null)),
        (
            "empty object without a prototype",
            Value::Object(Object::new().with_null_prototype()),
        ),
        (
            "message and id",
            object([("msg", text("hello")), ("id", 7.into())]),
        ),
        (
            "undefined property",
            object([("a", Value::Undefined), ("b", Value::Null)]),
        ),
        (
            "property __proto__",
            object([("__proto__", 1.into()), ("constructor", 2.into())]),
        ),
        (
            "integer-like keys",
            object([("0", 1.into()), ("7", 2.into()), ("b", 3.into())]),
        ),
        ("empty key", object([("", text(""))])),
        (
            "keys beyond ascii",
            object([("größe", 1.into()), ("🧶", 2.into())]),
        ),
        ("lone surrogate in a key", Value::Object(lone_key)),
        (
            "one shape three times",
            Value::Array(vec![point(1, 2), point(3, 4), point(5, 6)]),
        ),
        (
            "two shapes taking turns",
            Value::Array(vec![
                point(1, 2),
                object([("z", 0.into())]),
                point(3, 4),
                object([("z", 1.into())]),
            ]),
        ),
        (
            "same keys in another order",
            Value::Array(vec![
                point(1, 2),
                object([("y", 1.into()), ("x", 2.into())]),
            ]),
        ),
        (
            "shape inside itself",
            object([
                ("v", 1.into()),
                ("next", object([("v", 2.into()), ("next", Value::Null)])),
            ]),
        ),
        (
            "nested records",
            Value::Array(
                (0..3)
                    .map(|i| {
                        object([
                            ("id", i.into()),
                            ("name", format!("user {i}").into()),
                            ("tags", Value::Array(vec![text("a"), text("b")])),
                            (
                                "at",
                                object([("x", f64::from(i).into()), ("y", 0.5.into())]),
                            ),
                        ])
                    })
                    .collect(),
            ),
        ),
        (
            "many keys",
            Value::Object((0..40).map(|i| (format!("key{i}"), i)).collect()),
        ),
    ]
}

fn arrays() -> Vec<Named> {
    let sparse = |length, entries: &[(u32, i32)]| {
        let entries = entries
            .iter()
            .map(|(at, value)| (*at, (*value).into()))
            .collect();
        Value::Sparse(Box::new(SparseArray { length, entries }))
    };
    let deep = (0..999).fold(Value::Array(vec![]), |inner, _| Value::Array(vec![inner]));
    vec![
        ("empty array", Value::Array(vec![])),
        (
            "array of mixed values",
            Value::Array(vec![
                1.into(),
                text("a"),
                Value::Null,
                Value::Undefined,
                true.into(),
            ]),
        ),
        (
            "array of numbers",
            Value::Numbers(vec![1.0, -0.0, 0.5, f64::NAN, f64::NEG_INFINITY, 5e-324]),
        ),
        ("array of one number", Value::Numbers(vec![3.0])),
        (
            "array of arrays of numbers",
            Value::Array(vec![Value::Numbers(vec![1.0]), Value::Array(vec![])]),
        ),
        ("array of holes", sparse(3, &[])),
        (
            "holes in front, between and behind",
            sparse(8, &[(1, 1), (2, 2), (5, 3)]),
        ),
        (
            "very long array with one element",
            sparse(u32::MAX, &[(u32::MAX - 1, 1)]),
        ),
        (
            "holes beside undefined",
            Value::Sparse(Box::new(SparseArray {
                length: 2,
                entries: vec![(1, Value::Undefined)],
            })),
        ),
        ("arrays nested 1 000 deep", deep),
    ]
}

fn collections() -> Vec<Named> {
    let regexp = |source: &str, flags: &str, last_index: u32| {
        Value::RegExp(Box::new(RegExp {
            source: source.into(),
            flags: flags.into(),
            last_index,
        }))
    };
    vec![
        ("empty map", Value::Map(vec![])),
        (
            "map",
            Value::Map(vec![
                (text("a"), 1.into()),
                (Value::Number(f64::NAN), Value::Undefined),
                (
                    object([("k", 1.into())]),
                    Value::Map(vec![(Value::Null, Value::Array(vec![]))]),
                ),
            ]),
        ),
        ("empty set", Value::Set(vec![])),
        (
            "set",
            Value::Set(vec![3.into(), 1.into(), text("x"), Value::Set(vec![])]),
        ),
        ("regexp", regexp(r"^a/b\d+$", "giu", 0)),
        ("empty regexp", regexp("(?:)", "", 0)),
        ("regexp in the middle of a text", regexp("a", "y", 7)),
        ("regexp past every text", regexp("a", "g", u32::MAX)),
        ("url", Value::Url("https://example.org/päth?q=1#f".into())),
        (
            "envelope",
            Value::Envelope(Box::new(Envelope {
                header: object([("kind", text("x"))]),
                body: bytes(BinaryKind::ArrayBuffer, 3),
            })),
        ),
        (
            "shared memory",
            Value::Array(
                SharedMemoryKind::ALL
                    .iter()
                    .map(|kind| {
                        let locator = 0xFFFE_0000_0000_0001;
                        Value::SharedMemory(SharedMemory {
                            kind: *kind,
                            byte_length: 65_536,
                            byte_offset: 4096,
                            locator,
                        })
                    })
                    .collect(),
            ),
        ),
        (
            "dates and nulls in an array",
            Value::Array(vec![Value::Date(0.0), Value::Null, Value::Date(f64::NAN)]),
        ),
    ]
}

fn bytes(kind: BinaryKind, count: u8) -> Value {
    Value::Binary(Binary {
        kind,
        bytes: (1..=count).collect(),
    })
}

fn binaries() -> Vec<Named> {
    vec![
        (
            "every kind of bytes",
            Value::Array(
                BinaryKind::ALL
                    .iter()
                    .map(|kind| bytes(*kind, 16))
                    .collect(),
            ),
        ),
        (
            "every kind without bytes",
            Value::Array(BinaryKind::ALL.iter().map(|kind| bytes(*kind, 0)).collect()),
        ),
        ("bytes that need padding", bytes(BinaryKind::Uint8Array, 5)),
        (
            "bytes that look like slots",
            Value::Binary(Binary {
                kind: BinaryKind::Uint8Array,
                bytes: [0xFF; 16].into(),
            }),
        ),
        (
            "bytes between other values",
            Value::Array(vec![1.into(), bytes(BinaryKind::Buffer, 9), text("after")]),
        ),
        (
            "binary block",
            object([(
                "b",
                Value::BinaryBlock(BinaryBlock {
                    kind: BinaryKind::Float64Array,
                    length: 1 << 20,
                    locator: 42,
                }),
            )]),
        ),
    ]
}

fn errors() -> Vec<Named> {
    let error = |class, message: &str| ErrorValue {
        class,
        message: Some(message.into()),
        ..ErrorValue::default()
    };
    let wrap = |error: ErrorValue| Value::Error(Box::new(error));
    let chain = (1..4).fold(
        wrap(error(ErrorClass::TypeError, "root cause")),
        |cause, level| {
            wrap(ErrorValue {
                cause: Some(cause),
                ..error(ErrorClass::Error, &format!("level {level}"))
            })
        },
    );
    vec![
        ("error without anything", wrap(ErrorValue::default())),
        (
            "every class of errors",
            Value::Array(
                ErrorClass::ALL
                    .iter()
                    .map(|class| wrap(error(*class, "no")))
                    .collect(),
            ),
        ),
        (
            "error with everything",
            wrap(ErrorValue {
                class: ErrorClass::RangeError,
                name: Some("CustomError".into()),
                message: Some("außer Reichweite".into()),
                stack: Some("CustomError: …\n    at f (file.js:1:2)".into()),
                cause: Some(Value::Undefined),
                code: Some(text("E_RANGE")),
                errors: Some(Value::Array(vec![])),
                properties: Some(Object::from_iter([
                    ("limit", Value::from(3)),
                    ("at", Value::Date(0.0)),
                ])),
            }),
        ),
        ("causes in a chain", chain),
        (
            "aggregate error",
            wrap(ErrorValue {
                errors: Some(Value::Array(vec![
                    wrap(error(ErrorClass::Error, "one")),
                    text("two"),
                    3.into(),
                ])),
                ..error(ErrorClass::AggregateError, "all failed")
            }),
        ),
        (
            "error that is its own cause",
            wrap(ErrorValue {
                cause: Some(Value::Ref(0)),
                ..error(ErrorClass::Error, "round")
            }),
        ),
    ]
}

fn references() -> Vec<Named> {
    let point = || object([("x", 1.into())]);
    vec![
        (
            "array that contains itself",
            Value::Array(vec![Value::Ref(0)]),
        ),
        (
            "object that contains itself",
            object([("self", Value::Ref(0)), ("n", 1.into())]),
        ),
        (
            "one object twice",
            Value::Array(vec![point(), Value::Ref(1)]),
        ),
        (
            "one date twice",
            Value::Array(vec![Value::Date(5.0), Value::Ref(1)]),
        ),
        (
            "parent and child",
            object([(
                "children",
                Value::Array(vec![object([("parent", Value::Ref(0))])]),
            )]),
        ),
        (
            "map that is its own key and value",
            Value::Map(vec![(Value::Ref(0), Value::Ref(0))]),
        ),
        ("set that contains itself", Value::Set(vec![Value::Ref(0)])),
        (
            "every kind of object twice",
            Value::Array(
                vec![
                    point(),
                    Value::Numbers(vec![1.0]),
                    Value::Sparse(Box::new(SparseArray {
                        length: 1,
                        entries: vec![],
                    })),
                    Value::Map(vec![]),
                    Value::Set(vec![]),
                    Value::RegExp(Box::new(RegExp {
                        source: "a".into(),
                        flags: "".into(),
                        last_index: 0,
                    })),
                    Value::Url("https://example.org/".into()),
                    bytes(BinaryKind::Int32Array, 8),
                    Value::Error(Box::default()),
                ]
                .into_iter()
                .chain((1..=9).map(Value::Ref))
                .collect(),
            ),
        ),
        (
            "references past an error's own properties",
            Value::Array(vec![
                Value::Error(Box::new(ErrorValue {
                    properties: Some(Object::from_iter([("a", 1)])),
                    ..ErrorValue::default()
                })),
                Value::Date(1.0),
                Value::Ref(3),
                Value::Ref(1),
            ]),
        ),
    ]
}

/// Messages whose shapes are in the sender's table.
fn shared_shapes() -> Vec<Case> {
    let shape = |keys: &[&str]| {
        Arc::new(knit_codec::Shape::new(keys.iter().copied()).expect("distinct keys"))
    };
    let (point, named, empty) = (shape(&["x", "y"]), shape(&["größe", "🧶", ""]), shape(&[]));
    let of = |shape: &Arc<_>, values: &[Value]| {
        Value::Object(Object::with_shape(Arc::clone(shape), values).expect("a value for each key"))
    };
    let mut writer =
        Writer::new().with_shapes(ShapeWriter::new(vec![0; 40]).expect("there is room"));
    for shape in [&point, &named, &empty] {
        writer
            .shapes_mut()
            .and_then(|table| table.intern(shape))
            .expect("there is room");
    }
    let mut null =
        Object::with_shape(Arc::clone(&point), [Value::Null, Value::Null]).expect("two values");
    null.null_prototype = true;
    let values = [
        (
            "object of a shared shape",
            of(&point, &[1.into(), 2.into()]),
        ),
        (
            "shared keys beyond ascii",
            of(&named, &[text("ä"), 1.into(), 2.into()]),
        ),
        ("shared shape without keys", of(&empty, &[])),
        ("shared shape without a prototype", Value::Object(null)),
        (
            "shared, new and local shapes in one message",
            Value::Array(vec![
                of(&point, &[1.into(), 2.into()]),
                object([("new", of(&point, &[3.into(), 4.into()]))]),
                object([("new", Value::Null)]),
            ]),
        ),
    ];
    values
        .into_iter()
        .map(|(name, value)| {
            let bytes = writer
                .encode(&value)
                .expect("every case can be written")
                .to_vec();
            let words = writer.shapes().expect("it was given one").words();
            let words = (0..=words.get(0) as usize)
                .map(|index| words.get(index))
                .collect();
            Case {
                name,
                value,
                bytes,
                shapes: Some(words),
                exact: false,
            }
        })
        .collect()
}

/// Messages that are allowed, though the writer writes these values otherwise.
fn by_hand() -> Vec<Case> {
    use crate::invalid::{message, slot};
    let case = |name, value, bytes| Case {
        name,
        value,
        bytes,
        shapes: None,
        exact: false,
    };
    let numbers = |numbers: &[f64]| numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
    vec![
        case(
            "NaN with other bits",
            Value::Number(f64::NAN),
            0xFFF8_0000_0000_0001_u64.to_le_bytes().to_vec(),
        ),
        case(
            "NaN with other bits in packed numbers",
            Value::Numbers(vec![f64::NAN, f64::NAN]),
            message(0, &[slot(0x0E, 0, 2), u64::MAX, 0x7FF0_0000_0000_0001], b""),
        ),
        case(
            "numbers that are not packed",
            Value::Numbers(vec![1.0, 2.0]),
            message(
                0,
                &[&[slot(0x0D, 0, 2)][..], &numbers(&[1.0, 2.0])].concat(),
                b"",
            ),
        ),
        case(
            "holey array without holes",
            Value::Array(vec![1.into(), 2.into()]),
            message(
                0,
                &[&[slot(0x0F, 0, 2)][..], &numbers(&[1.0, 2.0])].concat(),
                b"",
            ),
        ),
        case(
            "holes in two runs",
            Value::Sparse(Box::new(SparseArray {
                length: 3,
                entries: vec![],
            })),
            message(0, &[slot(0x0F, 0, 2), slot(5, 0, 1), slot(5, 0, 2)], b""),
        ),
        case(
            "ascii text as utf-8",
            text("abc"),
            message(1, &[slot(6, 0, 3)], b"abc"),
        ),
        case(
            "ascii text as utf-16",
            text("abc"),
            message(2, &[slot(6, 0, 3)], b"a\0b\0c\0"),
        ),
        case(
            "flags of references and blocks without any",
            Value::Array(vec![]),
            message(12, &[slot(0x0D, 0, 0)], b""),
        ),
        case(
            "one shape defined twice",
            Value::Array(vec![
                object([("a", 1.into())]),
                object([("a", 2.into())]),
                object([("a", 3.into())]),
            ]),
            message(
                0,
                &[
                    slot(0x0D, 0, 3),
                    slot(0x0B, 0, 1),
                    slot(6, 0, 1),
                    1f64.to_bits(),
                    slot(0x0B, 0, 1),
                    slot(6, 0, 1),
                    2f64.to_bits(),
                    slot(0x0C, 0, 1),
                    3f64.to_bits(),
                ],
                b"aa",
            ),
        ),
    ]
}
