//! A value of JavaScript as a tree in Rust.
//!
//! # Shared and cyclic references
//!
//! A [`Value`] is a plain tree that owns its parts: no `Rc`, nothing that could leak. An object that is met a second time is
//! [`Value::Ref`] with the number of its first appearance, exactly as in the message. Numbers count objects (every variant for which
//! [`Value::is_numbered`] holds) in the order in which they are met, parents before their content, from 0 at the root. So
//! `a = []; a.push(a)` is `Array([Ref(0)])`. [`Value::numbered`] lists what the numbers stand for.
//!
//! A number means something only within its root: a part that contains a `Ref`, moved under another root, refers to something else there.
//!
//! # Equality
//!
//! `==` is what a round trip keeps: NaN equals NaN, 0 and -0 differ, property order counts, and an array is equal to an array with the same
//! elements whichever of the three variants holds it.

use crate::bigint::BigInt;
use crate::kinds::{BinaryKind, ErrorClass, SharedMemoryKind, TextEncoding};
use crate::object::Object;
use crate::string::JsString;

/// Any value that a message can carry.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `undefined`.
    #[default]
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A bigint.
    BigInt(BigInt),
    /// A string.
    String(JsString),
    /// `Symbol.for` of this key.
    Symbol(JsString),
    /// A `Date`: milliseconds since the epoch, NaN if invalid.
    Date(f64),
    /// A plain object.
    Object(Object),
    /// An array without holes.
    Array(Vec<Value>),
    /// An array of nothing but numbers.
    Numbers(Vec<f64>),
    /// An array with holes.
    Sparse(Box<SparseArray>),
    /// A `Map`, in order.
    Map(Vec<(Value, Value)>),
    /// A `Set`, in order.
    Set(Vec<Value>),
    /// A `RegExp`.
    RegExp(Box<RegExp>),
    /// A `URL`, by its `href`.
    Url(JsString),
    /// Bytes: an `ArrayBuffer` or one of its views.
    Binary(Binary),
    /// Bytes that lie in a block outside of the message.
    BinaryBlock(BinaryBlock),
    /// A string that lies in a block outside of the message.
    StringBlock(StringBlock),
    /// An error.
    Error(Box<ErrorValue>),
    /// Memory that both sides see.
    SharedMemory(SharedMemory),
    /// `Envelope(header, body)`.
    Envelope(Box<Envelope>),
    /// An object met before, by its number (see the module's documentation).
    Ref(u32),
}

/// An array with holes: only what is there, by index.
#[derive(Clone, Debug, Default)]
pub struct SparseArray {
    /// The array's `length`.
    pub length: u32,
    /// The elements, by rising index below `length`.
    pub entries: Vec<(u32, Value)>,
}

/// A regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegExp {
    /// The pattern.
    pub source: JsString,
    /// The flags.
    pub flags: JsString,
    /// Where the next match of a global or sticky expression begins.
    pub last_index: u32,
}

/// Bytes and what they are in JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// The class.
    pub kind: BinaryKind,
    /// The bytes, elements little-endian.
    pub bytes: Box<[u8]>,
}

/// Bytes in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinaryBlock {
    /// The class.
    pub kind: BinaryKind,
    /// How many bytes.
    pub length: u32,
    /// Where the block is; opaque to the codec.
    pub locator: u64,
}

/// A string in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StringBlock {
    /// How it is encoded.
    pub encoding: TextEncoding,
    /// Its length in UTF-16 units.
    pub units: u32,
    /// Its length in bytes.
    pub bytes: u32,
    /// Where the block is; opaque to the codec.
    pub locator: u64,
}

/// An error: the properties that have a place of their own, and the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ErrorValue {
    /// The built-in class.
    pub class: ErrorClass,
    /// `name`, where it differs from the class's.
    pub name: Option<JsString>,
    /// `message`.
    pub message: Option<JsString>,
    /// `stack`.
    pub stack: Option<JsString>,
    /// `cause`.
    pub cause: Option<Value>,
    /// `code`.
    pub code: Option<Value>,
    /// `errors`: an array, or a reference to one.
    pub errors: Option<Value>,
    /// Own enumerable properties other than these.
    pub properties: Option<Object>,
}

/// A window on memory that both sides see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedMemory {
    /// What it is in JavaScript.
    pub kind: SharedMemoryKind,
    /// How many bytes.
    pub byte_length: u32,
    /// Where the window begins.
    pub byte_offset: u32,
    /// Which memory; opaque to the codec.
    pub locator: u64,
}

/// A header and a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// The header.
    pub header: Value,
    /// The body.
    pub body: Value,
}

impl Value {
    /// Whether values of this variant get a number that [`Value::Ref`] can name.
    pub fn is_numbered(&self) -> bool {
        !matches!(
            self,
            Self::Undefined
                | Self::Null
                | Self::Bool(_)
                | Self::Number(_)
                | Self::BigInt(_)
                | Self::String(_)
                | Self::Symbol(_)
                | Self::StringBlock(_)
                | Self::Ref(_)
        )
    }

    /// Whether it is an array, in any of the three variants.
    pub fn is_array(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Numbers(_) | Self::Sparse(_))
    }

    /// Everything under this root that has a number, in the order of the numbers: what `Ref(n)` means is at place n.
    /// An error's own properties are an object in the message and take a number; here they show as `None`.
    pub fn numbered(&self) -> Vec<Option<&Value>> {
        let mut found = Vec::new();
        let mut open = vec![Some(self)];
        while let Some(next) = open.pop() {
            let Some(value) = next else {
                found.push(None);
                continue;
            };
            if value.is_numbered() {
                found.push(Some(value));
            }
            let from = open.len();
            value.push_children(&mut open);
            open[from..].reverse();
        }
        found
    }

    /// What this value contains, in the order of the message; `None` stands for an error's properties object itself.
    fn push_children<'a>(&'a self, out: &mut Vec<Option<&'a Value>>) {
        match self {
            Self::Object(object) => out.extend(object.values().iter().map(Some)),
            Self::Array(items) | Self::Set(items) => out.extend(items.iter().map(Some)),
            Self::Sparse(array) => out.extend(array.entries.iter().map(|(_, item)| Some(item))),
            Self::Map(entries) => out.extend(
                entries
                    .iter()
                    .flat_map(|(key, value)| [Some(key), Some(value)]),
            ),
            Self::Envelope(envelope) => out.extend([Some(&envelope.header), Some(&envelope.body)]),
            Self::Error(error) => {
                out.extend(
                    [&error.cause, &error.code, &error.errors]
                        .into_iter()
                        .flatten()
                        .map(Some),
                );
                if let Some(properties) = &error.properties {
                    out.push(None);
                    out.extend(properties.values().iter().map(Some));
                }
            }
            _ => {}
        }
    }
}
