//! Strings of JavaScript: UTF-16 units that need not be well-formed.
//!
//! Nearly every string is well-formed, so [`JsString`] keeps UTF-8 and falls back to units only for a lone surrogate. The choice
//! is canonical: equal strings have equal representations, so comparing and hashing need no conversion.

use std::fmt;

/// A string of JavaScript, owned.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsString(Repr);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Utf8(String),
    /// Only for what is not well-formed.
    Utf16(Box<[u16]>),
}

impl JsString {
    /// From UTF-16 units, lone surrogates allowed.
    pub fn from_utf16(units: &[u16]) -> Self {
        match String::from_utf16(units) {
            Ok(text) => Self(Repr::Utf8(text)),
            Err(_) => Self(Repr::Utf16(units.into())),
        }
    }

    /// The text, if the string is well-formed.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Utf8(text) => Some(text),
            Repr::Utf16(_) => None,
        }
    }

    /// The units, if the string is not well-formed.
    pub(crate) fn as_units(&self) -> Option<&[u16]> {
        match &self.0 {
            Repr::Utf8(_) => None,
            Repr::Utf16(units) => Some(units),
        }
    }

    /// The length as JavaScript counts it.
    pub fn utf16_len(&self) -> usize {
        match &self.0 {
            Repr::Utf8(text) => utf16_len(text),
            Repr::Utf16(units) => units.len(),
        }
    }

    /// The units of the string.
    pub fn to_utf16(&self) -> Vec<u16> {
        match &self.0 {
            Repr::Utf8(text) => text.encode_utf16().collect(),
            Repr::Utf16(units) => units.to_vec(),
        }
    }

    /// As Rust text, each lone surrogate replaced by U+FFFD.
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        match &self.0 {
            Repr::Utf8(text) => text.as_str().into(),
            Repr::Utf16(units) => String::from_utf16_lossy(units).into(),
        }
    }
}

/// The UTF-16 units of well-formed text.
#[inline]
pub(crate) fn utf16_len(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.bytes().map(utf16_width).sum()
    }
}

/// Units that a byte of UTF-8 begins: none for a continuation, two for a character outside the basic plane.
#[inline]
pub(crate) const fn utf16_width(byte: u8) -> usize {
    (byte & 0xC0 != 0x80) as usize + (byte >= 0xF0) as usize
}

impl From<&str> for JsString {
    fn from(text: &str) -> Self {
        Self(Repr::Utf8(text.into()))
    }
}

impl From<String> for JsString {
    fn from(text: String) -> Self {
        Self(Repr::Utf8(text))
    }
}

impl From<StrRef<'_>> for JsString {
    fn from(text: StrRef<'_>) -> Self {
        match text {
            StrRef::Utf8(text) => text.into(),
            StrRef::Utf16(units) => Self::from_utf16(&units.iter().collect::<Vec<_>>()),
        }
    }
}

impl PartialEq<str> for JsString {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for JsString {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(other)
    }
}

impl fmt::Debug for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Utf8(text) => fmt::Debug::fmt(text, f),
            Repr::Utf16(units) => write!(f, "utf16{units:x?}"),
        }
    }
}

impl fmt::Display for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

/// A string inside a message or a shape table, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum StrRef<'a> {
    /// Text of encoding 0 or 1.
    Utf8(&'a str),
    /// Text of encoding 2, well-formed or not.
    Utf16(Units<'a>),
}

/// UTF-16 units as they lie in a message, at any alignment.
#[derive(Clone, Copy, Debug)]
pub struct Units<'a>(pub(crate) &'a [u8]);

impl<'a> Units<'a> {
    /// The units, one after the other.
    pub fn iter(self) -> impl Iterator<Item = u16> + 'a {
        self.0
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
    }
}

impl<'a> StrRef<'a> {
    /// The text without a copy, if it lies as UTF-8 in the message.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Utf8(text) => Some(text),
            Self::Utf16(_) => None,
        }
    }

    /// The length as JavaScript counts it.
    pub fn utf16_len(self) -> usize {
        match self {
            Self::Utf8(text) => utf16_len(text),
            Self::Utf16(units) => units.0.len() / 2,
        }
    }

    /// An owned copy.
    pub fn to_js_string(self) -> JsString {
        self.into()
    }
}

impl PartialEq for StrRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Utf8(a), Self::Utf8(b)) => a == b,
            (Self::Utf16(a), Self::Utf16(b)) => a.0 == b.0,
            (Self::Utf8(text), Self::Utf16(units)) | (Self::Utf16(units), Self::Utf8(text)) => {
                text.encode_utf16().eq(units.iter())
            }
        }
    }
}

impl Eq for StrRef<'_> {}

impl std::hash::Hash for StrRef<'_> {
    /// By units, so that equal strings of different encodings agree.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match *self {
            Self::Utf8(text) => text.encode_utf16().for_each(|unit| state.write_u16(unit)),
            Self::Utf16(units) => units.iter().for_each(|unit| state.write_u16(unit)),
        }
    }
}

impl PartialEq<str> for StrRef<'_> {
    fn eq(&self, other: &str) -> bool {
        *self == StrRef::Utf8(other)
    }
}

impl<'a> From<&'a str> for StrRef<'a> {
    fn from(text: &'a str) -> Self {
        Self::Utf8(text)
    }
}
