//! The writing side.

use crate::memory::{DefaultMemory, StreamMemory};
use crate::sync::Ordering;
use crate::{FrameHeader, GRANULE, HEADER_BYTES, KIND_PAD, RingError};

/// The producer of a stream ring. There is one per ring: it is neither `Clone` nor attachable.
pub struct StreamProducer<M: StreamMemory = DefaultMemory> {
    memory: M,
    /// Bytes of the data part.
    size: u32,
    /// Where the next frame goes: at or beyond `tail`.
    write: u32,
    /// What the shared tail holds.
    tail: u32,
    /// The consumer's head when last looked at.
    head: u32,
}

#[cfg(not(loom))]
mod create {
    use super::*;
    use crate::layout::{self, RingHeader, STREAM_DATA_AT, STREAM_MAGIC};
    use crate::memory::Mapped;
    use knit_shm::Area;

    impl StreamProducer<Mapped> {
        /// Bytes that a ring of so many granules needs.
        pub const fn area_size(capacity_granules: u32) -> usize {
            STREAM_DATA_AT + layout::data_bytes(capacity_granules)
        }

        /// Makes an empty ring in `area`, whatever was there before. No consumer may be attached to what was there.
        /// The area starts at a multiple of 128 bytes; the capacity is a power of two.
        pub fn create(area: Area, capacity_granules: u32) -> Result<Self, RingError> {
            Self::create_at(area, capacity_granules, 0)
        }

        /// [`create`](Self::create) with the first frame at byte `first`, as if as many had gone through already. Lets
        /// tests start just below where positions wrap. Rounded down to a granule.
        pub fn create_at(area: Area, capacity: u32, first: u32) -> Result<Self, RingError> {
            if !layout::capacity_is_valid(capacity) {
                return Err(RingError::BadCapacity(capacity));
            }
            let memory = Mapped::new(area.clone(), capacity, STREAM_DATA_AT)?;
            // No one may take the ring for whole while it is made.
            area.atomic_u64(0)?.store(0, Ordering::Relaxed);
            let producer = Self::with_memory(memory, first & !(GRANULE - 1));
            RingHeader::new(STREAM_MAGIC, capacity, STREAM_DATA_AT).publish(&area)?;
            Ok(producer)
        }
    }
}

#[cfg(loom)]
impl StreamProducer<crate::memory::Model> {
    /// The producer of a ring in a model, with the first frame at byte `first`.
    pub fn create_in(model: &crate::memory::Model, first: u32) -> Self {
        Self::with_memory(model.clone(), first)
    }
}

impl<M: StreamMemory> StreamProducer<M> {
    /// The producer of a ring that no consumer has seen yet.
    pub(crate) fn with_memory(memory: M, first: u32) -> Self {
        // Relaxed: the consumer learns of the ring through its magic, or by being given the memory.
        memory.tail32().store(first, Ordering::Relaxed);
        memory.head32().store(first, Ordering::Relaxed);
        let size = memory.capacity() * GRANULE;
        StreamProducer {
            memory,
            size,
            write: first,
            tail: first,
            head: first,
        }
    }

    /// Bytes of the longest frame that the ring takes, header included: half the ring.
    pub fn max_frame_bytes(&self) -> usize {
        self.size as usize / 2
    }

    /// Writes a frame. The consumer does not see it before [`publish`](Self::publish).
    ///
    /// `header.payload_len` must be the payload's length, and its kind not [`KIND_PAD`]. Errors: `Full`, `TooLong`,
    /// `Malformed`, `Corrupt`; in each case the ring is as it was.
    #[inline]
    pub fn push(&mut self, header: &FrameHeader, payload: &[u8]) -> Result<(), RingError> {
        if header.payload_len as usize != payload.len() {
            return Err(RingError::Malformed);
        }
        let (at, length) = self.reserve(header)?;
        // SAFETY: `reserve` returned bytes between the written end and the consumer's head plus the ring's size, after
        // an Acquire of that head; the consumer does not read beyond `tail`, which is still before them.
        unsafe { self.memory.store(at, bytemuck::bytes_of(header)) };
        // SAFETY: as above; header and payload together are no longer than what was reserved.
        unsafe { self.memory.store(at + HEADER_BYTES, payload) };
        self.write = self.write.wrapping_add(length);
        Ok(())
    }

    /// Writes a frame that is already contiguous, header first: one copy. Otherwise as [`push`](Self::push).
    #[inline]
    pub fn push_raw(&mut self, frame: &[u8]) -> Result<(), RingError> {
        let header = FrameHeader::of_frame(frame).ok_or(RingError::Malformed)?;
        let (at, length) = self.reserve(&header)?;
        // SAFETY: as in `push`.
        unsafe { self.memory.store(at, frame) };
        self.write = self.write.wrapping_add(length);
        Ok(())
    }

    /// Shows the consumer what was pushed. Says whether there was anything. Then look at the consumer's doorbell.
    #[inline]
    pub fn publish(&mut self) -> bool {
        if self.write == self.tail {
            return false;
        }
        self.tail = self.write;
        // Release: pairs with the consumer's Acquire of `tail`; the bytes below it come before.
        self.memory.tail32().store(self.tail, Ordering::Release);
        true
    }

    /// Bytes between the consumer's head, as last looked at, and the written end: at least what is in the ring.
    pub fn used(&self) -> u32 {
        self.write.wrapping_sub(self.head)
    }

    /// Finds contiguous room, with a pad before it if need be. Writes nothing unless it all fits.
    #[inline]
    fn reserve(&mut self, header: &FrameHeader) -> Result<(usize, u32), RingError> {
        let length = header.granules() * GRANULE as u64;
        if length > self.size as u64 / 2 {
            let bytes = HEADER_BYTES + header.payload_len as usize;
            return Err(RingError::TooLong {
                bytes,
                limit: self.max_frame_bytes(),
            });
        }
        if header.kind == KIND_PAD {
            return Err(RingError::Malformed);
        }
        let length = length as u32;
        let at = self.write & (self.size - 1);
        let to_end = self.size - at;
        let pad = if length > to_end { to_end } else { 0 };
        if pad + length > self.size - self.used() {
            self.look_at_head()?;
            if pad + length > self.size - self.used() {
                return Err(RingError::Full);
            }
        }
        if pad == 0 {
            return Ok((at as usize, length));
        }
        let header = FrameHeader {
            payload_len: pad - HEADER_BYTES as u32,
            kind: KIND_PAD,
            ..Default::default()
        };
        // SAFETY: as in `push`; there is a granule at least before the end.
        unsafe { self.memory.store(at as usize, bytemuck::bytes_of(&header)) };
        self.write = self.write.wrapping_add(pad);
        Ok((0, length))
    }

    #[cold]
    fn look_at_head(&mut self) -> Result<(), RingError> {
        // Acquire: pairs with the consumer's Release in `consume`; its reads come before our next writes.
        let head = self.memory.head32().load(Ordering::Acquire);
        // The consumer can only have come closer to the published tail, and in whole granules.
        let used = self.write.wrapping_sub(head);
        let unpublished = self.write.wrapping_sub(self.tail);
        if used > self.used() || used < unpublished || head % GRANULE != 0 {
            return Err(RingError::Corrupt(
                "the consumer's position is not between head and tail",
            ));
        }
        self.head = head;
        Ok(())
    }
}
