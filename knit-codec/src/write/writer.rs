//! The writer: one message after the other, from front to back, into one buffer that it keeps.
//!
//! # Use
//!
//! 1. Write exactly one root: a scalar, or a container with its content between `begin_*` and [`Writer::end`].
//! 2. [`Writer::finish`] gives the message. The next value begins another.
//!
//! Counts need not be known: they are patched when a container ends. Driving the writer in an order that makes no message fails with `Misuse`; after
//! any error the message is lost, and [`Writer::clear`] begins another. What [`Writer::finish`] gives is always valid.
//!
//! A writer that is kept remembers shapes from message to message and, once its buffers have grown, allocates nothing.

use super::shapes::Shapes;
use super::text::TextWriter;
use crate::error::{CodecError, Result};
use crate::limits::Limits;
use crate::read::Lengths;
use crate::string::JsString;
use crate::table::ShapeWriter;
use crate::tag::{self, SLOT};

/// Writes messages.
#[derive(Debug)]
pub struct Writer {
    pub(super) out: Vec<u8>,
    pub(super) text: TextWriter,
    pub(super) top: Frame,
    pub(super) stack: Vec<Frame>,
    pub(super) shapes: Shapes,
    /// Every slot that defines or names a local shape, by rising offset.
    pub(super) uses: Vec<ShapeUse>,
    /// Shapes got their numbers out of order.
    pub(super) renumber: bool,
    pub(super) numbered: u32,
    /// Objects begun with keys one by one.
    pub(super) records: u32,
    limits: Limits,
    /// Flags of the head.
    pub(super) head: u8,
    has_head: bool,
    finished: bool,
}

/// What a container under construction knows.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Offset of the container's slot.
    pub(super) at: usize,
    /// Values, and runs of holes, so far.
    pub(super) count: u32,
}

/// What a container is, and what it has to keep in mind.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Root,
    Array {
        numbers: bool,
        holes: bool,
        lengths: Lengths,
    },
    Map,
    Set,
    /// An object whose keys are written already: how many.
    Shaped(u32),
    Record(super::records::Record),
    /// Fields that are missing.
    Error(crate::read::ErrorRest),
    Envelope,
}

/// A slot that defines or names a local shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShapeUse {
    pub(super) at: u32,
    pub(super) local: u32,
    pub(super) defines: bool,
}

/// What a value is, as far as its place cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Number,
    Scalar,
    Array,
    Object,
    Ref,
    Other,
}

pub(super) const ROOT: Frame = Frame {
    kind: Kind::Root,
    at: 0,
    count: 0,
};

