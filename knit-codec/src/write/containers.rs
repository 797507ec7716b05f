//! What opens and closes: arrays, maps, sets, errors, envelopes, objects of a known shape.

use std::sync::Arc;

use super::leaves::length;
use super::shapes::Target;
use super::writer::{Frame, Kind, ROOT, ShapeUse, What, Writer};
use crate::error::{CodecError, Result};
use crate::kinds::ErrorClass;
use crate::limits::Limits;
use crate::read::{ErrorRest, Lengths};
use crate::shape::Shape;
use crate::string::JsString;
use crate::tag::{self, SLOT};

/// Which fields of an error follow as values, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorFields {
    /// `cause`: any value.
    pub cause: bool,
    /// `code`: any value.
    pub code: bool,
    /// `errors`: an array or a reference to one.
    pub errors: bool,
    /// Other own enumerable properties: an object.
    pub properties: bool,
}

impl Writer {
    /// Begins an array. It is packed by itself if it turns out to hold nothing but numbers.
    pub fn begin_array(&mut self) -> Result<()> {
        self.begin(
            What::Array,
            0,
            Kind::Array {
                numbers: true,
                holes: false,
                lengths: Lengths::default(),
            },
        )
    }

    /// A run of holes, directly in an array.
    pub fn holes(&mut self, run: u32) -> Result<()> {
        let at = self.out.len();
        let Kind::Array { holes, lengths, .. } = &mut self.top.kind else {
            return Err(CodecError::Misuse("holes stand in arrays"));
        };
        if run == 0 {
            return Ok(());
        }
        *holes = true;
        lengths.holes(run, at)?;
        self.top.count += 1;
        self.push(tag::slot(tag::HOLES, 0, run));
        Ok(())
    }

    /// An array of numbers, whole.
    pub fn numbers(&mut self, numbers: &[f64]) -> Result<()> {
        let tag = if numbers.is_empty() {
            tag::ARRAY
        } else {
            tag::ARRAY_NUMBERS
        };
        self.object_like(What::Array, tag::slot(tag, 0, length(numbers.len(), SLOT)?))?;
        self.out.reserve(numbers.len() * SLOT);
        for number in numbers {
            self.push(tag::number(*number));
        }
        Ok(())
    }

    /// Begins a `Map`: a key, its value, a key, ...
    pub fn begin_map(&mut self) -> Result<()> {
        self.begin(What::Other, 0, Kind::Map)
    }

    /// Begins a `Set`.
    pub fn begin_set(&mut self) -> Result<()> {
        self.begin(What::Other, 0, Kind::Set)
    }

    /// Begins an envelope: the header, then the body.
    pub fn begin_envelope(&mut self) -> Result<()> {
        self.begin(What::Other, tag::slot(tag::ENVELOPE, 0, 0), Kind::Envelope)
    }

    /// Begins an error. The values of the fields follow.
    pub fn begin_error(
        &mut self,
        class: ErrorClass,
        name: Option<&JsString>,
        message: Option<&JsString>,
        stack: Option<&JsString>,
        fields: ErrorFields,
    ) -> Result<()> {
        let strings = [name, message, stack];
        let bit = |present: bool, bit: u32| if present { bit } else { 0 };
        let rest = bit(fields.cause, ErrorRest::CAUSE)
            | bit(fields.code, ErrorRest::CODE)
            | bit(fields.errors, ErrorRest::ERRORS)
            | bit(fields.properties, ErrorRest::PROPERTIES);
        let bits = (0..3).fold(rest, |bits, place| {
            bits | bit(strings[place].is_some(), 1 << place)
        });
        self.begin(
            What::Other,
            tag::slot(tag::ERROR, class.number(), bits),
            Kind::Error(ErrorRest(rest)),
        )?;
        strings
            .into_iter()
            .flatten()
            .try_for_each(|string| self.js_string_slot(string))
    }

