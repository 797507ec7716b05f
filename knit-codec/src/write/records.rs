//! Objects whose keys come one by one, each with its value, as serde gives them.
//!
//! The format wants all keys before the first value. The writer knows most objects from before, so it guesses:
//!
//! 1. An object begins. Its type's name and number of fields have a hint, or not.
//! 2. With a hint, the object is written as of that shape at once: by number, or with its keys if this message does not have the shape yet.
//!    Each key that comes is compared with the one expected.
//! 3. Without a hint, room for the keys' slots is left, and the keys' text is kept as *late* text.
//! 4. When a key differs from the hint, another hint that agrees is taken; if there is none, what was written is moved to make room for
//!    the keys, and the object goes on as under 3.
//! 5. At the end the slots of late keys are filled in, and the shape is remembered.
//!
//! A shape that is defined under 4 comes before shapes that already have numbers, so all numbers of local shapes are assigned anew
//! when the message ends, if that happened.

use super::shapes::{Name, Target};
use super::text::{JsStr, NONE};
use super::writer::{Kind, ShapeUse, Writer};
use crate::error::{CodecError, Result};
use crate::shape::Shape;
use crate::string::JsString;
use crate::tag::{self, MAX_KEYS, SLOT};

/// An object under construction.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Whose keys these are likely to be; `NONE` once they are late.
    hint: u32,
    name: Name,
    /// How many slots are set aside for keys.
    room: u32,
    /// This object's number among records: the order of late text.
    number: u32,
    text_at: usize,
    /// The last late key.
    last: u32,
    /// Its number among the local shapes, if it defines one.
    local: u32,
    /// The key of the next value has come.
    has_key: bool,
}

impl Record {
    #[inline]
    pub(super) fn take_key(&mut self) -> Result<()> {
        if std::mem::take(&mut self.has_key) {
            Ok(())
        } else {
            Err(CodecError::Misuse("a property needs a key"))
        }
    }

    fn is_late(&self) -> bool {
        self.hint == NONE
    }
}

impl Writer {
    /// Begins an object whose keys come one by one, with [`Writer::key`].
    pub fn begin_object(&mut self) -> Result<()> {
        self.begin_record("", None)
    }

    /// The same, with the name of the type and how many properties are expected: objects of the same name and size are likely to be alike.
    pub fn begin_record(&mut self, name: &'static str, len: Option<usize>) -> Result<()> {
        // Everything dynamic goes by one name; a type's name is a constant, so its address tells it.
        let address = if name.is_empty() {
            0
        } else {
            name.as_ptr() as usize
        };
        self.open();
        let room = len.unwrap_or(0).min(MAX_KEYS) as u32;
        let name = (
            address,
            name.len(),
            if len.is_some() { room } else { u32::MAX },
        );
        let hint = self.shapes.likely(name).unwrap_or(NONE);
        let room = if hint == NONE {
            room
        } else {
            self.shapes.shape_of(hint).len() as u32
        };
        let number = self.records;
        self.records += 1;
        let record = Record {
            hint,
            name,
            room,
            number,
            text_at: self.text.len(),
            last: NONE,
            local: NONE,
            has_key: false,
        };
        if hint == NONE {
            self.begin_keyed(0, Kind::Record(record))?;
            let local = self.note_definition();
            self.record().local = local;
            self.out.resize(self.out.len() + room as usize * SLOT, 0);
            return Ok(());
        }
        let index = self.shapes.shape_of_hint(hint);
        match self.shapes.target(index) {
            Target::Shared(number) => self.begin_keyed(
                tag::slot(tag::OBJECT_SHARED, 0, number),
                Kind::Record(record),
            ),
            Target::Local(local) => {
                self.begin_keyed(tag::slot(tag::OBJECT_LOCAL, 0, local), Kind::Record(record))?;
                self.uses.push(ShapeUse {
                    at: self.top.at as u32,
                    local,
                    defines: false,
                });
                Ok(())
            }
            Target::New => {
                self.begin_keyed(tag::slot(tag::OBJECT_NEW, 0, room), Kind::Record(record))?;
                let local = self.note_definition();
                self.record().local = local;
                let shape = self.shapes.shape(index).clone();
                self.push_keys(&shape);
                Ok(())
            }
        }
    }

    /// The key of the property whose value comes next.
    pub fn key(&mut self, key: &str) -> Result<()> {
        self.take_key(key, 0)
    }

    /// The same for a constant, which is recognised by its address.
    pub fn static_key(&mut self, key: &'static str) -> Result<()> {
        self.take_key(key, key.as_ptr() as usize)
    }

    #[inline]
    fn take_key(&mut self, key: &str, address: usize) -> Result<()> {
        let place = self.top.count;
        let Kind::Record(record) = &mut self.top.kind else {
            return Err(CodecError::Misuse(
                "keys stand in objects begun without a shape",
            ));
        };
        if std::mem::replace(&mut record.has_key, true) {
            return Err(CodecError::Misuse("a key without a value"));
        }
        if record.hint != NONE {
            if self.shapes.confirms(record.hint, place, key, address) {
                return Ok(());
            }
            if self.take_other_hint(place, key) {
                return Ok(());
            }
            self.make_late()?;
        }
        self.push_late_key(&JsStr::Text(key), address)
    }

