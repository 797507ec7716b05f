//! The one place where bytes become tokens, and where each is checked.
//!
//! Decoding, the serde bridge, validation and lazy walking all read through [`Cursor::next`]. It checks whatever can be
//! checked of one token; what depends on the container around it (depth, kinds of fields) the caller says with
//! [`Place`], [`Cursor::enter`] and [`Cursor::leave`].
//!
//! # How allocation stays bounded
//!
//! `owed` counts the values that containers met so far have announced and that have not begun yet. A container is refused when its count
//! does not fit the slots that are left after `owed`. So all announced counts of a message sum to at most its slots, and a
//! caller may reserve room for each without looking further.

use super::again::Mark;
use super::text::Text;
use super::token::{Keys, Locals, Place, Token};
use crate::error::{CodecError, Result};
use crate::kinds::TextEncoding;
use crate::limits::Limits;
use crate::shape::has_duplicate;
use crate::string::StrRef;
use crate::table::ShapeTable;
use crate::tag::{self, SLOT};

/// A position in a message.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    /// The slots, with the head, without the text.
    pub(super) slots: &'a [u8],
    pub(super) at: usize,
    pub(super) text: Text<'a>,
    pub(super) owed: usize,
    pub(super) depth: u32,
    limits: Limits,
    has_refs: bool,
    has_blocks: bool,
    shapes: Option<&'a ShapeTable>,
    /// Shapes defined in this message: collected here, or known from a reader that collected them before.
    pub(super) locals: Locals,
    pub(super) known: Option<&'a Locals>,
    /// Local shapes passed so far; fewer than `locals` while a part is read again.
    pub(super) next_local: usize,
    pub(super) numbered: u32,
    /// Where the numbered values are, if `keep_marks` and the message has references.
    pub(super) marks: Vec<Mark>,
    pub(super) keep_marks: bool,
    /// The message has been checked before: do not collect, do not compare keys.
    pub(super) trusted: bool,
}

impl<'a> Cursor<'a> {
    /// Opens a message: its head is read and its text checked.
    pub(crate) fn new(
        bytes: &'a [u8],
        limits: Limits,
        shapes: Option<&'a ShapeTable>,
        keep_marks: bool,
    ) -> Result<Self> {
        if bytes.len() > limits.bytes() {
            return Err(CodecError::TooLarge {
                bytes: bytes.len(),
                limit: limits.bytes(),
            });
        }
        let first = bytes
            .first_chunk::<SLOT>()
            .ok_or(CodecError::Truncated { at: 0 })?;
        let mut cursor = Self {
            slots: bytes,
            at: 0,
            text: Text::EMPTY,
            owed: 1,
            depth: 0,
            limits,
            has_refs: false,
            has_blocks: false,
            shapes,
            locals: Locals::default(),
            known: None,
            next_local: 0,
            numbered: 0,
            marks: Vec::new(),
            keep_marks,
            trusted: false,
        };
        let first = u64::from_le_bytes(*first);
        if (first >> 40) as u32 == u32::from(tag::TAGGED) << 8 | u32::from(tag::HEAD) {
            cursor.open_head(bytes, (first >> 32) as u8, first as u32 as usize)?;
        } else {
            cursor.slots = &bytes[..bytes.len() / SLOT * SLOT];
            cursor.check_bare_root(first)?;
        }
        Ok(cursor)
    }

    fn open_head(&mut self, bytes: &'a [u8], aux: u8, text_at: usize) -> Result<()> {
        let bad = |why| Err(CodecError::BadOperand { at: 0, why });
        let Some(encoding) = TextEncoding::from_number(aux & 3) else {
            return bad("no such text encoding");
        };
        if aux & !(3 | tag::HEAD_REFS | tag::HEAD_BLOCKS) != 0 {
            return bad("no such flag of HEAD");
        }
        if text_at > bytes.len() {
            return Err(CodecError::Truncated { at: bytes.len() });
        }
        if text_at % SLOT != 0 {
            return bad("the text begins at a multiple of 8");
        }
        let (slots, text) = bytes.split_at(text_at);
        self.slots = slots;
        self.at = SLOT;
        self.has_refs = aux & tag::HEAD_REFS != 0;
        self.has_blocks = aux & tag::HEAD_BLOCKS != 0;
        self.text = Text::new(encoding, text, text_at)?;
        let root = self.peek().ok_or(CodecError::Truncated { at: SLOT })?;
        match classify(root) {
            Slot::Number => Err(self.unexpected(tag::NUMBER, SLOT, "a scalar root has no head")),
            Slot::Tagged(found) if is_scalar(found) => {
                Err(self.unexpected(found, SLOT, "a scalar root has no head"))
            }
            _ => Ok(()),
        }
    }

