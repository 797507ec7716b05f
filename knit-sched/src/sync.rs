//! The fence that the wake protocol is written against: `core`'s here, loom's in the model that runs the same file.

pub(crate) use core::sync::atomic::{Ordering, fence};
