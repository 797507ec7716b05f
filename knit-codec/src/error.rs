//! What can go wrong, one variant for each refusal that FORMAT.md names.
//!
//! The code of an error ([`CodecError::code`]) is the name FORMAT.md uses. It never changes, and the implementation in TypeScript
//! uses the same one. `at` is the byte offset in the message (in a shape table: the index of the word).

/// Why a message could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// A slot from the range that no version uses yet.
    #[error("reserved slot at byte {at}")]
    ReservedSlot {
        /// Where.
        at: usize,
    },
    /// A tag that this version does not know.
    #[error("unknown tag {tag:#04x} at byte {at}")]
    UnknownTag {
        /// The tag.
        tag: u8,
        /// Where.
        at: usize,
    },
    /// A known tag in a place where it may not stand.
    #[error("tag {tag:#04x} may not stand at byte {at}: {why}")]
    UnexpectedTag {
        /// The tag; numbers, which have none, show as 0xff.
        tag: u8,
        /// Where.
        at: usize,
        /// The rule it breaks.
        why: &'static str,
    },
    /// An operand outside of what the tag allows.
    #[error("bad operand at {at}: {why}")]
    BadOperand {
        /// Where.
        at: usize,
        /// The rule it breaks.
        why: &'static str,
    },
    /// The message, or the table, ends before what it announces.
    #[error("truncated at {at}")]
    Truncated {
        /// Where more was expected.
        at: usize,
    },
    /// Something follows the value, or some of the text belongs to no string.
    #[error("trailing bytes at {at}")]
    TrailingBytes {
        /// Where the value or the used text ended.
        at: usize,
    },
    /// Containers inside containers, more than the limit.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The limit in force.
        limit: u32,
    },
    /// A message longer than the limit.
    #[error("{bytes} bytes are over the limit of {limit}")]
    TooLarge {
        /// The length, as far as it is known.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A reference to a value that has not been met.
    #[error("reference to value {number} at byte {at}, which has not been met")]
    BadReference {
        /// The number referred to.
        number: u32,
        /// Where.
        at: usize,
    },
    /// An object of a shape that is not defined.
    #[error("shape {number} at byte {at} is not defined")]
    UnknownShape {
        /// The shape's number.
        number: u32,
        /// Where.
        at: usize,
    },
    /// Text that is not of its encoding, or a string that ends inside a character.
    #[error("malformed text at {at}")]
    BadText {
        /// Where.
        at: usize,
    },
    /// The writer was driven in an order that makes no message.
    #[error("misuse of the writer: {0}")]
    Misuse(&'static str),
    /// A value that the format, or the Rust type asked for, cannot hold.
    #[error("{0}")]
    Unsupported(&'static str),
    /// What a `Serialize` or `Deserialize` implementation said.
    #[error("{0}")]
    Custom(Box<str>),
    /// A part of a value does not fit the Rust type asked for. Not with a `CodecError` inside: an error whose drop is recursive makes every value slower to read.
    #[error(transparent)]
    Misfit(Box<Misfit>),
}

/// What does not fit its Rust type, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.strip_prefix('.').unwrap_or(path))]
pub struct Misfit {
    /// Where, from the root, as JavaScript goes there: `.users[3].name`.
    pub path: Box<str>,
    /// Why.
    pub reason: Box<str>,
    pub(crate) code: &'static str,
}

impl CodecError {
    /// The stable name of the error, the one FORMAT.md uses.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Misfit(misfit) => misfit.code,
            Self::ReservedSlot { .. } => "ReservedSlot",
            Self::UnknownTag { .. } => "UnknownTag",
            Self::UnexpectedTag { .. } => "UnexpectedTag",
            Self::BadOperand { .. } => "BadOperand",
            Self::Truncated { .. } => "Truncated",
            Self::TrailingBytes { .. } => "TrailingBytes",
            Self::TooDeep { .. } => "TooDeep",
            Self::TooLarge { .. } => "TooLarge",
            Self::BadReference { .. } => "BadReference",
            Self::UnknownShape { .. } => "UnknownShape",
            Self::BadText { .. } => "BadText",
            Self::Misuse(_) => "Misuse",
            Self::Unsupported(_) => "Unsupported",
            Self::Custom(_) => "Custom",
        }
    }
}

/// `Result` with [`CodecError`].
pub type Result<T, E = CodecError> = std::result::Result<T, E>;
