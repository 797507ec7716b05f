//! From a [`Value`] to bytes.

use std::cell::Cell;
use std::slice;

use super::containers::ErrorFields;
use super::writer::Writer;
use crate::error::{CodecError, Result};
use crate::limits::Limits;
use crate::object::Object;
use crate::value::{ErrorValue, SparseArray, Value};

/// Writes a value as a message, within the default limits and without shared shapes.
///
/// Each thread keeps a writer for this, so that shapes need not be learnt again and again. Keep a [`Writer`] of your own for limits, for a
/// shape table, or to use the bytes without a copy.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>> {
    with_writer(|writer| writer.value_tree(value))
}

thread_local! {
    static WRITER: Cell<Option<Box<Writer>>> = const { Cell::new(None) };
}

/// A message longer than this takes the writer's buffer with it instead of being copied.
const MOST_COPIED: usize = 1 << 20;

/// Writes a message with the thread's writer; nested use finds it taken and makes another.
pub(crate) fn with_writer(write: impl FnOnce(&mut Writer) -> Result<()>) -> Result<Vec<u8>> {
    let mut writer = WRITER
        .take()
        .unwrap_or_else(|| Box::new(Writer::with_limits(Limits::DEFAULT)));
    writer.clear();
    let written = write(&mut writer).and_then(|()| writer.finish().map(<[u8]>::len));
    let bytes = match written {
        Ok(0..=MOST_COPIED) => Ok(writer.out.clone()),
        Ok(_) => Ok(std::mem::take(&mut writer.out)),
        Err(error) => Err(error),
    };
    writer.shrink(MOST_COPIED);
    WRITER.set(Some(writer));
    bytes
}

impl Writer {
    /// Writes a whole message: drops what was begun, writes this value, and gives the bytes.
    pub fn encode(&mut self, value: &Value) -> Result<&[u8]> {
        self.clear();
        self.value_tree(value)?;
        self.finish()
    }

    /// Writes a value with everything in it, without recursion.
    ///
    /// A [`Value::Ref`] counts from the message's root.
    pub fn value_tree(&mut self, value: &Value) -> Result<()> {
        let mut open: Vec<Walk<'_>> = Vec::new();
        let mut next = Child::Value(value);
        loop {
            if let Some(walk) = self.begin_child(next)? {
                open.push(walk);
            }
            next = loop {
                let Some(top) = open.last_mut() else {
                    return Ok(());
                };
                match top.next() {
                    Some((holes, child)) => {
                        self.holes_before(holes)?;
                        if let Some(child) = child? {
                            break child;
                        }
                    }
                    None => {
                        self.end()?;
                        open.pop();
                    }
                }
            };
        }
    }

    #[inline]
    fn holes_before(&mut self, run: u32) -> Result<()> {
        if run == 0 { Ok(()) } else { self.holes(run) }
    }

