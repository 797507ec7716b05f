//! The constants and structs of the border. Their values are written out, so that the header shows them, and compared with the engine's at
//! compile time.

use std::mem::{offset_of, size_of};

use knit_sched::frames::{self, flag, kind};
use knit_sched::port;

/// Version of this interface: what `knit_abi_version` returns if the library fits this header.
pub const KNIT_ABI_VERSION: u32 = 1;

/// What `knit_worker_turn` returns if the host asks the worker to end: more than any number of calls.
pub const KNIT_STOP: i32 = i32::MAX;
/// There is none: no free abort slot, no deadline, nothing that runs.
pub const KNIT_NONE: i32 = i32::MAX;

/// Control word, host and worker: microseconds of a monotonic clock, wrapping.
pub const KNIT_CONTROL_CLOCK: usize = 0;
/// Control word, host: calls waiting in private memory.
pub const KNIT_CONTROL_BACKLOG: usize = 1;
/// Control word, host and worker: place in its heap of the block opened or allocated last.
pub const KNIT_CONTROL_BLOCK_OFFSET: usize = 2;
/// Control word, host and worker: size of that block.
pub const KNIT_CONTROL_BLOCK_BYTES: usize = 3;
/// Control word, host and worker: lower word of the locator of the block allocated last.
pub const KNIT_CONTROL_BLOCK_LOW: usize = 4;
/// Control word, host and worker: higher word of it.
pub const KNIT_CONTROL_BLOCK_HIGH: usize = 5;
/// Control word, worker: how many aborts there were, wrapping.
pub const KNIT_CONTROL_ABORTS: usize = 6;
/// Control word, host: 1 and the number of a worker that has damaged its reply ring, once; else 0. That worker must be ended and retired.
pub const KNIT_CONTROL_DAMAGED: usize = 6;
/// Control word, host: 1 if replies are too far to be looked for: a host with nothing else to do had better sleep at once. Else 0.
pub const KNIT_CONTROL_FAR: usize = 7;
/// First control word of the entries. Host: per span of replies `KNIT_SPAN_WORDS` (worker, first byte, end), or per expired call
/// `KNIT_CALL_WORDS` (number, generation). Worker: per claimed call one word, the first byte of its payload. Bytes are counted from the start of
/// `KNIT_MEMORY_FRONT`.
pub const KNIT_CONTROL_ENTRIES: usize = 8;
/// Words of a span of replies.
pub const KNIT_SPAN_WORDS: usize = 3;
/// Words of an expired call.
pub const KNIT_CALL_WORDS: usize = 2;

const _: () = assert!(KNIT_CONTROL_CLOCK == port::CLOCK);
const _: () = assert!(KNIT_CONTROL_BACKLOG == port::BACKLOG);
const _: () = assert!(KNIT_CONTROL_BLOCK_OFFSET == port::BLOCK_OFFSET);
const _: () = assert!(KNIT_CONTROL_BLOCK_BYTES == port::BLOCK_BYTES);
const _: () = assert!(KNIT_CONTROL_BLOCK_LOW == port::BLOCK_LOW);
const _: () = assert!(KNIT_CONTROL_BLOCK_HIGH == port::BLOCK_HIGH);
const _: () = assert!(KNIT_CONTROL_ABORTS == port::ABORTS);
const _: () = assert!(KNIT_CONTROL_DAMAGED == port::DAMAGED);
const _: () = assert!(KNIT_CONTROL_FAR == port::FAR);
const _: () = assert!(KNIT_CONTROL_ENTRIES == port::ENTRIES);
const _: () = assert!(KNIT_SPAN_WORDS == port::SPAN_WORDS);
const _: () = assert!(KNIT_CALL_WORDS == port::CALL_WORDS);

/// Memory: everything of the region but the block heaps. Rings are read in it, never written.
pub const KNIT_MEMORY_FRONT: u32 = 0;
/// Memory: the control block.
pub const KNIT_MEMORY_CONTROL: u32 = 1;
/// Memory: the submission buffer of a host or the reply buffer of a worker.
pub const KNIT_MEMORY_OUTBOX: u32 = 2;
/// Memory: the figures of a host, `double`s. See `knit_host_measure`.
pub const KNIT_MEMORY_FIGURES: u32 = 3;
/// Memory: the host's block heap. That of worker w is `KNIT_MEMORY_HEAP + 1 + w`.
pub const KNIT_MEMORY_HEAP: u32 = 4;

/// Most rings that a thread's list has room for at once. See `knit_rung`.
pub const KNIT_RUNG_MOST: usize = 63;

/// Columns of a row of figures, in the order of `knit_sched::port::FIGURES`.
pub const KNIT_FIGURES: usize = 15;

const _: () = assert!(KNIT_FIGURES == port::FIGURES.len());

