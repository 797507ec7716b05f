//! Shape tables: shapes that a sender's messages name by number.
//!
//! # Layout
//!
//! An append-only array of 32-bit words that one sender writes and its readers see:
//!
//! ```text
//! word 0   words used by entries
//! entry    keys n | text bytes b | n lengths in UTF-16 units | text, zero-padded to whole words
//! ```
//!
//! # Protocol
//!
//! 1. The sender writes the words of an entry, then word 0 ([`WordsMut::publish`]), then publishes a message that names the shape.
//! 2. A reader that meets a shape it does not know calls [`ShapeTable::extend`], which reads word 0 and then the new entries.
//!
//! This crate knows nothing of shared memory: [`Words`] and [`WordsMut`] are how an owner of such memory lends it, and the
//! ordering between `publish` and the read of word 0 is theirs to keep (release there, acquire here).
//!
//! The reader treats the table as hostile: every length is checked before it is used, what was parsed is kept as a copy,
//! and entries once parsed are never looked at again.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{CodecError, Result};
use crate::read::Text;
use crate::shape::{Shape, has_duplicate};
use crate::string::JsString;
use crate::tag::MAX_KEYS;

/// A table's words, to read.
pub trait Words {
    /// How many words there are, used or not.
    fn len(&self) -> usize;

    /// Whether there is no word at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One word. Word 0 is read before any entry it covers: an owner of shared memory loads it with acquire.
    fn get(&self, index: usize) -> u32;
}

/// A table's words, to write.
pub trait WordsMut: Words {
    /// Writes a word that no reader looks at yet.
    fn set(&mut self, index: usize, word: u32);

    /// Writes word 0: everything written so far becomes visible (release, in shared memory).
    fn publish(&mut self, used: u32);
}

impl Words for [u32] {
    fn len(&self) -> usize {
        <[u32]>::len(self)
    }

    fn get(&self, index: usize) -> u32 {
        self[index]
    }
}

impl Words for Vec<u32> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn get(&self, index: usize) -> u32 {
        self[index]
    }
}

impl WordsMut for Vec<u32> {
    fn set(&mut self, index: usize, word: u32) {
        self[index] = word;
    }

    fn publish(&mut self, used: u32) {
        self[0] = used;
    }
}

/// What a reader has parsed of a sender's table.
#[derive(Clone, Debug, Default)]
pub struct ShapeTable {
    shapes: Vec<Arc<Shape>>,
    used: usize,
}

impl ShapeTable {
    /// Parses all entries of a table.
    pub fn parse(words: &[u32]) -> Result<Self> {
        let mut table = Self::default();
        table.extend(words)?;
        Ok(table)
    }

    /// Parses the entries that were added since the last time. After an error the entries before the bad one are there.
    pub fn extend<W: Words + ?Sized>(&mut self, words: &W) -> Result<()> {
        if words.is_empty() {
            return Err(CodecError::Truncated { at: 0 });
        }
        let used = words.get(0) as usize;
        if used > words.len() - 1 {
            return Err(CodecError::Truncated { at: 0 });
        }
        if used < self.used {
            return Err(CodecError::BadOperand {
                at: 0,
                why: "a shape table never shrinks",
            });
        }
        while self.used < used {
            let (shape, size) = parse_entry(words, 1 + self.used, 1 + used)?;
            self.shapes.push(Arc::new(shape));
            self.used += size;
        }
        Ok(())
    }

    /// The shape of a number.
    pub fn get(&self, number: u32) -> Option<&Arc<Shape>> {
        self.shapes.get(number as usize)
    }

    /// How many shapes.
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }
}