    /// Begins an object of a known shape: a value for each key follows. This is the fast way to write many objects alike.
    pub fn begin_shaped(&mut self, shape: &Arc<Shape>, null_prototype: bool) -> Result<()> {
        self.open();
        let (count, at) = (shape.len() as u32, self.next_at());
        let index = self.shapes.index_of(shape);
        let aux = null_prototype.into();
        match self.shapes.target(index) {
            Target::Shared(number) => self.begin_keyed(
                tag::slot(tag::OBJECT_SHARED, aux, number),
                Kind::Shaped(count),
            ),
            Target::Local(local) => {
                self.begin_keyed(
                    tag::slot(tag::OBJECT_LOCAL, aux, local),
                    Kind::Shaped(count),
                )?;
                self.uses.push(ShapeUse {
                    at: at as u32,
                    local,
                    defines: false,
                });
                Ok(())
            }
            Target::New => {
                self.begin_keyed(tag::slot(tag::OBJECT_NEW, aux, count), Kind::Shaped(count))?;
                let local = self.shapes.take_local();
                self.uses.push(ShapeUse {
                    at: at as u32,
                    local,
                    defines: true,
                });
                self.shapes.define(index, local);
                self.push_keys(shape);
                Ok(())
            }
        }
    }

    /// Writes the keys of a shape.
    pub(super) fn push_keys(&mut self, shape: &Shape) {
        let prepared = shape.prepared();
        self.text.push_shape(prepared);
        self.out.extend(
            prepared
                .units
                .iter()
                .flat_map(|units| tag::slot(tag::STRING, 0, *units).to_le_bytes()),
        );
    }

    /// Where the slot of the next value will be, the root's head counted.
    pub(super) fn next_at(&self) -> usize {
        match self.top.kind {
            Kind::Root => SLOT,
            _ => self.out.len(),
        }
    }

    /// Ends the container that was begun last.
    pub fn end(&mut self) -> Result<()> {
        if let Kind::Record(_) = self.top.kind {
            self.end_record()?;
        }
        let Frame { kind, at, count } = &self.top;
        let (at, count) = (*at, *count);
        match kind {
            Kind::Array { numbers, holes, .. } => {
                let tag = match (holes, numbers, count) {
                    (true, ..) => tag::ARRAY_HOLEY,
                    (_, true, 1..) => tag::ARRAY_NUMBERS,
                    _ => tag::ARRAY,
                };
                self.patch(at, tag::slot(tag, 0, count));
            }
            Kind::Map if count % 2 == 0 => self.patch(at, tag::slot(tag::MAP, 0, count / 2)),
            Kind::Map => return Err(CodecError::Misuse("a key of a map has no value")),
            Kind::Set => self.patch(at, tag::slot(tag::SET, 0, count)),
            Kind::Shaped(keys) if *keys != count => {
                return Err(CodecError::Misuse(
                    "an object has one value for each key of its shape",
                ));
            }
            Kind::Error(missing) if missing.0 != 0 => {
                return Err(CodecError::Misuse("a field of the error is missing"));
            }
            Kind::Envelope if count != 2 => {
                return Err(CodecError::Misuse("an envelope has a header and a body"));
            }
            Kind::Root => return Err(CodecError::Misuse("nothing has been begun")),
            Kind::Shaped(_) | Kind::Error(_) | Kind::Envelope | Kind::Record(_) => {}
        }
        self.top = self.stack.pop().unwrap_or(ROOT);
        Ok(())
    }

    pub(super) fn begin_keyed(&mut self, slot: u64, kind: Kind) -> Result<()> {
        self.begin(What::Object, slot, kind)
    }

    fn begin(&mut self, what: What, slot: u64, kind: Kind) -> Result<()> {
        if self.stack.len() >= self.limits().depth() as usize {
            return Err(CodecError::TooDeep {
                limit: self.limits().depth(),
            });
        }
        if self.out.len() > Limits::MAX_BYTES {
            return Err(CodecError::TooLarge {
                bytes: self.out.len(),
                limit: Limits::MAX_BYTES,
            });
        }
        self.object_like(what, slot)?;
        let frame = Frame {
            kind,
            at: self.out.len() - SLOT,
            count: 0,
        };
        self.stack.push(std::mem::replace(&mut self.top, frame));
        Ok(())
    }
}

/// Takes the next field off an error, if the value may stand there.
pub(super) fn check_field(missing: &mut ErrorRest, what: What) -> Result<()> {
    match (missing.pop(), what) {
        (None, _) => Err(CodecError::Misuse("the error has no such field")),
        (Some(ErrorRest::ERRORS), What::Array | What::Ref)
        | (Some(ErrorRest::PROPERTIES), What::Object) => Ok(()),
        (Some(ErrorRest::ERRORS), _) => Err(CodecError::Misuse("an error's errors are an array")),
        (Some(ErrorRest::PROPERTIES), _) => Err(CodecError::Misuse(
            "an error's own properties are an object",
        )),
        _ => Ok(()),
    }
}
