//! Reading: from bytes to tokens, and from tokens to whatever a caller wants.
//!
//! [`cursor`] checks and takes tokens one after the other; [`check`] walks a whole message; [`decode`] makes a [`Value`](crate::Value)
//! of it; [`view`] looks at it in place.

mod again;
mod check;
mod cursor;
mod decode;
mod tagged;
mod text;
mod token;
mod view;
mod view_leaves;

pub use decode::{from_bytes, from_bytes_with};
pub use view::{ArrayRef, Elements, EntriesRef, ObjectRef, Properties, Reader, ValueRef};
pub use view_leaves::{BigIntRef, ErrorRef};

pub(crate) use check::Lengths;
pub(crate) use text::Text;
pub(crate) use token::ErrorRest;
#[cfg(feature = "serde")]
pub(crate) use {
    check::Open,
    cursor::Cursor,
    token::{ErrorHead, KeyIter, Keys, Place, Token},
};
