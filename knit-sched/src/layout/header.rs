//! The first line of the region: what an attaching side reads.

use core::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use super::LINE;

/// The first line of the region, written once by the creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Header {
    pub(super) magic: u64,
    pub(super) version: u32,
    pub(super) workers: u32,
    pub(super) request_granules: u32,
    pub(super) reply_granules: u32,
    pub(super) arena_bytes: u32,
    pub(super) abort_slots: u32,
    pub(super) abort_words: u32,
    pub(super) host_shapes: u32,
    pub(super) host_shape_bytes: u32,
    pub(super) worker_shapes: u32,
    pub(super) worker_shape_bytes: u32,
    pub(super) front_bytes: u32,
    pub(super) total_bytes: u64,
}

const _: () = assert!(size_of::<Header>() <= LINE);

/// Byte offsets of header words that JavaScript reads.
pub(crate) mod header_words {
    use super::{Header, offset_of};

    pub(crate) const ABORT_SLOTS: usize = offset_of!(Header, abort_slots);
    pub(crate) const ABORT_WORDS: usize = offset_of!(Header, abort_words);
    pub(crate) const HOST_SHAPES: usize = offset_of!(Header, host_shapes);
    pub(crate) const HOST_SHAPE_BYTES: usize = offset_of!(Header, host_shape_bytes);
    pub(crate) const WORKER_SHAPES: usize = offset_of!(Header, worker_shapes);
    pub(crate) const WORKER_SHAPE_BYTES: usize = offset_of!(Header, worker_shape_bytes);
    pub(crate) const WORKERS: usize = offset_of!(Header, workers);
}
