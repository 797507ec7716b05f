#![doc = include_str!("../README.md")]

mod doorbell;
mod error;
pub mod frame;
mod header;
pub mod heap;
pub mod layout;
pub mod memory;
pub mod stream;
mod sync;

pub use doorbell::Doorbell;
pub use error::RingError;
pub use frame::{Claim, FrameConsumer, FrameProducer, Owner, Peek};
pub use header::{FrameHeader, GRANULE, HEADER_BYTES, KIND_PAD};
pub use layout::LINE;
pub use stream::{Frame, Frames, Span, StreamConsumer, StreamProducer};