    /// Writes a scalar, or begins a container and gives what it contains.
    #[inline]
    fn begin_child<'v>(&mut self, child: Child<'v>) -> Result<Option<Walk<'v>>> {
        let walk = match child {
            Child::Value(Value::Number(number)) => return self.number(*number).map(|()| None),
            Child::Value(Value::String(string)) => return self.js_string(string).map(|()| None),
            Child::Value(Value::Object(object)) | Child::Object(object) => {
                self.begin_shaped(object.shape(), object.null_prototype)?;
                Walk::Values(object.values().iter())
            }
            Child::Value(Value::Array(items)) => {
                self.begin_array()?;
                Walk::Values(items.iter())
            }
            Child::Value(Value::Sparse(array)) => {
                self.begin_array()?;
                Walk::Sparse {
                    array,
                    entries: array.entries.iter(),
                    next: Some(0),
                }
            }
            Child::Value(Value::Map(entries)) => {
                self.begin_map()?;
                Walk::Entries(entries.iter(), None)
            }
            Child::Value(Value::Set(items)) => {
                self.begin_set()?;
                Walk::Values(items.iter())
            }
            Child::Value(Value::Error(error)) => self.begin_error_value(error)?,
            Child::Value(Value::Envelope(envelope)) => {
                self.begin_envelope()?;
                let parts = [&envelope.header, &envelope.body].map(|part| Some(Child::Value(part)));
                Walk::Few([parts[0], parts[1], None, None], 0)
            }
            Child::Value(leaf) => return self.leaf(leaf).map(|()| None),
        };
        Ok(Some(walk))
    }

    fn begin_error_value<'v>(&mut self, error: &'v ErrorValue) -> Result<Walk<'v>> {
        let fields = ErrorFields {
            cause: error.cause.is_some(),
            code: error.code.is_some(),
            errors: error.errors.is_some(),
            properties: error.properties.is_some(),
        };
        self.begin_error(
            error.class,
            error.name.as_ref(),
            error.message.as_ref(),
            error.stack.as_ref(),
            fields,
        )?;
        let [cause, code, errors] = [&error.cause, &error.code, &error.errors]
            .map(|field| field.as_ref().map(Child::Value));
        Ok(Walk::Few(
            [
                cause,
                code,
                errors,
                error.properties.as_ref().map(Child::Object),
            ],
            0,
        ))
    }

    fn leaf(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::BigInt(value) => self.bigint(value),
            Value::Symbol(key) => self.symbol(key),
            Value::Date(ms) => self.date(*ms),
            Value::Numbers(numbers) => self.numbers(numbers),
            Value::RegExp(regexp) => self.regexp(&regexp.source, &regexp.flags, regexp.last_index),
            Value::Url(href) => self.url(href),
            Value::Binary(binary) => self.binary(binary.kind, &binary.bytes),
            Value::BinaryBlock(block) => self.binary_block(*block),
            Value::StringBlock(block) => self.string_block(*block),
            Value::SharedMemory(memory) => self.shared_memory(*memory),
            Value::Ref(number) => self.reference(*number),
            _ => self.undefined(),
        }
    }
}

/// A value, or an object that is part of another.
#[derive(Clone, Copy)]
enum Child<'v> {
    Value(&'v Value),
    Object(&'v Object),
}

/// What is left of a container.
enum Walk<'v> {
    Values(slice::Iter<'v, Value>),
    Entries(slice::Iter<'v, (Value, Value)>, Option<&'v Value>),
    /// `next` is the index after what is written; none when all is.
    Sparse {
        array: &'v SparseArray,
        entries: slice::Iter<'v, (u32, Value)>,
        next: Option<u32>,
    },
    Few([Option<Child<'v>>; 4], usize),
}

impl<'v> Walk<'v> {
    /// How many holes come next, and the value after them, if one follows.
    #[inline]
    fn next(&mut self) -> Option<(u32, Result<Option<Child<'v>>>)> {
        let child = match self {
            Self::Values(values) => Child::Value(values.next()?),
            Self::Entries(entries, value) => match value.take() {
                Some(value) => Child::Value(value),
                None => {
                    let (key, after) = entries.next()?;
                    *value = Some(after);
                    Child::Value(key)
                }
            },
            Self::Few(children, at) => loop {
                let child = children.get(*at)?;
                *at += 1;
                if let Some(child) = child {
                    break *child;
                }
            },
            Self::Sparse {
                array,
                entries,
                next,
            } => return sparse_step(array, entries, next),
        };
        Some((0, Ok(Some(child))))
    }
}

fn sparse_step<'v>(
    array: &SparseArray,
    entries: &mut slice::Iter<'v, (u32, Value)>,
    next: &mut Option<u32>,
) -> Option<(u32, Result<Option<Child<'v>>>)> {
    let from = next.take()?;
    let Some((index, value)) = entries.next() else {
        return Some((array.length - from, Ok(None)));
    };
    match index.checked_sub(from).filter(|_| *index < array.length) {
        Some(run) => {
            // The index is below the length, so this does not overflow.
            *next = Some(index + 1);
            Some((run, Ok(Some(Child::Value(value)))))
        }
        None => Some((
            0,
            Err(CodecError::Misuse(
                "the entries of an array rise, below its length",
            )),
        )),
    }
}
