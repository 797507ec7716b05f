//! Shape tables: what a sender writes, a reader takes, piece by piece; what is wrong is refused without harm.

use std::sync::Arc;

use knit_codec::{CodecError, JsString, Shape, ShapeTable, ShapeWriter, Words};

fn shape(keys: &[&str]) -> Arc<Shape> {
    Arc::new(Shape::new(keys.iter().copied()).expect("distinct keys"))
}

fn words(writer: &ShapeWriter) -> Vec<u32> {
    (0..writer.words().len())
        .map(|index| writer.words().get(index))
        .collect()
}

#[test]
fn a_reader_follows_a_growing_table() {
    let mut writer = ShapeWriter::new(vec![7; 64]).expect("there is room");
    let mut table = ShapeTable::default();
    let shapes = [shape(&["x", "y"]), shape(&[]), shape(&["größe", "🧶", ""])];
    for (number, shape) in (0..).zip(&shapes) {
        assert_eq!(writer.intern(shape), Some(number));
        table.extend(&words(&writer)).expect("a valid table");
        assert_eq!(table.len(), number as usize + 1);
    }
    assert_eq!(writer.intern(&shape(&["x", "y"])), Some(0));
    for (number, shape) in (0..).zip(&shapes) {
        assert_eq!(table.get(number), Some(shape));
    }
    assert_eq!(table.get(3), None);
    assert_eq!(table.extend(&words(&writer)), Ok(()));
}

#[test]
fn a_table_holds_what_fits_and_refuses_the_rest() {
    // `a`: 2 + 1 + 1 words.
    let mut writer = ShapeWriter::new(vec![0; 9]).expect("there is room");
    assert_eq!(writer.intern(&shape(&["a"])), Some(0));
    assert_eq!(writer.intern(&shape(&["long enough"])), None);
    assert_eq!(writer.intern(&shape(&["b"])), Some(1));
    assert_eq!(writer.intern(&shape(&["c"])), None);
    assert_eq!(writer.intern(&shape(&["a"])), Some(0));
    assert_eq!(
        ShapeTable::parse(&words(&writer)).map(|table| table.len()),
        Ok(2)
    );

    let mut writer = ShapeWriter::new(vec![0; 5000]).expect("there is room");
    let lone = Shape::new([JsString::from_utf16(&[0xD800])]).expect("one key");
    assert_eq!(writer.intern(&Arc::new(lone)), None);
    let keys: Vec<String> = (0..=ShapeWriter::MAX_KEYS).map(|i| i.to_string()).collect();
    assert_eq!(
        writer.intern(&Arc::new(Shape::new(keys).expect("distinct keys"))),
        None
    );
    assert!(ShapeWriter::new(Vec::new()).is_err());
}

#[test]
fn hostile_tables_are_refused_with_their_errors() {
    let a = 0x61;
    let cases: &[(&str, &[u32])] = &[
        ("Truncated", &[]),
        ("Truncated", &[1]),
        ("Truncated", &[u32::MAX, 0]),
        ("Truncated", &[1, 0]),
        ("Truncated", &[2, 1, 0]),
        ("Truncated", &[3, 1, 4, 1]),
        ("Truncated", &[3, 0, u32::MAX, 0]),
        ("Truncated", &[4, 1, 1, 2, a]),
        ("Truncated", &[4, 1, 1, u32::MAX, a]),
        ("BadOperand", &[2, 65_536, 0]),
        ("BadOperand", &[2, u32::MAX, u32::MAX]),
        ("BadOperand", &[4, 1, 1, 1, 0x0161]),
        ("BadOperand", &[4, 1, 2, 1, 0x6161]),
        ("BadOperand", &[5, 2, 2, 1, 1, 0x6161]),
        ("BadText", &[4, 1, 1, 1, 0xFF]),
        ("BadText", &[5, 2, 4, 1, 1, 0xB6A7_9FF0]),
    ];
    for (code, words) in cases {
        let result = ShapeTable::parse(words).map(|table| table.len());
        assert_eq!(
            result.map_err(|error| error.code()),
            Err(*code),
            "{words:x?}"
        );
    }
    assert_eq!(
        ShapeTable::parse(&[4, 1, 1, 1, a]).map(|table| table.len()),
        Ok(1)
    );
}

#[test]
fn what_was_parsed_stays_whatever_the_sender_does_then() {
    let mut words = vec![4, 1, 1, 1, 0x61, 9, 9];
    let mut table = ShapeTable::parse(&words).expect("a valid table");
    words[4] = 0x62;
    words[0] = 6;
    assert!(table.extend(&words).is_err());
    assert_eq!(table.get(0), Some(&shape(&["a"])));
    words[0] = 3;
    let shrunk = CodecError::BadOperand {
        at: 0,
        why: "a shape table never shrinks",
    };
    assert_eq!(table.extend(&words), Err(shrunk));
    words[0] = 4;
    assert_eq!((table.extend(words.as_slice()), table.len()), (Ok(()), 1));
    assert!(!Words::is_empty(&words));
}
