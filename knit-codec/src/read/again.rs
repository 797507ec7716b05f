//! Reading a second time: strings that were passed, values that are referred to, a message that has been checked.

use super::cursor::Cursor;
use super::token::{ErrorHead, ErrorTexts, KeyIter, Keys, Locals, Strings};
#[cfg(feature = "serde")]
use crate::error::{CodecError, Result};
use crate::tag::SLOT;

/// Where a numbered value begins: its slot and the text at that point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) at: u32,
    pub(crate) text_at: u32,
    /// Local shapes defined before it.
    #[cfg_attr(
        not(feature = "serde"),
        expect(dead_code, reason = "only serde reads a value again")
    )]
    pub(crate) locals: u32,
}

/// Where to come back to after a value has been read again.
#[cfg(feature = "serde")]
#[derive(Debug)]
pub(crate) struct Position {
    at: usize,
    text_at: usize,
    owed: usize,
    locals: usize,
    numbered: u32,
}

impl<'a> Cursor<'a> {
    /// Bytes of slots and of text that lie before this position.
    #[cfg(feature = "serde")]
    pub(crate) fn used(&self) -> usize {
        self.at + self.text.at
    }

    /// Goes to an earlier value, to read it again; gives the position to come back to.
    #[cfg(feature = "serde")]
    pub(crate) fn jump(&mut self, number: u32) -> Result<Position> {
        let mark = *self
            .marks
            .get(number as usize)
            .ok_or(CodecError::BadReference {
                number,
                at: self.at,
            })?;
        let (at, text_at, owed) = (self.at, self.text.at, self.owed);
        let position = Position {
            at,
            text_at,
            owed,
            locals: self.next_local,
            numbered: self.numbered,
        };
        self.seek(mark.at as usize, mark.text_at as usize);
        self.next_local = mark.locals as usize;
        self.numbered = number;
        Ok(position)
    }

    /// Comes back from [`Cursor::jump`].
    #[cfg(feature = "serde")]
    pub(crate) fn restore(&mut self, position: Position) {
        self.at = position.at;
        self.text.at = position.text_at;
        self.owed = position.owed;
        self.next_local = position.locals;
        self.numbered = position.numbered;
    }

    /// The keys of an object that has been read.
    #[inline]
    pub(crate) fn keys(&self, keys: &Keys<'a>) -> KeyIter<'a> {
        match keys {
            Keys::Table(shape) => KeyIter::Table(shape.keys().iter()),
            Keys::New(local) | Keys::Local(local, _) => self.strings_of(*local),
        }
    }

    /// Strings that have been read.
    #[inline]
    pub(crate) fn strings_of(&self, strings: Strings) -> KeyIter<'a> {
        let from = strings.at as usize;
        let slots = self.slots[from..from + strings.count as usize * SLOT].chunks_exact(SLOT);
        let mut text = self.text;
        text.at = strings.text_at as usize;
        KeyIter::Message { slots, text }
    }

    /// The strings of an error that has been read.
    pub(crate) fn error_texts(&self, head: &ErrorHead) -> ErrorTexts<'a> {
        let mut texts = self.strings_of(head.texts);
        let mut field = |bit| {
            if head.bits & bit != 0 {
                texts.next()
            } else {
                None
            }
        };
        ErrorTexts {
            name: field(1),
            message: field(2),
            stack: field(4),
        }
    }

    /// Strings that are about to be read.
    pub(super) fn strings_here(&self, count: u32) -> Strings {
        Strings {
            at: self.at as u32,
            text_at: self.text.at as u32,
            count,
        }
    }

    /// A cursor for a second look at a message that has been checked.
    pub(super) fn trust(mut self, locals: &'a Locals) -> Self {
        self.known = Some(locals);
        self.marks = Vec::new();
        self.keep_marks = false;
        self.trusted = true;
        self.depth = 0;
        self
    }

    /// Goes to another place in the message.
    pub(super) fn seek(&mut self, at: usize, text_at: usize) {
        self.at = at;
        self.text.at = text_at;
        self.owed = 1;
    }
}
