//! The reading side: whole spans of frames, in place.

use crate::memory::{DefaultMemory, StreamMemory};
use crate::sync::Ordering;
use crate::{FrameHeader, GRANULE, HEADER_BYTES, KIND_PAD, RingError};

/// Contiguous whole frames, to be read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where they start, in bytes from the start of the region.
    pub offset: usize,
    /// Their bytes: a multiple of 32.
    pub len: u32,
}

/// One frame of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its header, a private copy that was checked against the span.
    pub header: FrameHeader,
    /// Where its payload starts, in bytes from the start of the region.
    pub data_offset: usize,
}

/// The consumer of a stream ring. Attach only one.
pub struct StreamConsumer<M: StreamMemory = DefaultMemory> {
    memory: M,
    /// Bytes of the data part.
    size: u32,
    /// What the shared head holds.
    head: u32,
    /// The producer's tail when last looked at.
    tail: u32,
}

#[cfg(not(loom))]
mod attach {
    use super::*;
    use crate::layout::{RingHeader, STREAM_DATA_AT, STREAM_MAGIC};
    use crate::memory::Mapped;
    use knit_shm::Area;

    impl StreamConsumer<Mapped> {
        /// Attaches to the ring in `area` (which may be longer than the ring), after checking its header.
        pub fn attach(area: Area) -> Result<Self, RingError> {
            let capacity = RingHeader::check(&area, STREAM_MAGIC, |_| STREAM_DATA_AT)?;
            let memory = Mapped::new(area, capacity, STREAM_DATA_AT)?;
            let consumer = Self::with_memory(memory);
            if consumer.head % GRANULE != 0 {
                return Err(RingError::Corrupt(
                    "the consumer's position is within a granule",
                ));
            }
            Ok(consumer)
        }
    }
}

#[cfg(loom)]
impl StreamConsumer<crate::memory::Model> {
    /// The consumer of a ring in a model.
    pub fn attach_in(model: &crate::memory::Model) -> Self {
        Self::with_memory(model.clone())
    }
}

impl<M: StreamMemory> StreamConsumer<M> {
    pub(crate) fn with_memory(memory: M) -> Self {
        let size = memory.capacity() * GRANULE;
        // Relaxed: only consumers write it, and there is one.
        let head = memory.head32().load(Ordering::Relaxed);
        StreamConsumer {
            memory,
            size,
            head,
            tail: head,
        }
    }

    /// What can be read now: whole frames from the head to the published tail, or to the end of the data part. `None`
    /// if there is nothing. Looks at the producer's word only when all it knew of was consumed.
    #[inline]
    pub fn readable(&mut self) -> Result<Option<Span>, RingError> {
        if self.tail == self.head {
            self.look_at_tail()?;
            if self.tail == self.head {
                return Ok(None);
            }
        }
        let at = self.head & (self.size - 1);
        let len = self.tail.wrapping_sub(self.head).min(self.size - at);
        Ok(Some(Span {
            offset: self.memory.base() + at as usize,
            len,
        }))
    }

    /// Whether there is nothing to read, as of now.
    pub fn is_empty(&self) -> bool {
        // Relaxed: nothing is read on the strength of it.
        self.memory.tail32().load(Ordering::Relaxed) == self.head
    }

    /// Gives back the first `len` bytes of what [`readable`](Self::readable) showed: whole frames.
    pub fn consume(&mut self, len: u32) -> Result<(), RingError> {
        if len > self.tail.wrapping_sub(self.head) || len % GRANULE != 0 {
            return Err(RingError::Malformed);
        }
        self.head = self.head.wrapping_add(len);
        // Release: pairs with the producer's Acquire of `head`; our reads come before its next writes there.
        self.memory.head32().store(self.head, Ordering::Release);
        Ok(())
    }

    /// The frames of what [`readable`](Self::readable) showed, pads left out, each header copied once and checked. Ends
    /// after an error. Borrows the consumer, so that nothing is consumed meanwhile.
    pub fn frames(&self, span: Span) -> Frames<'_, M> {
        let at = self.head & (self.size - 1);
        let readable = self.tail.wrapping_sub(self.head).min(self.size - at);
        let start = self.memory.base() + at as usize;
        // A span of another time or ring is no error, but shows nothing.
        let len = if span.offset == start && span.len <= readable {
            span.len
        } else {
            0
        };
        Frames {
            consumer: self,
            at,
            end: at + len,
        }
    }

    /// Copies a frame's payload to the end of `out`.
    ///
    /// `Malformed` for a frame that is not in what can be read now.
    pub fn payload(&self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), RingError> {
        let at = frame.data_offset.wrapping_sub(self.memory.base());
        let head = (self.head & (self.size - 1)) as usize;
        let len = frame.header.payload_len as usize;
        let readable = self
            .tail
            .wrapping_sub(self.head)
            .min(self.size - head as u32) as usize;
        if at < head || at - head > readable || len > readable - (at - head) {
            return Err(RingError::Malformed);
        }
        let start = out.len();
        out.resize(start + len, 0);
        // SAFETY: the bytes lie between head and the acquired tail (just checked), where the producer does not write.
        unsafe { self.memory.load(at, &mut out[start..]) };
        Ok(())
    }

    fn look_at_tail(&mut self) -> Result<(), RingError> {
        // Acquire: pairs with the producer's Release in `publish`.
        let tail = self.memory.tail32().load(Ordering::Acquire);
        if tail.wrapping_sub(self.head) > self.size || tail % GRANULE != 0 {
            return Err(RingError::Corrupt(
                "the producer's position is not within the ring",
            ));
        }
        self.tail = tail;
        Ok(())
    }
}

/// Goes over the frames of a span; see [`StreamConsumer::frames`].
pub struct Frames<'a, M: StreamMemory = DefaultMemory> {
    consumer: &'a StreamConsumer<M>,
    /// Bytes from the start of the data part.
    at: u32,
    end: u32,
}

impl<M: StreamMemory> Iterator for Frames<'_, M> {
    type Item = Result<Frame, RingError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.end {
            let mut bytes = [0; HEADER_BYTES];
            // SAFETY: between head and the acquired tail, where the producer does not write; a granule at least is left.
            unsafe { self.consumer.memory.load(self.at as usize, &mut bytes) };
            let header: FrameHeader = bytemuck::cast(bytes);
            let length = header.granules() * GRANULE as u64;
            if length > (self.end - self.at) as u64 {
                self.at = self.end;
                return Some(Err(RingError::Corrupt(
                    "a frame is longer than what is published",
                )));
            }
            let data_offset = self.consumer.memory.base() + self.at as usize + HEADER_BYTES;
            self.at += length as u32;
            if header.kind != KIND_PAD {
                return Some(Ok(Frame {
                    header,
                    data_offset,
                }));
            }
        }
        None
    }
}
