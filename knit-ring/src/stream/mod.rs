//! A bounded stream of frames from one producer to one consumer, read in whole spans.
//!
//! It guarantees: frames arrive whole, once, in order. It does not guarantee anything after the death of a side: a
//! stream whose producer or consumer died is given up, and a new one made under a new epoch.
//!
//! # Layout
//! The table is in [`crate::layout`]. The data part is `capacity` granules of 32 bytes; each frame starts at a granule
//! and is contiguous: one that would cross the end is preceded by a pad frame ([`crate::KIND_PAD`]) that reaches to it.
//! Positions are bytes, in u32, and wrap: their low bits are the place in the data part, their difference is the length
//! between them, which is at most 2^31.
//!
//! # Protocol
//! 1. Push: the producer writes into space that the consumer's `head` (Acquire) has left.
//! 2. Publish: `tail` is stored with Release.
//! 3. Read: the consumer loads `tail` with Acquire and has the bytes up to it, or up to the data part's end, to itself.
//! 4. Consume: `head` is stored with Release.
//!
//! Each side keeps the other's position from when it last looked, and looks again only when that does not suffice: in a
//! busy stream both lines mostly stay where they are.
//!
//! Sources: Lamport's single-producer queue; the cached positions are those of rtrb and FastForward-like queues.

mod consumer;
mod producer;

pub use consumer::{Frame, Frames, Span, StreamConsumer};
pub use producer::StreamProducer;
