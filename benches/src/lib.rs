//! What the criterion benches share: the message and its pipes, and the records that the codecs write.
//!
//! Nothing here is published. See README.md for what is measured and how to read it.

pub mod codecs;
pub mod message;
pub mod pipes;
pub mod records;
