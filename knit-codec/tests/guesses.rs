//! Objects whose keys come one by one: the writer guesses their shape, and the message is right whether the guess was or not.

use knit_codec::{Object, Result, Value, Writer, from_bytes};

/// Writes objects key by key, everything else as it is.
fn write(writer: &mut Writer, value: &Value) -> Result<()> {
    match value {
        Value::Object(object) => {
            writer.begin_object()?;
            for (key, value) in object.iter() {
                writer.key(key.as_str().expect("well-formed keys here"))?;
                write(writer, value)?;
            }
            writer.end()
        }
        Value::Array(items) => {
            writer.begin_array()?;
            items.iter().try_for_each(|item| write(writer, item))?;
            writer.end()
        }
        leaf => writer.value_tree(leaf),
    }
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(properties.into_iter().collect())
}

fn array<const N: usize>(items: [Value; N]) -> Value {
    Value::Array(items.into())
}

fn text(text: &str) -> Value {
    text.into()
}

/// Writes the values with one writer; gives the last message.
fn last_of(values: &[Value]) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut last = Vec::new();
    for value in values {
        write(&mut writer, value).expect("it can be written");
        last = writer.finish().expect("a message").to_vec();
        assert_eq!(from_bytes(&last).as_ref(), Ok(value));
    }
    last
}

#[test]
fn a_wrong_guess_after_an_inner_shape_keeps_the_order_of_shapes() {
    let value = array([
        object([("a", text("one")), ("b", text("two"))]),
        // Looks like the first until `c`; by then the inner object has got a number.
        object([
            ("a", object([("inner", text("three"))])),
            ("c", text("four")),
        ]),
        object([("inner", text("five"))]),
        object([("a", text("six")), ("c", text("seven"))]),
        object([("a", text("eight")), ("b", text("nine"))]),
    ]);
    let bytes = last_of(std::slice::from_ref(&value));
    // Not only a message with the same meaning: the very message that known shapes give.
    assert_eq!(knit_codec::to_bytes(&value), Ok(bytes));
}

#[test]
fn a_wrong_guess_from_an_earlier_message_leaves_no_trace() {
    let first = object([("a", text("one")), ("b", text("two"))]);
    // Begins like the first; the object inside is new, and so are its keys, when `c` comes.
    let second = object([
        (
            "a",
            object([("late", text("three")), ("later", text("four"))]),
        ),
        ("c", text("five")),
    ]);
    assert_eq!(
        Ok(last_of(&[first, second.clone()])),
        knit_codec::to_bytes(&second)
    );
}

#[test]
fn an_object_with_fewer_or_more_keys_than_guessed_is_right() {
    let full = || object([("a", text("one")), ("b", text("two")), ("c", text("three"))]);
    let fewer = || object([("a", object([("x", text("four"))])), ("b", text("five"))]);
    let more = || {
        object([
            ("a", text("6")),
            ("b", text("7")),
            ("c", text("8")),
            ("d", object([("x", text("9"))])),
        ])
    };
    let all = array([
        full(),
        fewer(),
        more(),
        object([]),
        full(),
        fewer(),
        more(),
        object([]),
    ]);
    // Such a guess may cost a second copy of the keys, so only the meaning is compared.
    last_of(&[
        full(),
        fewer(),
        full(),
        more(),
        object([]),
        all.clone(),
        all,
    ]);
}

#[test]
fn shapes_that_take_turns_are_written_once_each() {
    let mut items = Vec::new();
    for number in 0..50 {
        items.push(object([("kind", number.into()), ("left", 0.into())]));
        items.push(object([("kind", number.into()), ("right", 0.into())]));
    }
    let bytes = last_of(&[Value::Array(items)]);
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(
        ["kind", "left", "right"].map(|key| text.matches(key).count()),
        [2, 1, 1]
    );
}

#[test]
fn a_shape_inside_itself_is_right_whatever_was_guessed() {
    let list = |length: i32| {
        (0..length).fold(object([("end", true.into())]), |next, number| {
            object([("value", number.to_string().into()), ("next", next)])
        })
    };
    let tree = object([
        ("left", list(3)),
        ("right", list(2)),
        ("value", Value::Object(Object::new())),
    ]);
    last_of(&[
        list(4),
        tree.clone(),
        list(1),
        array([tree.clone(), list(5), tree]),
    ]);
}
