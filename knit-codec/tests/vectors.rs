//! The committed golden vectors are what this crate writes, reads and refuses.

#[path = "../examples/vectors/cases.rs"]
mod cases;
#[path = "../examples/vectors/invalid.rs"]
mod invalid;
#[path = "../examples/vectors/notation.rs"]
mod notation;

use knit_codec::{Limits, Reader, ShapeTable, Writer, from_bytes_with};

fn table(words: &Option<Vec<u32>>) -> Option<ShapeTable> {
    words
        .as_ref()
        .map(|words| ShapeTable::parse(words).expect("a valid table"))
}

#[test]
fn committed_vectors_are_current() {
    let committed = include_str!("../vectors/v1.json");
    // Writing the notation down recurses, with large frames in a debug build.
    let write = || notation::file(&cases::all(), &invalid::all());
    let current = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(write)
        .expect("a thread")
        .join()
        .expect("a file");
    assert!(
        committed == current,
        "run: cargo run -p knit-codec --example vectors"
    );
}

#[test]
fn every_valid_vector_is_read_as_its_value() {
    for case in cases::all() {
        let shapes = table(&case.shapes);
        let value = from_bytes_with(&case.bytes, Limits::DEFAULT, shapes.as_ref());
        assert_eq!(value.as_ref(), Ok(&case.value), "{}", case.name);
        assert!(
            Reader::new(&case.bytes, Limits::DEFAULT, shapes.as_ref()).is_ok(),
            "{}",
            case.name
        );
    }
}

#[test]
fn exact_vectors_are_written_alike_by_a_writer_that_remembers() {
    let mut writer = Writer::new();
    for case in cases::all()
        .iter()
        .filter(|case| case.exact)
        .flat_map(|case| [case, case])
    {
        assert_eq!(
            writer.encode(&case.value),
            Ok(&case.bytes[..]),
            "{}",
            case.name
        );
    }
}

#[test]
fn every_invalid_vector_is_refused_with_its_error() {
    for refusal in invalid::all() {
        let shapes = table(&refusal.shapes);
        let codes = [
            from_bytes_with(&refusal.bytes, Limits::DEFAULT, shapes.as_ref()).map(|_| ()),
            Reader::new(&refusal.bytes, Limits::DEFAULT, shapes.as_ref()).map(|_| ()),
        ]
        .map(|result| result.map_err(|error| error.code()));
        assert_eq!(codes, [Err(refusal.error); 2], "{}", refusal.name);
    }
}

#[test]
fn names_of_vectors_are_unique() {
    let cases = cases::all();
    let refusals = invalid::all();
    let mut names: Vec<_> = cases
        .iter()
        .map(|case| case.name)
        .chain(refusals.iter().map(|r| r.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len() + refusals.len());
}