    fn check_bare_root(&self, first: u64) -> Result<()> {
        match classify(first) {
            Slot::Tagged(found) if found <= tag::ENVELOPE && !is_scalar(found) => {
                Err(self.unexpected(found, 0, "a root that is no scalar has a head"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that value and text have been used up, `bytes` being the whole message.
    pub(crate) fn finish(&self, bytes: &[u8]) -> Result<()> {
        if self.at != self.slots.len() {
            return Err(CodecError::TrailingBytes { at: self.at });
        }
        let with_head =
            bytes.len() > SLOT && bytes[5] == tag::HEAD && bytes[6..8] == tag::TAGGED.to_le_bytes();
        let complete = if with_head {
            self.text.is_used_up()
        } else {
            self.at == bytes.len()
        };
        if complete {
            Ok(())
        } else {
            Err(CodecError::TrailingBytes {
                at: self.slots.len() + self.text.at,
            })
        }
    }

    /// Byte offset of the next slot.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Bytes of the slots: a bound for whatever a caller counts.
    #[cfg(feature = "serde")]
    pub(crate) fn size(&self) -> usize {
        self.slots.len()
    }

    /// Steps into a container.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.depth >= self.limits.depth() {
            return Err(CodecError::TooDeep {
                limit: self.limits.depth(),
            });
        }
        self.depth += 1;
        Ok(())
    }

    /// Steps out of it.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The next slot, left where it is.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u64> {
        self.slots
            .get(self.at..)?
            .first_chunk::<SLOT>()
            .map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// Reads a value, or the head of one.
    #[inline]
    pub(crate) fn next(&mut self, place: Place) -> Result<Token<'a>> {
        let at = self.at;
        let slot = self.peek().ok_or(CodecError::Truncated { at })?;
        self.at = at + SLOT;
        self.owed = self.owed.saturating_sub(1);
        if matches!(place, Place::Value | Place::Entry) {
            if slot < tag::FIRST_RESERVED {
                return Ok(Token::Number(tag::double(slot)));
            }
            if slot >> 32 == tag::slot(tag::STRING, 0, 0) >> 32 {
                return self.text.take(slot as u32, at).map(Token::String);
            }
        }
        self.next_rarer(slot, at, place)
    }

    /// Everything but the most frequent, kept out of the callers' code.
    #[inline(never)]
    fn next_rarer(&mut self, slot: u64, at: usize, place: Place) -> Result<Token<'a>> {
        match classify(slot) {
            Slot::Tagged(found) => self.tagged(found, (slot >> 32) as u8, slot as u32, at, place),
            Slot::Number => {
                Err(self.unexpected(tag::NUMBER, at, "an error's field of another kind"))
            }
            Slot::Reserved => Err(CodecError::ReservedSlot { at }),
        }
    }

    /// Reserves the next `count` values for a container.
    #[inline]
    pub(super) fn claim(&mut self, count: usize) -> Result<()> {
        self.owed = self.owed.saturating_add(count);
        if self.owed > self.slots_left() {
            Err(CodecError::Truncated { at: self.at })
        } else {
            Ok(())
        }
    }

    fn slots_left(&self) -> usize {
        (self.slots.len() - self.at) / SLOT
    }

    /// Takes bytes that are not slots, and the padding after them.
    pub(super) fn raw(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let size = tag::padded(bytes);
        if size / SLOT > self.slots_left().saturating_sub(self.owed) {
            return Err(CodecError::Truncated { at: self.at });
        }
        let (content, padding) = self.slots[self.at..self.at + size].split_at(bytes);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(CodecError::BadOperand {
                at: self.at + bytes,
                why: "padding is zero",
            });
        }
        self.at += size;
        Ok(content)
    }

    /// Takes a raw slot.
    #[inline]
    pub(super) fn raw_slot(&mut self) -> Result<u64> {
        let bytes = self.raw(SLOT)?;
        bytes
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .ok_or(CodecError::Truncated { at: self.at })
    }

    /// Takes a raw slot that holds 32 bits.
    pub(super) fn raw_u32(&mut self) -> Result<u32> {
        let at = self.at;
        u32::try_from(self.raw_slot()?).map_err(|_| CodecError::BadOperand {
            at,
            why: "the upper half is zero",
        })
    }

