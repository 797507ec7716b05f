//! What the streaming writer promises: a valid message, or an error that says what was wrong.

use std::sync::Arc;

use knit_codec::{
    Binary, BinaryKind, CodecError, ErrorClass, ErrorFields, JsString, Limits, Object, Result,
    Shape, SparseArray, StringBlock, TextEncoding, Value, Writer, from_bytes,
};

type Step = fn(&mut Writer) -> Result<()>;

/// The code of the first step that fails.
fn code(steps: &[Step]) -> &'static str {
    let mut writer = Writer::new();
    let failed = steps.iter().find_map(|step| step(&mut writer).err());
    failed
        .or_else(|| writer.finish().err())
        .map_or("none", |error| error.code())
}

#[test]
fn an_order_that_makes_no_message_is_refused() {
    let misuses: &[&[Step]] = &[
        &[],
        &[|w| w.null(), |w| w.null()],
        &[|w| w.end()],
        &[|w| w.begin_array()],
        &[|w| w.holes(1)],
        &[|w| w.begin_set(), |w| w.holes(1)],
        &[|w| w.begin_map(), |w| w.null(), |w| w.end()],
        &[|w| w.begin_envelope(), |w| w.null(), |w| w.end()],
        &[|w| w.begin_object(), |w| w.null()],
        &[|w| w.begin_object(), |w| w.key("a"), |w| w.key("b")],
        &[|w| w.begin_object(), |w| w.key("a"), |w| w.end()],
        &[|w| w.key("a")],
        &[|w| w.begin_array(), |w| w.key("a")],
        &[
            |w| w.begin_shaped(&Arc::new(Shape::new(["a"])?), false),
            |w| w.end(),
        ],
        &[
            |w| {
                error(
                    w,
                    ErrorFields {
                        cause: true,
                        ..ErrorFields::default()
                    },
                )
            },
            |w| w.end(),
        ],
        &[|w| error(w, ErrorFields::default()), |w| w.null()],
        &[
            |w| {
                error(
                    w,
                    ErrorFields {
                        errors: true,
                        ..ErrorFields::default()
                    },
                )
            },
            |w| w.null(),
        ],
        &[
            |w| {
                error(
                    w,
                    ErrorFields {
                        properties: true,
                        ..ErrorFields::default()
                    },
                )
            },
            |w| w.begin_array(),
        ],
    ];
    for (place, steps) in misuses.iter().enumerate() {
        assert_eq!(code(steps), "Misuse", "misuse {place}");
    }
}

fn error(writer: &mut Writer, fields: ErrorFields) -> Result<()> {
    writer.begin_error(ErrorClass::Error, None, None, None, fields)
}

#[test]
fn values_that_no_message_can_hold_are_refused() {
    let twice: &[Step] = &[
        |w| w.begin_object(),
        |w| w.key("a"),
        |w| w.null(),
        |w| w.key("a"),
        |w| w.null(),
        |w| w.end(),
    ];
    assert_eq!(code(twice), "BadOperand");
    assert_eq!(
        code(&[|w| w.begin_array(), |w| w.reference(1)]),
        "BadReference"
    );
    assert_eq!(
        code(&[|w| w.binary(BinaryKind::Int32Array, &[1, 2, 3])]),
        "BadOperand"
    );
    assert_eq!(
        code(&[|w| w.begin_array(), |w| w.holes(u32::MAX)]),
        "BadOperand"
    );
    let block = |encoding, units, bytes| StringBlock {
        encoding,
        units,
        bytes,
        locator: 0,
    };
    for wrong in [
        block(TextEncoding::Ascii, 2, 3),
        block(TextEncoding::Utf8, 2, 7),
        block(TextEncoding::Utf16, 2, 2),
    ] {
        assert_eq!(
            Writer::new()
                .encode(&Value::StringBlock(wrong))
                .map_err(|e| e.code()),
            Err("BadOperand")
        );
    }
    for entries in [
        vec![(1, Value::Null), (1, Value::Null)],
        vec![(2, Value::Null)],
    ] {
        let array = SparseArray { length: 2, entries };
        assert_eq!(
            Writer::new().encode(&array.into()).map_err(|e| e.code()),
            Err("Misuse")
        );
    }
    assert_eq!(
        Shape::new(["a", "b", "a"])
            .map(|_| ())
            .map_err(|e| e.code()),
        Err("BadOperand")
    );
    assert_eq!(
        Shape::new((0..65_536).map(|i| i.to_string()))
            .map(|_| ())
            .map_err(|e| e.code()),
        Err("BadOperand")
    );
    assert!(Shape::new((0..65_535).map(|i| i.to_string())).is_ok());
}

#[test]
fn limits_hold_for_writer_and_reader() {
    let value = Value::from("0123456789");
    let bytes = Writer::new()
        .encode(&value)
        .map(<[u8]>::to_vec)
        .expect("no limit is near");
    let most = |bytes| Limits::DEFAULT.with_bytes(bytes);
    assert!(
        Writer::with_limits(most(bytes.len()))
            .encode(&value)
            .is_ok()
    );
    let too_large = CodecError::TooLarge {
        bytes: bytes.len(),
        limit: bytes.len() - 1,
    };
    assert_eq!(
        Writer::with_limits(most(bytes.len() - 1)).encode(&value),
        Err(too_large.clone())
    );
    assert_eq!(
        knit_codec::from_bytes_with(&bytes, most(bytes.len() - 1), None),
        Err(too_large)
    );
    let nested = Value::Array(vec![Value::Set(vec![])]);
    let bytes = Writer::new()
        .encode(&nested)
        .map(<[u8]>::to_vec)
        .expect("no limit is near");
    let flat = Limits::DEFAULT.with_depth(1);
    assert_eq!(
        Writer::with_limits(flat).encode(&nested),
        Err(CodecError::TooDeep { limit: 1 })
    );
    assert_eq!(
        knit_codec::from_bytes_with(&bytes, flat, None),
        Err(CodecError::TooDeep { limit: 1 })
    );
    assert_eq!(
        Limits::DEFAULT.with_depth(u32::MAX).with_bytes(usize::MAX),
        Limits::DEFAULT
    );
}

