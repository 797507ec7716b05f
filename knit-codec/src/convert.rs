//! Equality of values, and conversions into them.

use crate::bigint::BigInt;
use crate::object::Object;
use crate::string::JsString;
use crate::value::{Binary, Envelope, ErrorValue, RegExp, SparseArray, Value};

/// `Object.is`: NaN is itself, -0 is not 0.
fn same_number(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) | (Self::Date(a), Self::Date(b)) => {
                same_number(*a, *b)
            }
            (Self::BigInt(a), Self::BigInt(b)) => a == b,
            (Self::String(a), Self::String(b))
            | (Self::Symbol(a), Self::Symbol(b))
            | (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => a == b,
            (Self::RegExp(a), Self::RegExp(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::BinaryBlock(a), Self::BinaryBlock(b)) => a == b,
            (Self::StringBlock(a), Self::StringBlock(b)) => a == b,
            (Self::Error(a), Self::Error(b)) => a == b,
            (Self::SharedMemory(a), Self::SharedMemory(b)) => a == b,
            (Self::Envelope(a), Self::Envelope(b)) => a == b,
            (Self::Ref(a), Self::Ref(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Numbers(a), Self::Numbers(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_number(*a, *b))
            }
            (Self::Array(items), Self::Numbers(numbers))
            | (Self::Numbers(numbers), Self::Array(items)) => {
                items.len() == numbers.len()
                    && items
                        .iter()
                        .zip(numbers)
                        .all(|(item, n)| matches!(item, Self::Number(i) if same_number(*i, *n)))
            }
            (Self::Sparse(a), Self::Sparse(b)) => a.length == b.length && a.entries == b.entries,
            (Self::Sparse(sparse), full) | (full, Self::Sparse(sparse)) => sparse.is_like(full),
            _ => false,
        }
    }
}

impl SparseArray {
    /// Whether a value is an array without holes that has the same elements.
    fn is_like(&self, full: &Value) -> bool {
        let same_length = |len: usize| self.length as usize == len && self.entries.len() == len;
        match full {
            Value::Array(items) => {
                same_length(items.len())
                    && self.entries.iter().map(|(_, item)| item).eq(items.iter())
            }
            Value::Numbers(numbers) => {
                same_length(numbers.len())
                    && self.entries.iter().zip(numbers).all(
                        |((_, item), n)| matches!(item, Value::Number(i) if same_number(*i, *n)),
                    )
            }
            _ => false,
        }
    }
}

macro_rules! from {
    ($($source:ty => $make:expr;)*) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                $make(value)
            }
        })*
    };
}

from! {
    bool => Value::Bool;
    f64 => Value::Number;
    f32 => |n: f32| Value::Number(n.into());
    i32 => |n: i32| Value::Number(n.into());
    u32 => |n: u32| Value::Number(n.into());
    BigInt => Value::BigInt;
    JsString => Value::String;
    &str => |text: &str| Value::String(text.into());
    String => |text: String| Value::String(text.into());
    Object => Value::Object;
    Vec<Value> => Value::Array;
    Vec<f64> => Value::Numbers;
    Binary => Value::Binary;
    RegExp => |value| Value::RegExp(Box::new(value));
    SparseArray => |value| Value::Sparse(Box::new(value));
    ErrorValue => |value| Value::Error(Box::new(value));
    Envelope => |value| Value::Envelope(Box::new(value));
    () => |()| Value::Undefined;
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// `None` is `undefined`.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Undefined, Into::into)
    }
}