    /// Takes another hint that agrees so far, if the shape it means already has a number.
    fn take_other_hint(&mut self, place: u32, key: &str) -> bool {
        let Record { hint, local, .. } = *self.record();
        if local != NONE {
            // The keys have been written: they cannot just be exchanged.
            return false;
        }
        let Some(other) = self.shapes.other(hint, place, key) else {
            return false;
        };
        let at = self.top.at;
        let index = self.shapes.shape_of_hint(other);
        let found = self.uses.iter().rposition(|shape| shape.at as usize == at);
        match (self.shapes.target(index), found) {
            (Target::Shared(number), found) => {
                self.patch(at, tag::slot(tag::OBJECT_SHARED, 0, number));
                found.map(|place| self.uses.remove(place));
            }
            (Target::Local(local), found) => {
                self.patch(at, tag::slot(tag::OBJECT_LOCAL, 0, local));
                let shape = ShapeUse {
                    at: at as u32,
                    local,
                    defines: false,
                };
                match found {
                    Some(place) => self.uses[place] = shape,
                    None => self.note(shape),
                }
            }
            (Target::New, _) => return false,
        }
        self.record().hint = other;
        true
    }

    /// Turns an object that was begun with a hint into one with late keys.
    fn make_late(&mut self) -> Result<()> {
        let (at, place) = (self.top.at, self.top.count);
        let Record {
            hint,
            local,
            text_at,
            room,
            ..
        } = *self.record();
        let index = self.shapes.shape_of_hint(hint);
        let shape = self.shapes.shape(index).clone();
        if local == NONE {
            self.uses.retain(|shape| shape.at as usize != at);
            self.resize_keys(at, 0, room as usize);
            let local = self.shapes.take_local();
            self.record().local = local;
            self.note(ShapeUse {
                at: at as u32,
                local,
                defines: true,
            });
            self.renumber = true;
        } else {
            self.text.remove_shape(shape.prepared(), text_at);
        }
        self.record().hint = NONE;
        for key in &shape.keys()[..place as usize] {
            self.push_late_key(&JsStr::Owned(key), 0)?;
        }
        Ok(())
    }

    fn push_late_key(&mut self, key: &JsStr<'_>, address: usize) -> Result<()> {
        let Record {
            number,
            text_at,
            last,
            ..
        } = *self.record();
        let place = self.text.push_late(number, text_at, last, key, address)?;
        self.record().last = place;
        Ok(())
    }

    pub(super) fn end_record(&mut self) -> Result<()> {
        let (at, count) = (self.top.at, self.top.count);
        let Record {
            has_key,
            hint,
            room,
            local,
            ..
        } = *self.record();
        if has_key {
            return Err(CodecError::Misuse("a key without a value"));
        }
        if !self.record().is_late() {
            let index = self.shapes.shape_of_hint(hint);
            if self.shapes.shape(index).len() == count as usize {
                if local != NONE {
                    self.shapes.define(index, local);
                }
                return Ok(());
            }
            self.make_late()?;
        }
        if count as usize > MAX_KEYS {
            return Err(CodecError::BadOperand {
                at,
                why: "a shape has at most 65535 keys",
            });
        }
        self.resize_keys(at, room as usize, count as usize);
        self.patch(at, tag::slot(tag::OBJECT_NEW, 0, count));
        let mut keys = Vec::with_capacity(count as usize);
        let mut addresses = Vec::with_capacity(count as usize);
        let mut last = self.record().last;
        while let Some((key, text)) = self.text.late(last) {
            keys.push(late_string(text));
            addresses.push(key.address);
            let slot = at + (count as usize + 1 - keys.len()) * SLOT;
            self.out[slot..slot + SLOT]
                .copy_from_slice(&tag::slot(tag::STRING, 0, key.units).to_le_bytes());
            last = key.before;
        }
        keys.reverse();
        addresses.reverse();
        let shape = Shape::new(keys)?;
        let Record { name, local, .. } = *self.record();
        let index = self.shapes.learn(name, shape, &addresses);
        self.shapes.define(index, local);
        Ok(())
    }

    /// Makes room for another number of keys behind an object's slot; what follows moves.
    fn resize_keys(&mut self, at: usize, old: usize, new: usize) {
        let from = at + SLOT;
        self.out
            .splice(from..from + old * SLOT, std::iter::repeat_n(0, new * SLOT));
        for shape in self
            .uses
            .iter_mut()
            .rev()
            .take_while(|shape| shape.at as usize > at)
        {
            shape.at = (shape.at as usize + new * SLOT - old * SLOT) as u32;
        }
    }

    /// Notes that the object just begun defines a shape; gives the shape's number.
    fn note_definition(&mut self) -> u32 {
        let local = self.shapes.take_local();
        self.uses.push(ShapeUse {
            at: self.top.at as u32,
            local,
            defines: true,
        });
        local
    }

    /// Notes a use of a shape at its place in the order.
    fn note(&mut self, shape: ShapeUse) {
        let place = self.uses.partition_point(|other| other.at < shape.at);
        self.uses.insert(place, shape);
    }

    /// Numbers the local shapes in the order of their definitions.
    pub(super) fn renumber_shapes(&mut self) {
        let mut numbers = vec![0; self.uses.len()];
        let mut next = 0;
        for place in 0..self.uses.len() {
            let ShapeUse { at, local, defines } = self.uses[place];
            if defines {
                numbers[local as usize] = next;
                next += 1;
            } else {
                let at = at as usize;
                self.out[at..at + 4].copy_from_slice(&u32::to_le_bytes(numbers[local as usize]));
            }
        }
    }

    fn record(&mut self) -> &mut Record {
        match &mut self.top.kind {
            Kind::Record(record) => record,
            // Callers have matched the kind before.
            _ => unreachable!("only for records"),
        }
    }
}

/// A late key as a string. Its text is UTF-8, except for lone surrogates.
fn late_string(text: &[u8]) -> JsString {
    match std::str::from_utf8(text) {
        Ok(text) => text.into(),
        Err(_) => {
            let mut units = Vec::new();
            super::text::push_units(text, &mut |unit| units.push(unit));
            JsString::from_utf16(&units)
        }
    }
}
