//! Bounds that a reader and a writer keep.

/// How deep and how long a message may be.
///
/// The depth counts containers inside containers; the outermost is 1. Decoding, encoding and dropping a [`Value`](crate::Value) recurse,
/// so the depth never goes past [`Limits::MAX_DEPTH`], whatever is asked for: that many levels fit the stack of 2 MiB that Rust
/// gives a thread, in a debug build too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    depth: u32,
    bytes: usize,
}

impl Limits {
    /// The most levels that [`Limits::with_depth`] grants.
    pub const MAX_DEPTH: u32 = 1_000;
    /// The most bytes that [`Limits::with_bytes`] grants: the format's own limit, 2^31 - 1.
    pub const MAX_BYTES: usize = 0x7FFF_FFFF;

    /// FORMAT.md's defaults: 1 000 levels, 2^31 - 1 bytes.
    pub const DEFAULT: Self = Self {
        depth: Self::MAX_DEPTH,
        bytes: Self::MAX_BYTES,
    };

    /// The same limits with another depth, at most [`Limits::MAX_DEPTH`].
    #[must_use]
    pub const fn with_depth(mut self, depth: u32) -> Self {
        self.depth = if depth < Self::MAX_DEPTH {
            depth
        } else {
            Self::MAX_DEPTH
        };
        self
    }

    /// The same limits with another length, at most [`Limits::MAX_BYTES`].
    #[must_use]
    pub const fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = if bytes < Self::MAX_BYTES {
            bytes
        } else {
            Self::MAX_BYTES
        };
        self
    }

    /// Levels of nesting allowed.
    pub const fn depth(&self) -> u32 {
        self.depth
    }

    /// Bytes allowed.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