    /// Takes a `STRING` that its container has claimed.
    #[inline]
    pub(super) fn string(&mut self) -> Result<StrRef<'a>> {
        let at = self.at;
        let slot = self.peek().ok_or(CodecError::Truncated { at })?;
        self.at = at + SLOT;
        self.owed = self.owed.saturating_sub(1);
        if slot >> 32 == tag::slot(tag::STRING, 0, 0) >> 32 {
            return self.text.take(slot as u32, at);
        }
        match classify(slot) {
            Slot::Reserved => Err(CodecError::ReservedSlot { at }),
            Slot::Number => Err(self.unexpected(tag::NUMBER, at, "only a STRING may stand here")),
            Slot::Tagged(tag::STRING) => Err(CodecError::BadOperand {
                at,
                why: "an unused operand is zero",
            }),
            Slot::Tagged(tag) if tag > tag::ENVELOPE => Err(CodecError::UnknownTag { tag, at }),
            Slot::Tagged(tag) => Err(self.unexpected(tag, at, "only a STRING may stand here")),
        }
    }

    /// Gives the value that begins at `at` the next number.
    #[inline]
    pub(super) fn number(&mut self, at: usize) {
        self.numbered += 1;
        if self.has_refs && self.keep_marks {
            // A value that is read again has its mark already.
            if self.marks.len() < self.numbered as usize {
                let (text_at, locals) = (self.text.at as u32, self.next_local as u32);
                self.marks.push(Mark {
                    at: at as u32,
                    text_at,
                    locals,
                });
            }
        }
    }

    /// Reads the keys of a shape that is defined here.
    pub(super) fn define(&mut self, count: usize, at: usize) -> Result<Keys<'a>> {
        if count > tag::MAX_KEYS {
            return Err(CodecError::BadOperand {
                at,
                why: "a shape has at most 65535 keys",
            });
        }
        self.claim(2 * count)?;
        let local = self.strings_here(count as u32);
        let number = self.next_local;
        self.next_local += 1;
        if self.trusted || number < self.locals.len() {
            for _ in 0..count {
                self.string()?;
            }
        } else {
            self.read_new_keys(count, at)?;
            self.locals.push(local);
        }
        Ok(Keys::New(local))
    }

    fn read_new_keys(&mut self, count: usize, at: usize) -> Result<()> {
        let mut few = [StrRef::Utf8(""); 12];
        let twice = if let Some(few) = few.get_mut(..count) {
            for key in few.iter_mut() {
                *key = self.string()?;
            }
            has_duplicate(few)
        } else {
            let many = (0..count)
                .map(|_| self.string())
                .collect::<Result<Vec<_>>>()?;
            has_duplicate(&many)
        };
        if twice {
            Err(CodecError::BadOperand {
                at,
                why: "a key comes twice in a shape",
            })
        } else {
            Ok(())
        }
    }

    pub(super) fn local(&self, number: u32, at: usize) -> Result<Keys<'a>> {
        let found = self.known.unwrap_or(&self.locals).get(number as usize);
        found
            .map(|keys| Keys::Local(keys, number))
            .ok_or(CodecError::UnknownShape { number, at })
    }

    pub(super) fn shared(&self, number: u32, at: usize) -> Result<Keys<'a>> {
        let shape = self
            .shapes
            .and_then(|table| table.get(number))
            .ok_or(CodecError::UnknownShape { number, at })?;
        Ok(Keys::Table(shape))
    }

    #[cold]
    pub(super) fn unexpected(&self, tag: u8, at: usize, why: &'static str) -> CodecError {
        CodecError::UnexpectedTag { tag, at, why }
    }

    pub(super) fn allows_refs(&self) -> bool {
        self.has_refs
    }

    pub(super) fn allows_blocks(&self) -> bool {
        self.has_blocks
    }
}

enum Slot {
    Number,
    Tagged(u8),
    Reserved,
}

fn classify(slot: u64) -> Slot {
    if slot < tag::FIRST_RESERVED {
        Slot::Number
    } else if slot >> 48 == u64::from(tag::TAGGED) {
        Slot::Tagged((slot >> 40) as u8)
    } else {
        Slot::Reserved
    }
}

fn is_scalar(found: u8) -> bool {
    matches!(
        found,
        tag::UNDEFINED
            | tag::NULL
            | tag::FALSE
            | tag::TRUE
            | tag::BIGINT64
            | tag::BIGINT
            | tag::DATE
    )
}