/// Parses the entry at `at`; gives the shape and the entry's size in words.
fn parse_entry<W: Words + ?Sized>(words: &W, at: usize, end: usize) -> Result<(Shape, usize)> {
    let left = end - at;
    if left < 2 {
        return Err(CodecError::Truncated { at });
    }
    let (keys, bytes) = (words.get(at) as usize, words.get(at + 1) as usize);
    if keys > MAX_KEYS {
        return Err(CodecError::BadOperand {
            at,
            why: "a shape has at most 65535 keys",
        });
    }
    let text_at = at + 2 + keys;
    let size = 2 + keys + bytes.div_ceil(4);
    if size > left {
        return Err(CodecError::Truncated { at });
    }
    let mut raw = Vec::with_capacity(size * 4);
    for index in text_at..at + size {
        raw.extend(words.get(index).to_le_bytes());
    }
    if raw[bytes..].iter().any(|byte| *byte != 0) {
        return Err(CodecError::BadOperand {
            at: text_at,
            why: "padding is zero",
        });
    }
    let mut text = Text::new(crate::TextEncoding::Utf8, &raw[..bytes], 0)
        .map_err(|_| CodecError::BadText { at: text_at })?;
    let keys = (at + 2..text_at)
        .map(|index| text.take(words.get(index), index).map(JsString::from))
        .collect::<Result<Box<[_]>>>()?;
    if !text.is_used_up() {
        return Err(CodecError::BadOperand {
            at: text_at,
            why: "the keys use up the text",
        });
    }
    if has_duplicate(&keys) {
        return Err(CodecError::BadOperand {
            at,
            why: "a key comes twice in a shape",
        });
    }
    Ok((Shape::of_distinct(keys), size))
}

/// The writing side of a table: gives shapes their numbers, appends while there is room.
///
/// A shape enters the table when it is met in a second message, so objects that are used as dictionaries do not fill it.
pub struct ShapeWriter {
    words: Box<dyn WordsMut + Send>,
    numbers: HashMap<Arc<Shape>, u32>,
    used: usize,
}

impl ShapeWriter {
    /// Shapes with more keys than this stay out of the table.
    pub const MAX_KEYS: usize = 256;

    /// A writer of an empty table over these words, which must all be its own. Fails with `Truncated` without a single word.
    pub fn new(mut words: impl WordsMut + Send + 'static) -> Result<Self> {
        if words.is_empty() {
            return Err(CodecError::Truncated { at: 0 });
        }
        words.publish(0);
        Ok(Self {
            words: Box::new(words),
            numbers: HashMap::new(),
            used: 0,
        })
    }

    /// The number of a shape that is in the table.
    pub fn number_of(&self, shape: &Shape) -> Option<u32> {
        self.numbers.get(shape).copied()
    }

    /// The number of a shape, appended if it was not in the table; nothing if it cannot be: the table is full, a key has a
    /// lone surrogate, or there are more than [`ShapeWriter::MAX_KEYS`] keys.
    pub fn intern(&mut self, shape: &Arc<Shape>) -> Option<u32> {
        if let Some(number) = self.number_of(shape) {
            return Some(number);
        }
        let prepared = shape.prepared();
        let text = &prepared.text;
        let size = 2 + shape.len() + text.len().div_ceil(4);
        let number = u32::try_from(self.numbers.len()).ok()?;
        let fits = size <= self.words.len() - 1 - self.used && shape.len() <= Self::MAX_KEYS;
        if !fits || !prepared.well_formed {
            return None;
        }
        let lengths = prepared.units.iter().copied();
        let packed = text.chunks(4).map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        });
        let entry = [shape.len() as u32, text.len() as u32]
            .into_iter()
            .chain(lengths)
            .chain(packed);
        for (index, word) in entry.enumerate() {
            self.words.set(1 + self.used + index, word);
        }
        self.used += size;
        self.words.publish(self.used as u32);
        self.numbers.insert(Arc::clone(shape), number);
        Some(number)
    }

    /// The table's words.
    pub fn words(&self) -> &dyn Words {
        &*self.words
    }

    /// How many shapes are in the table.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

impl std::fmt::Debug for ShapeWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShapeWriter")
            .field("shapes", &self.len())
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}
