//! The deepest value fits the stack that Rust gives a thread, in a debug build too.

use knit_codec::{CodecError, Envelope, ErrorValue, Object, Value, from_bytes, to_bytes};

/// Half of what a thread gets, so that a caller has some left.
const STACK: usize = 1 << 20;

fn nested(levels: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (1..levels).fold(Value::Array(vec![Value::Null]), |inner, _| wrap(inner))
}

fn in_a_small_stack(check: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(check)
        .expect("a thread");
    assert!(thread.join().is_ok());
}

#[test]
fn the_deepest_value_is_written_read_compared_and_dropped() {
    let wraps: [fn(Value) -> Value; 6] = [
        |inner| Value::Array(vec![inner]),
        |inner| Value::Set(vec![inner]),
        |inner| Value::Map(vec![(Value::Null, inner)]),
        |inner| Value::Object(Object::from_iter([("next", inner)])),
        |inner| {
            Value::Envelope(Box::new(Envelope {
                header: Value::Null,
                body: inner,
            }))
        },
        |inner| {
            Value::Error(Box::new(ErrorValue {
                cause: Some(inner),
                ..ErrorValue::default()
            }))
        },
    ];
    for wrap in wraps {
        in_a_small_stack(move || {
            let value = nested(1_000, wrap);
            let bytes = to_bytes(&value).expect("within the limit");
            assert!(from_bytes(&bytes) == Ok(value));
        });
    }
}

#[test]
fn one_level_more_is_refused_on_both_sides() {
    in_a_small_stack(|| {
        let value = nested(1_001, |inner| Value::Array(vec![inner]));
        assert_eq!(to_bytes(&value), Err(CodecError::TooDeep { limit: 1_000 }));
    });
}