/// Frames start at multiples of this many bytes, and are padded to it.
pub const KNIT_FRAME_GRANULE: usize = 32;
/// Kind of a frame: a call; the payload is its argument.
pub const KNIT_KIND_CALL: u8 = 1;
/// Kind of a frame: a result.
pub const KNIT_KIND_RESULT: u8 = 2;
/// Kind of a frame: what the task threw.
pub const KNIT_KIND_THROWN: u8 = 3;
/// Kind of a frame: what a worker's binding says about itself, of no call.
pub const KNIT_KIND_NOTE: u8 = 4;
/// Kind of a frame: none; it fills the space up to the end of a ring.
pub const KNIT_KIND_PAD: u8 = 255;
/// Flag of a frame: the payload lies in a block; the frame holds its locator (low word, high word) and its length in bytes (u64).
pub const KNIT_FLAG_BLOCK: u8 = 1;
/// Flag of a thrown frame: an error of the worker's engine.
pub const KNIT_FLAG_ENGINE: u8 = 2;
/// Flag of a thrown frame: the payload is a message in UTF-8, not a value.
pub const KNIT_FLAG_TEXT: u8 = 4;
/// Flag of a reply: the worker's program holds blocks that came with the call.
pub const KNIT_FLAG_KEPT: u8 = 8;
/// Flag of a call: abort slot and ticket, u32 each, lie before the argument.
pub const KNIT_FLAG_ABORT: u8 = 16;

const _: () = assert!(KNIT_FRAME_GRANULE == frames::GRANULE);
const _: () = assert!(KNIT_KIND_CALL == kind::CALL);
const _: () = assert!(KNIT_KIND_RESULT == kind::RESULT);
const _: () = assert!(KNIT_KIND_THROWN == kind::THROWN);
const _: () = assert!(KNIT_KIND_NOTE == kind::NOTE);
const _: () = assert!(KNIT_KIND_PAD == knit_ring::KIND_PAD);
const _: () = assert!(KNIT_FLAG_BLOCK == flag::BLOCK);
const _: () = assert!(KNIT_FLAG_ENGINE == flag::ENGINE);
const _: () = assert!(KNIT_FLAG_TEXT == flag::TEXT);
const _: () = assert!(KNIT_FLAG_KEPT == flag::KEPT);
const _: () = assert!(KNIT_FLAG_ABORT == flag::ABORT);

/// The header of a frame, as it lies in rings and buffers before its payload. An answer repeats function, call and generation of its call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Frame {
    /// Bytes of the payload, without padding.
    pub payload_len: u32,
    /// The function's number.
    pub function: u16,
    /// A `KNIT_KIND_*`.
    pub kind: u8,
    /// `KNIT_FLAG_*` bits.
    pub flags: u8,
    /// The call's number.
    pub call: u32,
    /// The generation of that number: answers to an earlier call of the same number are told by it.
    pub generation: u32,
}

const _: () = assert!(size_of::<Frame>() == frames::HEADER);
const _: () = assert!(offset_of!(Frame, kind) == 6);
const _: () = assert!(offset_of!(Frame, generation) == 12);

/// How a host is to be. All words are 32 bits wide, so it is also an array of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Options {
    /// Bytes of this struct, as the caller knows it. Fields beyond are as `knit_options_default` sets them.
    pub size: u32,
    /// Workers, 1 to 1024.
    pub workers: u32,
    /// Whether idle workers take calls queued for busy ones: 0 or 1.
    pub steal: u32,
    /// Bytes of block heap for each participant, a multiple of 4096 from 65536.
    pub arena_bytes: u32,
    /// How many calls that can be aborted may be in flight.
    pub abort_slots: u32,
    /// The longest that one look for replies may spin, in microseconds; negative: the engine decides.
    pub spin_microseconds: i32,
    /// Granules of 32 bytes of each request ring, a power of two from 64 to 65536.
    pub request_granules: u32,
    /// Granules of 32 bytes of each reply ring, a power of two from 64 to 65536.
    pub reply_granules: u32,
    /// How calls are given to lanes: the place of its name in `knit_sched::Strategy::ALL`, 0 for round robin.
    pub balancer: u32,
    /// Whether workers claim one call at a time, whatever it costs: 0 or 1. For calls that may be ended by force.
    pub alone: u32,
}

/// A place for a worker in a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Place {
    /// The pool's token in this process.
    pub token: u32,
    /// The place's number.
    pub index: u32,
    /// The epoch for which it is open.
    pub epoch: u32,
    /// Whether the worker may take calls queued for others: 0 or 1, the same for all.
    pub steal: u32,
}

/// Memory that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Memory {
    /// Its address, aligned to 8 bytes at least.
    pub data: *mut u8,
    /// Its bytes.
    pub bytes: u64,
    /// What gives it back: `knit_memory_release`, or `knit_loan_drop` for a loan.
    pub token: u32,
    /// Always 0.
    pub reserved: u32,
}

/// The version of this library's interface. Compare it with `KNIT_ABI_VERSION`.
///
/// May be called on any thread. Never fails.
#[unsafe(no_mangle)]
pub extern "C" fn knit_abi_version() -> u32 {
    KNIT_ABI_VERSION
}