impl Writer {
    /// A writer with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::DEFAULT)
    }

    /// A writer that refuses messages over these limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            out: Vec::new(),
            text: TextWriter::new(),
            top: ROOT,
            stack: Vec::new(),
            shapes: Shapes::new(),
            uses: Vec::new(),
            renumber: false,
            numbered: 0,
            records: 0,
            limits,
            head: 0,
            has_head: false,
            finished: false,
        }
    }

    /// Lets the writer put shapes into a table that its readers share.
    #[must_use]
    pub fn with_shapes(mut self, table: ShapeWriter) -> Self {
        self.shapes.table = Some(table);
        self
    }

    /// The table given with [`Writer::with_shapes`].
    pub fn shapes(&self) -> Option<&ShapeWriter> {
        self.shapes.table.as_ref()
    }

    /// The table given with [`Writer::with_shapes`], to put shapes in beforehand.
    pub fn shapes_mut(&mut self) -> Option<&mut ShapeWriter> {
        self.shapes.table.as_mut()
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Drops what was written of the message and begins another.
    pub fn clear(&mut self) {
        self.out.clear();
        self.text.clear();
        self.top = ROOT;
        self.stack.clear();
        self.shapes.next_message();
        self.uses.clear();
        self.renumber = false;
        self.numbered = 0;
        self.records = 0;
        self.head = 0;
        self.has_head = false;
        self.finished = false;
    }

    /// Gives back buffers that have grown beyond this.
    pub(super) fn shrink(&mut self, most: usize) {
        if self.out.capacity() > most {
            self.out = Vec::new();
        }
        self.text.shrink(most);
        if self.uses.capacity() * size_of::<ShapeUse>() > most {
            self.uses = Vec::new();
        }
    }

    /// Ends the message and gives it. Its bytes stay until the next value is written.
    pub fn finish(&mut self) -> Result<&[u8]> {
        if self.finished {
            return Ok(&self.out);
        }
        if !self.stack.is_empty() || self.top.count != 1 {
            return Err(CodecError::Misuse("a message is one complete value"));
        }
        let text_at = self.out.len();
        if self.renumber {
            self.renumber_shapes();
        }
        if self.has_head {
            self.text.append_to(&mut self.out);
            let aux = self.text.encoding().number() | self.head;
            let text_at = u32::try_from(text_at).unwrap_or(u32::MAX);
            self.patch(0, tag::slot(tag::HEAD, aux, text_at));
        }
        if self.out.len() > self.limits.bytes() {
            return Err(CodecError::TooLarge {
                bytes: self.out.len(),
                limit: self.limits.bytes(),
            });
        }
        self.finished = true;
        Ok(&self.out)
    }

    /// Ends the message and gives it in a buffer of its own.
    pub fn into_bytes(mut self) -> Result<Vec<u8>> {
        self.finish()?;
        Ok(self.out)
    }

    /// How many containers have been begun and not ended.
    pub fn depth(&self) -> usize {
        self.stack.len()
    }

    #[inline]
    pub(super) fn scalar(&mut self, slot: u64) -> Result<()> {
        self.value(What::Scalar)?;
        self.push(slot);
        Ok(())
    }

    /// The slot of something that has a number.
    #[inline]
    pub(super) fn object_like(&mut self, what: What, slot: u64) -> Result<()> {
        self.value(what)?;
        self.numbered += 1;
        self.push(slot);
        Ok(())
    }

    #[inline]
    pub(super) fn string_slot(&mut self, text: &str) -> Result<()> {
        let units = self.text.push(text)?;
        self.push(tag::slot(tag::STRING, 0, units));
        Ok(())
    }

    pub(super) fn js_string_slot(&mut self, string: &JsString) -> Result<()> {
        let units = self.text.push_js(string)?;
        self.push(tag::slot(tag::STRING, 0, units));
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, slot: u64) {
        self.out.extend_from_slice(&slot.to_le_bytes());
    }

    /// Overwrites a slot.
    #[inline]
    pub(super) fn patch(&mut self, at: usize, slot: u64) {
        self.out[at..at + SLOT].copy_from_slice(&slot.to_le_bytes());
    }

    /// Takes note of a value, and refuses it where it does not belong.
    #[inline]
    pub(super) fn value(&mut self, what: What) -> Result<()> {
        match &mut self.top.kind {
            Kind::Array { numbers, .. } => *numbers &= what == What::Number,
            Kind::Shaped(_) | Kind::Map | Kind::Set | Kind::Envelope => {}
            Kind::Record(record) => record.take_key()?,
            Kind::Error(missing) => super::containers::check_field(missing, what)?,
            Kind::Root => return self.root(what),
        }
        self.top.count += 1;
        Ok(())
    }

    /// Begins another message if the last one is finished. Before anything that looks at the state of the message.
    #[inline]
    pub(super) fn open(&mut self) {
        if self.finished {
            self.clear();
        }
    }

    fn root(&mut self, what: What) -> Result<()> {
        self.open();
        if self.top.count != 0 {
            return Err(CodecError::Misuse("a message has one root"));
        }
        self.top.count = 1;
        self.has_head = !matches!(what, What::Number | What::Scalar);
        if self.has_head {
            self.push(0);
        }
        Ok(())
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}
