//! What a type says about a value that does not fit it: what was expected, what was found, and where.
//!
//! Where is asked only when something has failed: the message is read once more, by a deserializer that keeps its path. So nothing is kept while all goes well.

use std::fmt::{self, Display};

use ::serde::Deserialize;
use ::serde::de::{Expected, Unexpected};
use serde_path_to_error::{Path, Segment};

use super::DEPTH;
use super::de::Deserializer;
use crate::error::{CodecError, Misfit};
use crate::limits::Limits;
use crate::table::ShapeTable;

/// Characters of a string or a key that are shown.
const SHOWN: usize = 40;

/// `expected u32, found string "12"`.
#[cold]
pub(super) fn mismatch(found: Unexpected<'_>, expected: &dyn Expected) -> CodecError {
    CodecError::Custom(format!("expected {expected}, found {}", Found(found)).into())
}

/// What there is, in words of JavaScript.
struct Found<'a>(Unexpected<'a>);

impl Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => write!(f, "boolean {value}"),
            Unexpected::Unsigned(value) => write!(f, "integer {value}"),
            Unexpected::Signed(value) => write!(f, "integer {value}"),
            Unexpected::Float(value) => write!(f, "number {value}"),
            Unexpected::Str(text) => write!(f, "string {}", Quoted(text)),
            Unexpected::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Unexpected::Unit => f.write_str("undefined or null"),
            Unexpected::Seq => f.write_str("array"),
            Unexpected::Map => f.write_str("object"),
            other => Display::fmt(&other, f),
        }
    }
}

/// A text in quotes, or its beginning.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((end, _)) = self.0.char_indices().nth(SHOWN) else {
            return write!(f, "{:?}", self.0);
        };
        write!(f, "{:?}…", &self.0[..end])
    }
}

/// A path as JavaScript goes it, from the root: `.users[3].name`.
struct Steps<'a>(&'a Path);

impl Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.0 {
            match step {
                Segment::Seq { index } => write!(f, "[{index}]")?,
                Segment::Map { key: name } | Segment::Enum { variant: name } => {
                    if is_identifier(name) {
                        write!(f, ".{name}")?;
                    } else {
                        write!(f, "[{}]", Quoted(name))?;
                    }
                }
                // A key of a `Map` that is no string, or what it leads to.
                Segment::Unknown => f.write_str("[?]")?,
            }
        }
        Ok(())
    }
}

fn is_identifier(key: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    key.len() <= SHOWN && key.chars().all(part) && key.starts_with(|c: char| !c.is_ascii_digit())
}

/// The error that reading this message as a `T` has failed with, with its path. What is wrong with the message itself has its place already.
#[cold]
#[inline(never)]
pub(super) fn located<'de, T: Deserialize<'de>>(
    error: CodecError,
    bytes: &'de [u8],
    limits: Limits,
    shapes: Option<&'de ShapeTable>,
) -> CodecError {
    if !matches!(error, CodecError::Unsupported(_) | CodecError::Custom(_)) {
        return error;
    }
    // Each level takes more of the stack this time: what is deeper than usual gets no path.
    let limits = limits.with_depth(limits.depth().min(DEPTH));
    let Ok(mut deserializer) = Deserializer::new(bytes, limits, shapes) else {
        return error;
    };
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(failed) if *failed.inner() == error => at(&Steps(failed.path()).to_string(), error),
        _ => error,
    }
}

fn at(path: &str, error: CodecError) -> CodecError {
    if path.is_empty() {
        return error;
    }
    CodecError::Misfit(Box::new(Misfit {
        path: path.into(),
        reason: error.to_string().into(),
        code: error.code(),
    }))
}
