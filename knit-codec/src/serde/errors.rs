//! Errors as maps.

use ::serde::de::value::BorrowedStrDeserializer;
use ::serde::de::{DeserializeSeed, MapAccess};

use super::access::{Finish, Text};
use super::de::Deserializer;
use crate::error::{CodecError, Result};
use crate::read::{ErrorHead, ErrorRest, Place};
use crate::string::StrRef;

/// An error, as a map of what it has.
pub(super) struct ErrorFields<'r, 'de> {
    de: &'r mut Deserializer<'de>,
    /// The strings, the last first.
    texts: Vec<(&'static str, StrRef<'de>)>,
    rest: ErrorRest,
    /// What the next value is: a string that has been read, or the field of this bit.
    next: Option<Result<StrRef<'de>, u32>>,
}

impl<'r, 'de> ErrorFields<'r, 'de> {
    pub(super) fn of(de: &'r mut Deserializer<'de>, head: ErrorHead) -> Self {
        let found = de.cursor.error_texts(&head);
        let name = found.name.unwrap_or(StrRef::Utf8(head.class.name()));
        let texts = [
            ("stack", found.stack),
            ("message", found.message),
            ("name", Some(name)),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(key, text)| Some((key, text?)))
            .collect();
        Self {
            de,
            texts,
            rest: head.rest,
            next: None,
        }
    }
}

impl<'de> Finish<'de> for ErrorFields<'_, 'de> {
    fn de(&mut self) -> &mut Deserializer<'de> {
        self.de
    }

    fn is_finished(&self) -> bool {
        self.texts.is_empty() && self.rest.0 == 0 && self.next.is_none()
    }
}

impl<'de> MapAccess<'de> for ErrorFields<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let key = match self.texts.pop() {
            Some((key, text)) => {
                self.next = Some(Ok(text));
                key
            }
            None => {
                let Some(bit) = self.rest.pop() else {
                    return Ok(None);
                };
                self.next = Some(Err(bit));
                match bit {
                    ErrorRest::CAUSE => "cause",
                    ErrorRest::CODE => "code",
                    ErrorRest::ERRORS => "errors",
                    _ => "properties",
                }
            }
        };
        seed.deserialize(BorrowedStrDeserializer::new(key))
            .map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        match self.next.take() {
            Some(Ok(text)) => seed.deserialize(Text(text)),
            Some(Err(bit)) => {
                self.de.place = Place::of_error_field(bit);
                seed.deserialize(&mut *self.de)
            }
            None => Err(CodecError::Unsupported("a value without a key")),
        }
    }
}
