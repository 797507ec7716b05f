//! What can go wrong with a region, each with a code that stays the same over versions.
//!
//! The text of a message may be reworded at any time; programs compare [`ShmError::code`].

use rustix::io::Errno;

/// Why a region could not be made, reached or waited on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShmError {
    /// The length asked for, or the size of the object to attach, is zero. An object found by name may be
    /// empty for the moment between its creation and its sizing: opening it again is then the answer.
    #[error("shared memory of zero bytes cannot be mapped")]
    Empty,
    /// More bytes than an address space can hold in one piece.
    #[error("{len} bytes are more than one mapping can hold")]
    TooLarge {
        /// The length in question.
        len: u64,
    },
    /// An access reaches outside the region or the area.
    #[error("{len} bytes at offset {offset} do not lie within {size} bytes")]
    OutOfBounds {
        /// Where the access would begin.
        offset: usize,
        /// How many bytes it would touch.
        len: usize,
        /// How many there are.
        size: usize,
    },
    /// An atomic word was asked for at an address that is not a multiple of its size.
    #[error("offset {offset} is not aligned to {align} bytes")]
    Misaligned {
        /// The offset in question.
        offset: usize,
        /// The alignment that it lacks.
        align: usize,
    },
    /// The name does not have the form that every supported system takes.
    #[error(
        "{name:?} is no name for shared memory: 1 to 30 bytes, no slash, no NUL, neither '.' nor '..'"
    )]
    BadName {
        /// The name in question.
        name: String,
    },
    /// What a name is to begin with is not a part of one.
    #[error(
        "{prefix:?} cannot begin a name: 1 to 30 letters, digits, '.', '_', '-', the first of them no '.'"
    )]
    BadPrefix {
        /// The prefix in question.
        prefix: String,
    },
    /// There is already an object of this name.
    #[error("shared memory named {name:?} exists already")]
    NameTaken {
        /// The name in question.
        name: String,
    },
    /// There is no object of this name.
    #[error("there is no shared memory named {name:?}")]
    NameMissing {
        /// The name in question.
        name: String,
    },
    /// The object of this name belongs to another user, or lets other users in.
    #[error("shared memory named {name:?} is not private to this user")]
    NotPrivate {
        /// The name in question.
        name: String,
    },
    /// The descriptor is a pipe, a socket, a directory: nothing whose bytes can be shared.
    #[error("the descriptor is not one of shared memory")]
    NotMemory,
    /// The object could be made smaller by whoever else holds it, which would kill those who touch the lost part.
    #[error("the descriptor is not sealed against shrinking")]
    Unsealed,
    /// The operating system lacks something that this call cannot do without.
    #[error("this system has no {what}")]
    Unsupported {
        /// What is missing.
        what: &'static str,
    },
    /// The other end of the socket was closed.
    #[error("the other end of the socket was closed")]
    PeerGone,
    /// Nothing came within the time given.
    #[error("nothing came within the time given")]
    TimedOut,
    /// The other end does not take what was sent before: its socket is full.
    #[error("the socket is full: its other end does not take what was sent before")]
    SocketFull,
    /// What came through the socket is no descriptor with a number.
    #[error("what came through the socket is not what this library sends: {why}")]
    BadMessage {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The operating system refused.
    #[error("{call} failed: {}", std::io::Error::from_raw_os_error(*.errno))]
    Os {
        /// The system call.
        call: &'static str,
        /// The number that it gave.
        errno: i32,
    },
}

impl ShmError {
    /// The stable code of this kind of failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "SHM_EMPTY",
            Self::TooLarge { .. } => "SHM_TOO_LARGE",
            Self::OutOfBounds { .. } => "SHM_OUT_OF_BOUNDS",
            Self::Misaligned { .. } => "SHM_MISALIGNED",
            Self::BadName { .. } | Self::BadPrefix { .. } => "SHM_BAD_NAME",
            Self::NameTaken { .. } => "SHM_NAME_TAKEN",
            Self::NameMissing { .. } => "SHM_NAME_MISSING",
            Self::NotPrivate { .. } => "SHM_NOT_PRIVATE",
            Self::NotMemory => "SHM_NOT_MEMORY",
            Self::Unsealed => "SHM_UNSEALED",
            Self::Unsupported { .. } => "SHM_UNSUPPORTED",
            Self::PeerGone => "SHM_PEER_GONE",
            Self::TimedOut => "SHM_TIMED_OUT",
            Self::SocketFull => "SHM_SOCKET_FULL",
            Self::BadMessage { .. } => "SHM_BAD_MESSAGE",
            Self::Os { .. } => "SHM_OS",
        }
    }

    /// For `map_err`: names the call that gave the errno.
    pub(crate) fn os(call: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Os {
            call,
            errno: errno.raw_os_error(),
        }
    }
}
