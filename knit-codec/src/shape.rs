//! A shape: the keys of an object, in order, no key twice.
//!
//! Objects of one shape share it through an `Arc`, so a thousand records cost their keys once, in memory as in a message, and the
//! writer recognises a shape by its address. A shape keeps what the writer needs of it ready: its text joined, the lengths, a hash.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use crate::error::{CodecError, Result};
use crate::string::JsString;
use crate::tag::MAX_KEYS;

/// The keys of an object, in order.
pub struct Shape {
    keys: Box<[JsString]>,
    /// What only writing needs, made when it is first needed.
    prepared: OnceLock<Box<Prepared>>,
}

/// A shape as the writer wants it.
pub(crate) struct Prepared {
    /// The keys' text, one after the other; a lone surrogate as three bytes.
    pub(crate) text: Vec<u8>,
    /// The keys' lengths in UTF-16 units.
    pub(crate) units: Box<[u32]>,
    pub(crate) ascii: bool,
    pub(crate) well_formed: bool,
    hash: u64,
}

impl Shape {
    /// A shape of these keys. Fails with `BadOperand` for a key that comes twice or for more than 65 535 keys.
    pub fn new(keys: impl IntoIterator<Item = impl Into<JsString>>) -> Result<Self> {
        let keys: Box<[JsString]> = keys.into_iter().map(Into::into).collect();
        if keys.len() > MAX_KEYS {
            return Err(CodecError::BadOperand {
                at: 0,
                why: "a shape has at most 65535 keys",
            });
        }
        if has_duplicate(&keys) {
            return Err(CodecError::BadOperand {
                at: 0,
                why: "a key comes twice in a shape",
            });
        }
        Ok(Self::of_distinct(keys))
    }

    /// A shape of keys that the caller knows to be distinct.
    pub(crate) const fn of_distinct(keys: Box<[JsString]>) -> Self {
        Self {
            keys,
            prepared: OnceLock::new(),
        }
    }

    /// The keys.
    pub fn keys(&self) -> &[JsString] {
        &self.keys
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Where a key stands.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|candidate| candidate == key)
    }

    pub(crate) fn prepared(&self) -> &Prepared {
        self.prepared.get_or_init(|| {
            let mut text = Vec::new();
            for key in &self.keys {
                push_wtf8(key, &mut text);
            }
            let mut hasher = DefaultHasher::new();
            self.keys.hash(&mut hasher);
            Box::new(Prepared {
                ascii: text.is_ascii(),
                well_formed: self.keys.iter().all(|key| key.as_str().is_some()),
                text,
                units: self.keys.iter().map(|key| key.utf16_len() as u32).collect(),
                hash: hasher.finish(),
            })
        })
    }
}

/// Appends a string as UTF-8 that may contain surrogates, which is what the writer collects.
pub(crate) fn push_wtf8(string: &JsString, out: &mut Vec<u8>) {
    match (string.as_str(), string.as_units()) {
        (Some(text), _) => out.extend_from_slice(text.as_bytes()),
        (None, Some(units)) => {
            for unit in char::decode_utf16(units.iter().copied()) {
                match unit {
                    Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    Err(lone) => {
                        let unit = lone.unpaired_surrogate();
                        out.extend([
                            0xED,
                            0x80 | (unit >> 6 & 0x3F) as u8,
                            0x80 | (unit & 0x3F) as u8,
                        ]);
                    }
                }
            }
        }
        (None, None) => {}
    }
}

/// Whether two of the keys are equal. Few are compared pair by pair, by length first; many go through a set.
pub(crate) fn has_duplicate<K: Eq + Hash>(keys: &[K]) -> bool {
    if keys.len() <= 12 {
        return keys
            .iter()
            .enumerate()
            .any(|(i, key)| keys[..i].contains(key));
    }
    let mut seen = HashSet::with_capacity(keys.len());
    !keys.iter().all(|key| seen.insert(key))
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.keys == other.keys
    }
}

impl Eq for Shape {}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.prepared().hash);
    }
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.keys.fmt(f)
    }
}
