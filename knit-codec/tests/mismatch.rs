//! A value that does not fit its Rust type: the error says where in it, what was expected and what was found.
#![cfg(feature = "serde")]

use std::collections::{BTreeMap, HashMap};

use knit_codec::serde::{from_bytes, to_bytes};
use knit_codec::{
    Binary, BinaryKind, CodecError, ErrorClass, ErrorValue, Limits, SparseArray, Value,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Job {
    name: String,
    image: Image,
    #[serde(default)]
    tags: Vec<Option<u8>>,
    #[serde(default)]
    shape: Option<Shape>,
    #[serde(default)]
    sizes: BTreeMap<String, u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Image {
    width: u32,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum Shape {
    Circle { radius: f64 },
    Square(u8),
    Line(u8, u8),
    Point,
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(entries.into_iter().collect())
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn says<'a, T: Deserialize<'a> + std::fmt::Debug>(bytes: &'a [u8]) -> String {
    from_bytes::<T>(bytes).unwrap_err().to_string()
}

/// What is said of a job with this image and one field more.
fn job(image: Value, key: &str, value: Value) -> String {
    let job = object([("name", text("n")), ("image", image), (key, value)]);
    says::<Job>(&knit_codec::to_bytes(&job).unwrap())
}

fn with(key: &str, value: Value) -> String {
    job(object([("width", Value::Number(3.0))]), key, value)
}

fn read<T: for<'a> Deserialize<'a> + std::fmt::Debug>(value: &Value) -> String {
    says::<T>(&knit_codec::to_bytes(value).unwrap())
}

#[test]
fn a_field_of_another_type_is_named() {
    let width = |width| job(object([("width", width)]), "other", Value::Null);
    for (value, found) in [
        (text("12"), r#"string "12""#),
        (Value::Bool(true), "boolean true"),
        (Value::Number(-1.0), "integer -1"),
        (Value::Number(2.5), "number 2.5"),
        (Value::Undefined, "undefined or null"),
        (Value::Array(vec![]), "array"),
        (object([]), "object"),
    ] {
        let said = width(value);
        assert_eq!(said, format!("image.width: expected u32, found {found}"));
    }
    let long = width(text(&"x".repeat(1_000_000)));
    assert_eq!(
        long,
        format!(
            r#"image.width: expected u32, found string "{}"…"#,
            "x".repeat(40)
        )
    );
}

#[test]
fn what_lacks_or_is_too_much_is_said_of_the_object_that_it_is_about() {
    assert_eq!(
        job(object([]), "x", Value::Null),
        "image: missing field `width`"
    );
    let more = object([("width", Value::Number(1.0)), ("heigth", Value::Null)]);
    assert_eq!(
        job(more, "x", Value::Null),
        "image.heigth: unknown field `heigth`, expected `width`"
    );
    // At the root there is no path.
    assert_eq!(read::<Job>(&object([])), "missing field `name`");
    assert_eq!(
        read::<Job>(&text("job")),
        r#"expected struct Job, found string "job""#
    );
}

#[test]
fn elements_are_named_by_their_index_whatever_holds_them() {
    let three = || Value::Number(3.0);
    let list = vec![three(), Value::Null, text("x")];
    assert_eq!(
        with("tags", Value::Array(list)),
        r#"tags[2]: expected u8, found string "x""#
    );
    let holes = SparseArray {
        length: 9,
        entries: vec![(2, three()), (7, Value::Number(300.0))],
    };
    assert_eq!(
        with("tags", holes.into()),
        "tags[7]: expected u8, found integer 300"
    );
    assert_eq!(
        says::<Vec<u8>>(&to_bytes(&[1.0, 2.0, 2.5]).unwrap()),
        "[2]: expected u8, found number 2.5"
    );
    let words = Binary {
        kind: BinaryKind::Uint16Array,
        bytes: [1, 0, 0, 2].into(),
    };
    assert_eq!(
        read::<Vec<u8>>(&Value::Binary(words)),
        "[1]: expected u8, found integer 512"
    );
}

#[test]
fn variants_maps_and_errors_are_steps_too() {
    let circle = object([("Circle", object([("radius", text("x"))]))]);
    assert_eq!(
        with("shape", circle),
        r#"shape.Circle.radius: expected f64, found string "x""#
    );
    let square = object([("Square", Value::Number(256.0))]);
    assert_eq!(
        with("shape", square),
        "shape.Square: expected u8, found integer 256"
    );
    let line = Value::Array(vec![Value::Number(1.0), Value::Null]);
    assert_eq!(
        with("shape", object([("Line", line)])),
        "shape.Line[1]: expected u8, found undefined or null"
    );
    let sizes = object([("a", Value::Number(1.0)), ("b c", Value::Number(-1.0))]);
    assert_eq!(
        with("sizes", sizes),
        r#"sizes["b c"]: expected u8, found integer -1"#
    );
    let pairs = |key, value| Value::Map(vec![(Value::Number(1.0), text("x")), (key, value)]);
    assert_eq!(
        read::<HashMap<u8, String>>(&pairs(Value::Number(2.0), Value::Null)),
        r#"["2"]: expected a string, found undefined or null"#
    );
    assert_eq!(
        read::<HashMap<u8, String>>(&pairs(text("2"), Value::Null)),
        r#"["2"]: expected u8, found string "2""#
    );
    let error = Value::Error(Box::new(ErrorValue {
        class: ErrorClass::Error,
        message: Some("no".into()),
        code: Some(Value::Number(5.0)),
        ..ErrorValue::default()
    }));
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Failure {
        message: String,
        code: String,
    }
    assert_eq!(
        read::<Failure>(&error),
        "code: expected a string, found integer 5"
    );
}

#[test]
fn a_message_that_is_damaged_or_too_deep_keeps_its_own_error() {
    let nested = (0..200).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Nest(Vec<Nest>);
    let bytes = knit_codec::to_bytes(&nested).unwrap();
    assert_eq!(
        from_bytes::<Nest>(&bytes).map(|_| ()),
        Err(CodecError::TooDeep { limit: 128 })
    );
    let bytes = to_bytes(&vec!["a", "b"]).unwrap();
    let error = from_bytes::<Vec<String>>(&bytes[..bytes.len() - 8]).unwrap_err();
    assert!(!matches!(error, CodecError::Misfit(_)), "{error}");
}

#[test]
fn keys_are_written_as_javascript_reads_them() {
    let key = |key: &str| read::<HashMap<String, u8>>(&object([(key, Value::Null)]));
    for (name, shown) in [
        ("$_1", "$_1"),
        ("1st", r#"["1st"]"#),
        ("", r#"[""]"#),
        ("a \"b\"", r#"["a \"b\""]"#),
        ("größe", r#"["größe"]"#),
    ] {
        let said = key(name);
        assert_eq!(
            said,
            format!("{shown}: expected u8, found undefined or null")
        );
    }
    let long = key(&"k".repeat(1_000_000));
    assert!(long.starts_with(&format!(r#"["{}"…]: "#, "k".repeat(40))) && long.len() < 200);
}

#[test]
fn the_deepest_value_is_found_and_what_is_deeper_than_usual_fails_all_the_same() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Nest {
        next: Option<Box<Nest>>,
        end: Option<u8>,
    }
    let nested = |levels| {
        let end = object([("end", text("x"))]);
        let all = (1..levels).fold(end, |inner, _| object([("next", inner)]));
        knit_codec::to_bytes(&all).unwrap()
    };
    let error = from_bytes::<Nest>(&nested(128)).unwrap_err();
    let path = format!("{}end: ", "next.".repeat(127));
    assert!(error.to_string().starts_with(&path), "{error}");
    let deeper = nested(160);
    let limits = Limits::DEFAULT.with_depth(200);
    let error = knit_codec::serde::from_bytes_with::<Nest>(&deeper, limits, None).unwrap_err();
    assert_eq!(error.to_string(), r#"expected u8, found string "x""#);
}
