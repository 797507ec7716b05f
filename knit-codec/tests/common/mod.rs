//! Values at random, every variant, with references that are valid where they stand.

use knit_codec::{
    BigInt, Binary, BinaryBlock, BinaryKind, Envelope, ErrorClass, ErrorValue, JsString, Object,
    RegExp, SharedMemory, SharedMemoryKind, SparseArray, StringBlock, TextEncoding, Value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn js_string() -> impl Strategy<Value = JsString> {
    prop_oneof![
        4 => "[a-z]{0,12}".prop_map(JsString::from),
        2 => any::<String>().prop_map(JsString::from),
        1 => vec(prop_oneof![any::<u16>(), 0xD800..0xE000_u16], 0..6).prop_map(|units| JsString::from_utf16(&units)),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    let kind = || select(BinaryKind::ALL.to_vec());
    prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Number),
        any::<u64>().prop_map(|bits| Value::Number(f64::from_bits(bits))),
        any::<i32>().prop_map(Value::from),
        any::<i64>().prop_map(|v| Value::BigInt(v.into())),
        (any::<bool>(), vec(any::<u64>(), 0..4))
            .prop_map(|(n, limbs)| Value::BigInt(BigInt::from_limbs(n, &limbs))),
        js_string().prop_map(Value::String),
        js_string().prop_map(Value::Symbol),
        js_string().prop_map(Value::Url),
        any::<f64>().prop_map(Value::Date),
        vec(any::<f64>(), 0..5).prop_map(Value::Numbers),
        (js_string(), js_string(), any::<u32>()).prop_map(|(source, flags, last_index)| RegExp {
            source,
            flags,
            last_index
        }
        .into()),
        (kind(), vec(any::<u8>(), 0..24)).prop_map(|(kind, mut bytes)| {
            bytes.truncate(bytes.len() / kind.element_size() * kind.element_size());
            Value::Binary(Binary {
                kind,
                bytes: bytes.into(),
            })
        }),
        (kind(), 0..1000_u32, any::<u64>()).prop_map(|(kind, count, locator)| {
            Value::BinaryBlock(BinaryBlock {
                kind,
                length: count * 8,
                locator,
            })
        }),
        (
            select(TextEncoding::ALL.to_vec()),
            any::<u16>(),
            any::<u64>()
        )
            .prop_map(|(encoding, units, locator)| {
                let bytes = u32::from(units)
                    * if encoding == TextEncoding::Utf16 {
                        2
                    } else {
                        1
                    };
                Value::StringBlock(StringBlock {
                    encoding,
                    units: units.into(),
                    bytes,
                    locator,
                })
            }),
        (
            select(SharedMemoryKind::ALL.to_vec()),
            any::<[u32; 2]>(),
            any::<u64>()
        )
            .prop_map(|(kind, sizes, locator)| {
                Value::SharedMemory(SharedMemory {
                    kind,
                    byte_length: sizes[0] & !7,
                    byte_offset: sizes[1] & !7,
                    locator,
                })
            }),
        // Made valid, or `null`, by `with_valid_references`.
        any::<u32>().prop_map(Value::Ref),
    ]
}

fn object(value: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Object> {
    let key = prop_oneof![3 => select(vec!["a", "b", "id", "name", "x"]).prop_map(JsString::from), 1 => js_string()];
    (vec((key, value), 0..6), any::<bool>()).prop_map(|(properties, null_prototype)| {
        let mut object: Object = properties.into_iter().collect();
        object.null_prototype = null_prototype;
        object
    })
}

pub fn value() -> impl Strategy<Value = Value> {
    leaf()
        .prop_recursive(5, 80, 6, |inner| {
            let text = || option::of(js_string());
            let field = || option::of(inner.clone());
            prop_oneof![
                3 => object(inner.clone()).prop_map(Value::Object),
                2 => vec(inner.clone(), 0..6).prop_map(Value::Array),
                1 => vec((0..9_u32, inner.clone()), 0..5).prop_map(|gaps| {
                    let mut length = 0;
                    let entries = gaps.into_iter().map(|(gap, value)| {
                        length += gap + 1;
                        (length - 1, value)
                    });
                    let entries = entries.collect();
                    SparseArray { entries, length: length + 2 }.into()
                }),
                1 => vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Map),
                1 => vec(inner.clone(), 0..4).prop_map(Value::Set),
                1 => (inner.clone(), inner.clone()).prop_map(|(header, body)| Envelope { header, body }.into()),
                1 => (select(ErrorClass::ALL.to_vec()), (text(), text(), text()), (field(), field()), option::of(vec(inner.clone(), 0..3)), option::of(object(inner.clone())))
                    .prop_map(|(class, (name, message, stack), (cause, code), errors, properties)| {
                        let errors = errors.map(Value::Array);
                        ErrorValue { class, name, message, stack, cause, code, errors, properties }.into()
                    }),
            ]
        })
        .prop_map(|mut value| {
            with_valid_references(&mut value, &mut 0);
            value
        })
}

/// Turns references at random into references to something that has been met.
fn with_valid_references(value: &mut Value, numbered: &mut u32) {
    if let Value::Ref(number) = value {
        *value = if *numbered == 0 {
            Value::Null
        } else {
            Value::Ref(*number % *numbered)
        };
        return;
    }
    *numbered += u32::from(value.is_numbered());
    let each = |values: &mut dyn Iterator<Item = &mut Value>, numbered: &mut u32| {
        values.for_each(|value| with_valid_references(value, numbered));
    };
    match value {
        Value::Object(object) => each(&mut object.values_mut().iter_mut(), numbered),
        Value::Array(items) | Value::Set(items) => each(&mut items.iter_mut(), numbered),
        Value::Sparse(array) => each(
            &mut array.entries.iter_mut().map(|(_, value)| value),
            numbered,
        ),
        Value::Map(entries) => each(
            &mut entries.iter_mut().flat_map(|(key, value)| [key, value]),
            numbered,
        ),
        Value::Envelope(envelope) => each(
            &mut [&mut envelope.header, &mut envelope.body].into_iter(),
            numbered,
        ),
        Value::Error(error) => {
            let fields = [&mut error.cause, &mut error.code, &mut error.errors];
            each(&mut fields.into_iter().flatten(), numbered);
            if let Some(properties) = &mut error.properties {
                *numbered += 1;
                each(&mut properties.values_mut().iter_mut(), numbered);
            }
        }
        _ => {}
    }
}
