//! The text of a message: checked once as a whole, then cut from front to back.

use crate::error::{CodecError, Result};
use crate::kinds::TextEncoding;
use crate::string::{StrRef, Units, utf16_width};

/// Text that is known to be of its encoding, and how far it has been used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    whole: Whole<'a>,
    pub(crate) at: usize,
}

#[derive(Clone, Copy, Debug)]
enum Whole<'a> {
    Ascii(&'a str),
    Utf8(&'a str),
    Utf16(&'a [u8]),
}

impl<'a> Text<'a> {
    pub(crate) const EMPTY: Self = Self {
        whole: Whole::Ascii(""),
        at: 0,
    };

    /// Checks the whole text; `base` is where it lies in the message, for errors.
    pub(crate) fn new(encoding: TextEncoding, bytes: &'a [u8], base: usize) -> Result<Self> {
        let whole = match encoding {
            TextEncoding::Utf16 if bytes.len() % 2 == 0 => Whole::Utf16(bytes),
            TextEncoding::Utf16 => {
                return Err(CodecError::BadText {
                    at: base + bytes.len() - 1,
                });
            }
            TextEncoding::Utf8 => Whole::Utf8(utf8(bytes, base)?),
            TextEncoding::Ascii => {
                if !bytes.is_ascii() {
                    let bad = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
                    return Err(CodecError::BadText { at: base + bad });
                }
                Whole::Ascii(utf8(bytes, base)?)
            }
        };
        Ok(Self { whole, at: 0 })
    }

    /// The next string, of so many UTF-16 units. `slot` is where it was announced, for errors.
    #[inline]
    pub(crate) fn take(&mut self, units: u32, slot: usize) -> Result<StrRef<'a>> {
        let units = units as usize;
        match self.whole {
            Whole::Ascii(text) => {
                let to = self.at.saturating_add(units);
                let string = text
                    .get(self.at..to)
                    .ok_or(CodecError::Truncated { at: slot })?;
                self.at = to;
                Ok(StrRef::Utf8(string))
            }
            Whole::Utf8(text) => {
                let to = self.at + utf8_bytes(&text.as_bytes()[self.at..], units, slot)?;
                let string = text
                    .get(self.at..to)
                    .ok_or(CodecError::BadText { at: slot })?;
                self.at = to;
                Ok(StrRef::Utf8(string))
            }
            Whole::Utf16(bytes) => {
                let to = self.at.saturating_add(units.saturating_mul(2));
                let string = bytes
                    .get(self.at..to)
                    .ok_or(CodecError::Truncated { at: slot })?;
                self.at = to;
                Ok(StrRef::Utf16(Units(string)))
            }
        }
    }

    /// Whether every byte belongs to a string taken.
    pub(crate) fn is_used_up(&self) -> bool {
        self.at
            == match self.whole {
                Whole::Ascii(text) | Whole::Utf8(text) => text.len(),
                Whole::Utf16(bytes) => bytes.len(),
            }
    }
}

fn utf8(bytes: &[u8], base: usize) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| CodecError::BadText {
        at: base + error.valid_up_to(),
    })
}

/// How many bytes of well-formed UTF-8 make so many units.
fn utf8_bytes(text: &[u8], units: usize, slot: usize) -> Result<usize> {
    let mut at = 0;
    let mut left = units;
    while left > 0 {
        let byte = *text.get(at).ok_or(CodecError::Truncated { at: slot })?;
        let width = utf16_width(byte);
        if width > left {
            return Err(CodecError::BadText { at: slot });
        }
        left -= width;
        at += match byte {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
    }
    Ok(at)
}
