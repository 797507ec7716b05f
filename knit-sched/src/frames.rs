//! Frames in a buffer of one's own: what a submission buffer holds.
//!
//! A frame is a [`FrameHeader`] and its payload, padded to a multiple of [`GRANULE`]; frames follow each other without gaps. This is
//! also the form they have in the rings, so moving a frame is one copy.

use bytemuck::bytes_of;
use knit_ring::FrameHeader;

use crate::abort::AbortSlot;

/// Frames start at multiples of this many bytes.
pub const GRANULE: usize = 32;
/// Bytes of a frame's header.
pub const HEADER: usize = size_of::<FrameHeader>();

/// What a frame is: the header's `kind`.
pub mod kind {
    /// A call: host to worker; the payload is the argument.
    pub const CALL: u8 = 1;
    /// A result: worker to host.
    pub const RESULT: u8 = 2;
    /// What the task threw: worker to host.
    pub const THROWN: u8 = 3;
    /// What a worker's binding says about itself: worker to host, of no call. Only for bindings; [`crate::Pool`] passes it over.
    pub const NOTE: u8 = 4;
}

/// Bits of the header's `flags`.
pub mod flag {
    /// The payload lies in a block; the frame carries its locator and length in bytes, both u64.
    pub const BLOCK: u8 = 1;
    /// What is thrown is an error of the worker's engine, described by an object, to be made one of the host's classes.
    pub const ENGINE: u8 = 2;
    /// What is thrown is a message of a native worker, as UTF-8: why it could not run the function to its end.
    pub const TEXT: u8 = 4;
    /// A call that can be aborted: its slot and ticket ([`AbortSlot`](crate::AbortSlot)) lie before the argument, in 8 bytes of the payload.
    pub const ABORT: u8 = 16;
    /// A reply: the worker's program holds blocks that came with the call. See [`crate::Host::kept`].
    pub const KEPT: u8 = 8;
}

/// A message taken out of the pool's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its header; `payload_len` is the payload's.
    pub header: FrameHeader,
    /// Its payload.
    pub payload: Vec<u8>,
    /// How a call that can be aborted is.
    pub abort: Option<AbortSlot>,
}

/// One whole frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    header: FrameHeader,
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Puts a header and its payload together, in `buffer`.
    pub(crate) fn new(header: &FrameHeader, payload: &[u8], buffer: &'a mut Vec<u8>) -> Self {
        buffer.clear();
        append(buffer, header, payload);
        Self {
            header: *header,
            bytes: &buffer[..HEADER + payload.len()],
        }
    }

    pub(crate) fn header(&self) -> &FrameHeader {
        &self.header
    }

    /// Header and payload.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER..]
    }

    #[inline]
    pub(crate) fn padded_len(&self) -> usize {
        self.bytes.len().next_multiple_of(GRANULE)
    }
}

/// The frame at byte `at`, or none if it does not lie in the buffer whole.
#[inline]
pub(crate) fn frame_at(buffer: &[u8], at: usize) -> Option<Frame<'_>> {
    let header_bytes = buffer.get(at..at.checked_add(HEADER)?)?;
    let header: FrameHeader = bytemuck::pod_read_unaligned(header_bytes);
    let end = (at + HEADER).checked_add(header.payload_len as usize)?;
    Some(Frame {
        header,
        bytes: buffer.get(at..end)?,
    })
}

/// The header of a call of `function` with this argument.
///
/// # Panics
/// If the payload has 4 GiB or more.
#[must_use]
pub fn call_of(function: u16, call: u32, payload: &[u8]) -> FrameHeader {
    FrameHeader {
        payload_len: length(payload),
        function,
        kind: kind::CALL,
        flags: 0,
        call,
        generation: 0,
    }
}

/// The header of the result of `call`.
///
/// # Panics
/// If the payload has 4 GiB or more.
#[must_use]
pub fn result_of(call: &FrameHeader, payload: &[u8]) -> FrameHeader {
    answer_of(call, kind::RESULT, 0, payload)
}

/// The header of the answer to `call`, of that kind and with those flags.
///
/// # Panics
/// If the payload has 4 GiB or more.
#[must_use]
pub fn answer_of(call: &FrameHeader, kind: u8, flags: u8, payload: &[u8]) -> FrameHeader {
    FrameHeader {
        payload_len: length(payload),
        kind,
        flags,
        ..*call
    }
}

fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).expect("a frame is below 4 GiB")
}

/// Appends a frame to a buffer of frames.
pub fn append(buffer: &mut Vec<u8>, header: &FrameHeader, payload: &[u8]) {
    buffer.extend_from_slice(bytes_of(header));
    buffer.extend_from_slice(payload);
    buffer.resize(buffer.len().next_multiple_of(GRANULE), 0);
}

#[cfg(test)]
pub(crate) fn encode(function: u16, call: u32, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        payload_len: payload.len() as u32,
        function,
        kind: kind::CALL,
        flags: 0,
        call,
        generation: 0,
    };
    let mut buffer = Vec::new();
    append(&mut buffer, &header, payload);
    buffer
}
