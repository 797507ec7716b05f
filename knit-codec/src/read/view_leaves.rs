//! The parts of a message's view that are no containers of values alike: bigints and errors.

use super::cursor::Cursor;
use super::token::{ErrorHead, ErrorRest, ErrorTexts};
use super::view::{ValueRef, value};
use crate::bigint::BigInt;
use crate::kinds::ErrorClass;
use crate::string::StrRef;

/// A bigint in a message.
#[derive(Clone, Copy, Debug)]
pub struct BigIntRef<'r>(pub(super) Digits<'r>);

#[derive(Clone, Copy, Debug)]
pub(super) enum Digits<'r> {
    Small(i64),
    Large(bool, &'r [u8]),
}

impl BigIntRef<'_> {
    /// As an `i64`, if it fits.
    pub fn to_i64(self) -> Option<i64> {
        match self.0 {
            Digits::Small(value) => Some(value),
            Digits::Large(..) => None,
        }
    }

    /// An owned copy.
    pub fn to_bigint(self) -> BigInt {
        match self.0 {
            Digits::Small(value) => value.into(),
            Digits::Large(negative, limbs) => BigInt::from_limb_bytes(negative, limbs),
        }
    }
}

/// An error in a message.
#[derive(Clone, Debug)]
pub struct ErrorRef<'r> {
    pub(super) head: ErrorHead,
    pub(super) texts: ErrorTexts<'r>,
    pub(super) cursor: Cursor<'r>,
}

impl<'r> ErrorRef<'r> {
    /// The built-in class.
    pub fn class(&self) -> ErrorClass {
        self.head.class
    }

    /// `name`: the class's, unless it has its own.
    pub fn name(&self) -> StrRef<'r> {
        self.texts
            .name
            .unwrap_or(StrRef::Utf8(self.head.class.name()))
    }

    /// `message`.
    pub fn message(&self) -> Option<StrRef<'r>> {
        self.texts.message
    }

    /// `stack`.
    pub fn stack(&self) -> Option<StrRef<'r>> {
        self.texts.stack
    }

    /// `cause`.
    pub fn cause(&self) -> Option<ValueRef<'r>> {
        self.field(ErrorRest::CAUSE)
    }

    /// `code`.
    pub fn code(&self) -> Option<ValueRef<'r>> {
        self.field(ErrorRest::CODE)
    }

    /// `errors`.
    pub fn errors(&self) -> Option<ValueRef<'r>> {
        self.field(ErrorRest::ERRORS)
    }

    /// Own enumerable properties other than these.
    pub fn properties(&self) -> Option<ValueRef<'r>> {
        self.field(ErrorRest::PROPERTIES)
    }

    fn field(&self, bit: u32) -> Option<ValueRef<'r>> {
        if !self.head.rest.has(bit) {
            return None;
        }
        let mut cursor = self.cursor.clone();
        cursor.skip_checked((self.head.rest.0 & (bit - 1)).count_ones() as usize);
        Some(value(&mut cursor))
    }
}
