//! The 16 bytes before every payload, and the granules that frames are measured in.
//!
//! A frame is a header and its payload, contiguous, at a multiple of [`GRANULE`] bytes. Both rings use this form, so
//! whole frames move between a submission buffer, a frame ring and a stream without being taken apart.

use bytemuck::{Pod, Zeroable};

/// Bytes of a granule: frames start at multiples of it and take whole ones.
pub const GRANULE: u32 = 32;

/// Bytes of a [`FrameHeader`].
pub const HEADER_BYTES: usize = size_of::<FrameHeader>();

/// The kind of a frame that only fills the space up to the end of a stream ring. Not for users.
pub const KIND_PAD: u8 = 0xFF;

/// The start of a frame. Rings look at `payload_len` (and at `kind`, for [`KIND_PAD`] only); the rest is the user's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FrameHeader {
    /// Exact bytes of the payload.
    pub payload_len: u32,
    /// The function to call.
    pub function: u16,
    /// What the frame is.
    pub kind: u8,
    /// Bits whose meaning depends on the kind.
    pub flags: u8,
    /// The call's slot.
    pub call: u32,
    /// The generation of that slot.
    pub generation: u32,
}

const _: () = assert!(size_of::<FrameHeader>() == 16);
const _: () = assert!(core::mem::offset_of!(FrameHeader, payload_len) == 0);
const _: () = assert!(core::mem::offset_of!(FrameHeader, function) == 4);
const _: () = assert!(core::mem::offset_of!(FrameHeader, kind) == 6);
const _: () = assert!(core::mem::offset_of!(FrameHeader, flags) == 7);
const _: () = assert!(core::mem::offset_of!(FrameHeader, call) == 8);
const _: () = assert!(core::mem::offset_of!(FrameHeader, generation) == 12);

impl FrameHeader {
    /// The granules of the whole frame. In u64, because `payload_len` may be a hostile value.
    pub const fn granules(&self) -> u64 {
        (HEADER_BYTES as u64 + self.payload_len as u64).div_ceil(GRANULE as u64)
    }

    /// The header at the start of `frame`, if `frame` is exactly that header and its payload.
    pub fn of_frame(frame: &[u8]) -> Option<FrameHeader> {
        let header: FrameHeader = bytemuck::pod_read_unaligned(frame.get(..HEADER_BYTES)?);
        (frame.len() - HEADER_BYTES == header.payload_len as usize).then_some(header)
    }

    /// What [`crate::frame`] keeps beside the state word for consumers that choose before they claim.
    pub(crate) const fn hint(&self) -> u64 {
        self.function as u64
            | (self.kind as u64) << 16
            | (self.flags as u64) << 24
            | (self.call as u64) << 32
    }
}
