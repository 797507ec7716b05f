//! The strings of a message while it is written.
//!
//! Strings are collected as UTF-8 with surrogates allowed (a lone one takes three bytes), in the order of their slots. The encoding is chosen at the end:
//! ASCII, UTF-8, or UTF-16 if there was a lone surrogate.
//!
//! Keys of an object whose keys come one by one belong before the text of its values, which by then is written. Such *late* keys are kept
//! apart, with the place where they belong, and merged at the end in one pass.

use crate::error::{CodecError, Result};
use crate::kinds::TextEncoding;
use crate::limits::Limits;
use crate::shape::{Prepared, push_wtf8};
use crate::string::{JsString, utf16_len};

/// A key that was met after text that belongs behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateKey {
    /// Which object: objects count in the order in which they begin.
    object: u32,
    /// How much of the text lies before that object's keys.
    text_at: usize,
    from: usize,
    to: usize,
    pub(super) units: u32,
    /// The address of the key if it is a constant, else 0.
    pub(super) address: usize,
    /// The key of the same object before this one; `NONE` for the first.
    pub(super) before: u32,
}

/// No late key.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct TextWriter {
    text: Vec<u8>,
    ascii: bool,
    well_formed: bool,
    late: Vec<LateKey>,
    late_text: Vec<u8>,
}

impl TextWriter {
    pub(super) fn new() -> Self {
        Self {
            text: Vec::new(),
            ascii: true,
            well_formed: true,
            late: Vec::new(),
            late_text: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.late.clear();
        self.late_text.clear();
        self.ascii = true;
        self.well_formed = true;
    }

    /// Gives back buffers that have grown beyond this.
    pub(super) fn shrink(&mut self, most: usize) {
        if self.text.capacity() > most || self.late_text.capacity() > most {
            *self = Self::new();
        }
    }

    /// How much text there is, late keys aside.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends a string. Gives its length in units.
    #[inline]
    pub(super) fn push(&mut self, text: &str) -> Result<u32> {
        if text.len() > Limits::MAX_BYTES {
            return Err(CodecError::TooLarge {
                bytes: text.len(),
                limit: Limits::MAX_BYTES,
            });
        }
        self.text.extend_from_slice(text.as_bytes());
        if text.is_ascii() {
            return Ok(text.len() as u32);
        }
        self.ascii = false;
        Ok(utf16_len(text) as u32)
    }

    /// Appends a string that may have lone surrogates.
    pub(super) fn push_js(&mut self, string: &JsString) -> Result<u32> {
        if let Some(text) = string.as_str() {
            return self.push(text);
        }
        let units = string.utf16_len();
        if units > Limits::MAX_BYTES {
            return Err(CodecError::TooLarge {
                bytes: units,
                limit: Limits::MAX_BYTES,
            });
        }
        push_wtf8(string, &mut self.text);
        self.ascii = false;
        self.well_formed = false;
        Ok(units as u32)
    }

    /// Appends all keys of a shape.
    pub(super) fn push_shape(&mut self, shape: &Prepared) {
        self.text.extend_from_slice(&shape.text);
        self.ascii &= shape.ascii;
        self.well_formed &= shape.well_formed;
    }

    /// Takes the text of a shape out again, at the place where it was appended.
    pub(super) fn remove_shape(&mut self, shape: &Prepared, text_at: usize) {
        let size = shape.text.len();
        self.text.drain(text_at..text_at + size);
        for key in &mut self.late {
            if key.text_at > text_at {
                key.text_at -= size;
            }
        }
    }

    /// Keeps a late key; gives its place in the list.
    pub(super) fn push_late(
        &mut self,
        object: u32,
        text_at: usize,
        before: u32,
        key: &JsStr<'_>,
        address: usize,
    ) -> Result<u32> {
        let from = self.late_text.len();
        let units = match key {
            JsStr::Text(text) => {
                self.late_text.extend_from_slice(text.as_bytes());
                self.ascii &= text.is_ascii();
                utf16_len(text)
            }
            JsStr::Owned(string) => {
                push_wtf8(string, &mut self.late_text);
                self.ascii &= string.as_str().is_some_and(str::is_ascii);
                self.well_formed &= string.as_str().is_some();
                string.utf16_len()
            }
        };
        let to = self.late_text.len();
        let place = self.late.len();
        if to > Limits::MAX_BYTES {
            return Err(CodecError::TooLarge {
                bytes: to,
                limit: Limits::MAX_BYTES,
            });
        }
        self.late.push(LateKey {
            object,
            text_at,
            from,
            to,
            units: units as u32,
            address,
            before,
        });
        Ok(place as u32)
    }

    /// A late key and its text.
    pub(super) fn late(&self, place: u32) -> Option<(LateKey, &[u8])> {
        let key = self.late.get(place as usize)?;
        Some((*key, &self.late_text[key.from..key.to]))
    }

    /// Which encoding the text needs.
    pub(super) fn encoding(&self) -> TextEncoding {
        match (self.well_formed, self.ascii) {
            (false, _) => TextEncoding::Utf16,
            (true, false) => TextEncoding::Utf8,
            (true, true) => TextEncoding::Ascii,
        }
    }

    /// Appends the whole text to a message, in its encoding.
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>) {
        if self.well_formed {
            return self.merge_into(out);
        }
        let mut merged = Vec::new();
        self.merge_into(&mut merged);
        push_units(&merged, &mut |unit| out.extend(unit.to_le_bytes()));
    }

    fn merge_into(&mut self, out: &mut Vec<u8>) {
        // Stable: the keys of one object stay in their order.
        self.late.sort_by_key(|key| key.object);
        let mut done = 0;
        for key in &self.late {
            out.extend_from_slice(&self.text[done..key.text_at]);
            out.extend_from_slice(&self.late_text[key.from..key.to]);
            done = key.text_at;
        }
        out.extend_from_slice(&self.text[done..]);
    }
}

/// A key, in whichever form the caller has it.
pub(super) enum JsStr<'a> {
    Text(&'a str),
    Owned(&'a JsString),
}

/// UTF-8 with surrogates to UTF-16. Each character is one or two units, whatever its neighbours are.
pub(super) fn push_units(text: &[u8], push: &mut impl FnMut(u16)) {
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let (size, top) = match first {
            0..0x80 => (1, u32::from(first)),
            0x80..0xE0 => (2, u32::from(first & 0x1F)),
            0xE0..0xF0 => (3, u32::from(first & 0x0F)),
            _ => (4, u32::from(first & 0x07)),
        };
        let (character, after) = rest.split_at(size.min(rest.len()));
        let code = character[1..]
            .iter()
            .fold(top, |code, byte| code << 6 | u32::from(byte & 0x3F));
        if let Some(above) = code.checked_sub(0x1_0000) {
            push(0xD800 | (above >> 10) as u16);
            push(0xDC00 | (above & 0x3FF) as u16);
        } else {
            push(code as u16);
        }
        rest = after;
    }
}
