//! Writing: a streaming [`Writer`], and [`to_bytes`] on top of it.
//!
//! [`writer`] is the frame of a message; [`leaves`] what is written in one go; [`containers`] what opens and closes; [`records`] objects whose keys
//! come one by one; [`shapes`] what the writer remembers of shapes; [`text`] the strings; [`encode`] walks a [`Value`](crate::Value).

mod containers;
mod encode;
mod leaves;
mod records;
mod shapes;
mod text;
mod writer;

pub use containers::ErrorFields;
pub use encode::to_bytes;
#[cfg(feature = "serde")]
pub(crate) use encode::with_writer;
pub use writer::Writer;