#[test]
fn a_writer_is_as_new_after_an_error() {
    let mut writer = Writer::new();
    writer
        .begin_array()
        .and_then(|()| writer.string("left over"))
        .expect("a beginning");
    assert!(writer.end().and_then(|()| writer.end()).is_err());
    writer.clear();
    let value = Value::Object(Object::from_iter([("a", "b")]));
    let fresh = Writer::new().encode(&value).map(<[u8]>::to_vec);
    writer.value_tree(&value).expect("it can be written");
    assert_eq!(writer.finish().map(<[u8]>::to_vec), fresh);
    // The next value after a finished message begins another.
    writer.value_tree(&value).expect("it can be written");
    assert_eq!(writer.into_bytes(), fresh);
}

#[test]
fn keys_that_come_one_by_one_make_the_same_message_as_a_shape() {
    let point = |x: f64| {
        Value::Object(
            [("x", Value::from(x)), ("tag", "größe".into())]
                .into_iter()
                .collect(),
        )
    };
    let value = Value::Array(vec![
        point(1.0),
        Value::Array(vec!["between".into()]),
        point(2.0),
    ]);
    let mut writer = Writer::new();
    // A second time with what has been learnt.
    for _ in 0..2 {
        writer.begin_array().expect("an array");
        for x in [1.0, 2.0] {
            writer.begin_object().expect("an object");
            writer
                .key("x")
                .and_then(|()| writer.number(x))
                .expect("a property");
            writer
                .key("tag")
                .and_then(|()| writer.string("größe"))
                .expect("a property");
            writer.end().expect("its end");
            if x == 1.0 {
                writer
                    .begin_array()
                    .and_then(|()| writer.string("between"))
                    .expect("an array");
                writer.end().expect("its end");
            }
        }
        writer.end().expect("its end");
        let bytes = writer.finish().expect("a message");
        assert_eq!(from_bytes(bytes).as_ref(), Ok(&value));
        assert_eq!(knit_codec::to_bytes(&value).as_deref(), Ok(bytes));
    }
}

#[test]
fn objects_behave_as_object_literals() {
    let mut object = Object::from_iter([("a", 1), ("b", 2), ("a", 3)]);
    assert_eq!(
        object
            .iter()
            .map(|(key, _)| key.to_string())
            .collect::<String>(),
        "ab"
    );
    assert_eq!(object.get("a"), Some(&Value::from(3)));
    assert_eq!(object.insert("b", "new"), Some(Value::from(2)));
    assert_eq!(
        object.insert(JsString::from_utf16(&[0xD800]), Value::Null),
        None
    );
    assert_eq!((object.len(), object.get("c")), (3, None));
    let value = Value::Object(object);
    assert_eq!(
        knit_codec::to_bytes(&value).and_then(|bytes| from_bytes(&bytes)),
        Ok(value)
    );
}

#[test]
fn equality_is_what_a_round_trip_keeps() {
    assert_eq!(Value::Number(f64::NAN), Value::Number(-f64::NAN));
    assert_ne!(Value::Number(0.0), Value::Number(-0.0));
    assert_eq!(
        Value::Array(vec![1.into(), 2.into()]),
        Value::Numbers(vec![1.0, 2.0])
    );
    assert_ne!(
        Value::Array(vec![1.into(), Value::Null]),
        Value::Numbers(vec![1.0, 2.0])
    );
    let sparse = |length, entries| Value::from(SparseArray { length, entries });
    assert_eq!(sparse(1, vec![(0, 1.into())]), Value::Numbers(vec![1.0]));
    assert_ne!(sparse(2, vec![(0, 1.into())]), Value::Numbers(vec![1.0]));
    assert_ne!(Value::Undefined, Value::Null);
    let bytes = |kind| {
        Value::Binary(Binary {
            kind,
            bytes: [].into(),
        })
    };
    assert_ne!(bytes(BinaryKind::Buffer), bytes(BinaryKind::Uint8Array));
    assert_ne!(
        Object::from_iter([("a", 1), ("b", 2)]),
        Object::from_iter([("b", 2), ("a", 1)])
    );
}

#[test]
fn bigints_show_their_decimal_digits() {
    use knit_codec::BigInt;
    assert_eq!(BigInt::from(i64::MIN).to_string(), "-9223372036854775808");
    assert_eq!(BigInt::from(u128::MAX).to_string(), u128::MAX.to_string());
    assert_eq!(BigInt::from(i128::MIN).to_string(), i128::MIN.to_string());
    assert_eq!(
        BigInt::from(10_000_000_000_000_000_000_u64).to_string(),
        "10000000000000000000"
    );
    let two_to_256 =
        "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    assert_eq!(
        BigInt::from_limbs(false, &[0, 0, 0, 0, 1, 0]).to_string(),
        two_to_256
    );
    assert_eq!(BigInt::from_limbs(true, &[0, 0]), BigInt::from(0_i64));
    assert_eq!(BigInt::from(i128::MIN).to_i128(), Some(i128::MIN));
    assert_eq!(BigInt::from(u128::MAX).to_u128(), Some(u128::MAX));
    assert_eq!(
        (
            BigInt::from(-1_i64).to_u128(),
            BigInt::from(u128::MAX).to_i128()
        ),
        (None, None)
    );
}
