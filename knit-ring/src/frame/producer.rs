//! The side that pushes, publishes, and gets space back. Only it writes `tail` and `head`, and it keeps its own copies
//! of both, so that a push touches no word that consumers write, until room is short.

use super::recall::Unclaimed;
use super::{Owner, State, Word, checked_header, data_offset, max_granules};
use crate::memory::{DefaultMemory, FrameMemory};
use crate::sync::Ordering;
use crate::{FrameHeader, GRANULE, HEADER_BYTES, RingError};

type Listener<'a> = &'a mut dyn FnMut(&FrameHeader, Owner);
type Sink = Box<dyn FnMut(&FrameHeader, Owner) + Send>;

/// The producer of a frame ring. There is one per ring: it is neither `Clone` nor attachable.
pub struct FrameProducer<M: FrameMemory = DefaultMemory> {
    pub(super) memory: M,
    pub(super) capacity: u32,
    /// Where the next frame goes: at or beyond `tail`.
    pub(super) write: u64,
    /// What the shared tail holds.
    pub(super) tail: u64,
    /// What the shared head holds.
    pub(super) head: u64,
    sink: Option<Sink>,
    by_hand: bool,
    pub(super) unclaimed: Unclaimed,
    pub(super) scratch: Vec<u8>,
}

#[cfg(not(loom))]
mod create {
    use super::*;
    use crate::layout::{self, FRAME_MAGIC, RingHeader};
    use crate::memory::Mapped;
    use knit_shm::Area;

    impl FrameProducer<Mapped> {
        /// Bytes that a ring of so many granules needs.
        pub const fn area_size(capacity_granules: u32) -> usize {
            layout::frame_data_at(capacity_granules) + layout::data_bytes(capacity_granules)
        }

        /// Makes an empty ring in `area`, whatever was there before. No consumer may be attached to what was there.
        /// The area starts at a multiple of 128 bytes; the capacity is a power of two.
        pub fn create(area: Area, capacity_granules: u32) -> Result<Self, RingError> {
            Self::create_at(area, capacity_granules, 0)
        }

        /// [`create`](Self::create) with the first frame at position `first`, as if that many granules had gone through
        /// already. Lets tests start just below where 32 bits of the position wrap.
        pub fn create_at(area: Area, capacity: u32, first: u64) -> Result<Self, RingError> {
            if !layout::capacity_is_valid(capacity) {
                return Err(RingError::BadCapacity(capacity));
            }
            let data_at = layout::frame_data_at(capacity);
            let memory = Mapped::new(area.clone(), capacity, data_at)?;
            // No one may take the ring for whole while it is made.
            area.atomic_u64(0)?.store(0, Ordering::Relaxed);
            for slot in 0..capacity as u64 {
                memory.state(slot).store(0, Ordering::Relaxed);
            }
            let producer = Self::with_memory(memory, first);
            RingHeader::new(FRAME_MAGIC, capacity, data_at).publish(&area)?;
            Ok(producer)
        }
    }
}

#[cfg(loom)]
impl FrameProducer<crate::memory::Model> {
    /// The producer of a ring in a model, with the first frame at position `first`.
    pub fn create_in(model: &crate::memory::Model, first: u64) -> Self {
        Self::with_memory(model.clone(), first)
    }
}

impl<M: FrameMemory> FrameProducer<M> {
    /// The producer of a ring in zeroed memory that no consumer has seen yet.
    pub(crate) fn with_memory(memory: M, first: u64) -> Self {
        // Relaxed: consumers learn of the ring through its magic, or by being given the memory.
        memory.tail().store(first, Ordering::Relaxed);
        memory.cursor().store(first, Ordering::Relaxed);
        memory.head().store(first, Ordering::Relaxed);
        let capacity = memory.capacity();
        FrameProducer {
            memory,
            capacity,
            write: first,
            tail: first,
            head: first,
            sink: None,
            by_hand: false,
            unclaimed: Unclaimed::from(first),
            scratch: Vec::new(),
        }
    }

    /// Granules of the ring.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bytes of the longest frame that the ring takes, header included: half the ring, below 2 MiB.
    pub fn max_frame_bytes(&self) -> usize {
        max_granules(self.capacity) as usize * GRANULE as usize
    }

    /// Who is told of each frame whose space a *push* reclaims. [`reclaim`](Self::reclaim) tells its own listener.
    pub fn on_reclaim(&mut self, sink: impl FnMut(&FrameHeader, Owner) + Send + 'static) {
        self.sink = Some(Box::new(sink));
    }

    /// From now on a push reclaims nothing itself, and is `Full` until [`reclaim`](Self::reclaim) is called: for producers that must hear of
    /// every frame and cannot give a listener away.
    pub fn reclaim_by_hand(&mut self) {
        self.by_hand = true;
    }

    /// Writes a frame. Consumers do not see it before [`publish`](Self::publish).
    ///
    /// `header.payload_len` must be the payload's length. Errors: `Full`, `TooLong`, `Malformed`, `Corrupt`; in each case
    /// the ring is as it was.
    #[inline]
    pub fn push(&mut self, header: &FrameHeader, payload: &[u8]) -> Result<(), RingError> {
        if header.payload_len as usize != payload.len() {
            return Err(RingError::Malformed);
        }
        let (at, granules) = self.reserve(header)?;
        let offset = data_offset(at, self.capacity);
        // SAFETY: `reserve` returned granules between the written end and `head + capacity`: they were reclaimed after
        // an Acquire of their last reader's release, and no entry names them before `commit`.
        unsafe { self.memory.store(offset, bytemuck::bytes_of(header)) };
        // SAFETY: as above; header and payload together are as long as what was reserved.
        unsafe { self.memory.store(offset + HEADER_BYTES, payload) };
        self.commit(at, granules, header);
        Ok(())
    }

    /// Writes a frame that is already contiguous, header first: one copy. Otherwise as [`push`](Self::push).
    #[inline]
    pub fn push_raw(&mut self, frame: &[u8]) -> Result<(), RingError> {
        let header = FrameHeader::of_frame(frame).ok_or(RingError::Malformed)?;
        let (at, granules) = self.reserve(&header)?;
        // SAFETY: as in `push`.
        unsafe { self.memory.store(data_offset(at, self.capacity), frame) };
        self.commit(at, granules, &header);
        Ok(())
    }

    /// The position of the frame pushed last, if that was one of so many granules: for [`take_back`](Self::take_back).
    #[inline]
    pub fn position_of_last(&self, granules: u64) -> u64 {
        self.write - granules
    }

    /// Shows consumers what was pushed. Says whether there was anything. Then look at the consumers' doorbells.
    #[inline]
    pub fn publish(&mut self) -> bool {
        if self.write == self.tail {
            return false;
        }
        self.tail = self.write;
        self.unclaimed.publish();
        // Release: pairs with the consumers' Acquire of `tail`; bytes, hints and entries below it come before.
        self.memory.tail().store(self.tail, Ordering::Release);
        true
    }

    /// Finds contiguous room, with a pad before it if need be. Writes nothing unless it all fits.
    #[inline]
    fn reserve(&mut self, header: &FrameHeader) -> Result<(u64, u32), RingError> {
        let granules = header.granules();
        if granules > max_granules(self.capacity) as u64 {
            let bytes = HEADER_BYTES + header.payload_len as usize;
            return Err(RingError::TooLong {
                bytes,
                limit: self.max_frame_bytes(),
            });
        }
        let capacity = self.capacity as u64;
        let to_end = capacity - (self.write & (capacity - 1));
        let pad = if granules > to_end { to_end } else { 0 };
        if pad + granules > capacity - (self.write - self.head) {
            if !self.by_hand {
                self.reclaim_for_push()?;
            }
            if pad + granules > capacity - (self.write - self.head) {
                return Err(RingError::Full);
            }
        }
        if pad > 0 {
            // Shorter than a frame, so its length fits the word. Release: see `commit`.
            let word = Word::pad(self.write, pad as u32);
            self.memory
                .state(self.write)
                .store(word.0, Ordering::Release);
            self.write += pad;
        }
        Ok((self.write, granules as u32))
    }

    #[inline]
    fn commit(&mut self, at: u64, granules: u32, header: &FrameHeader) {
        self.memory.hint(at).store(header.hint(), Ordering::Relaxed);
        // Release: pairs with the Acquire of entries in the consumers' walk. One that finds a later round's entry here
        // must also find the `head` that made room for it, or it could not know where to go on.
        self.memory
            .state(at)
            .store(Word::ready(at, granules).0, Ordering::Release);
        self.write = at + granules as u64;
        self.unclaimed.push();
    }

    #[cold]
    fn reclaim_for_push(&mut self) -> Result<(), RingError> {
        let mut sink = self.sink.take();
        let result = match &mut sink {
            Some(sink) => self.advance_head(Some(sink)),
            None => self.advance_head(None),
        };
        self.sink = sink;
        result.map(drop)
    }

    /// Gets the space of released frames back, in order, up to the first that is not released. Tells of each frame who
    /// released it. Returns the granules that came back. Its own calls from `push` go to
    /// [`on_reclaim`](Self::on_reclaim)'s listener instead.
    pub fn reclaim(&mut self, mut on: impl FnMut(&FrameHeader, Owner)) -> Result<u64, RingError> {
        self.advance_head(Some(&mut on))
    }

    fn advance_head(&mut self, mut on: Option<Listener<'_>>) -> Result<u64, RingError> {
        let mut at = self.head;
        let result = loop {
            if at == self.tail {
                break Ok(());
            }
            let (word, state) = match self.entry(at) {
                Ok(entry) => entry,
                Err(error) => break Err(error),
            };
            match state {
                State::Pad => {}
                State::Released => {
                    if let Some(on) = &mut on {
                        match self.header(at, word.granules()) {
                            Ok(header) => on(&header, word.owner()),
                            Err(error) => break Err(error),
                        }
                    }
                }
                State::Free | State::Ready | State::Claimed => break Ok(()),
            }
            self.unclaimed.pass(at, word);
            at += word.granules() as u64;
        };
        let freed = at - self.head;
        if freed > 0 {
            self.head = at;
            self.raise_cursor()?;
            // Release: pairs with the consumers' Acquire of `head` when they find a slot reused, so that the cursor and
            // tail they read next are at least those of this moment.
            self.memory.head().store(at, Ordering::Release);
        }
        result.map(|()| freed)
    }

    /// Keeps `head <= cursor`: a consumer may have died after its claim and before it raised the cursor.
    fn raise_cursor(&mut self) -> Result<(), RingError> {
        // Relaxed: the cursor is a hint; what follows it is found by entries.
        let cursor = self.memory.cursor().load(Ordering::Relaxed);
        if cursor < self.head {
            self.memory.cursor().fetch_max(self.head, Ordering::Relaxed);
        } else if cursor > self.tail {
            return Err(RingError::Corrupt("the cursor is beyond the tail"));
        }
        Ok(())
    }

    /// The entry at `at`, a frame's start in `[head, write)`, checked to be one that belongs there.
    pub(super) fn entry(&self, at: u64) -> Result<(Word, State), RingError> {
        // Acquire: pairs with the consumers' Release of the frame; their reads come before our next writes.
        let word = Word(self.memory.state(at).load(Ordering::Acquire));
        let granules = word.granules() as u64;
        if !word.is_at(at) || granules == 0 || granules > self.write - at {
            return Err(RingError::Corrupt(
                "an entry between head and tail is not its frame's",
            ));
        }
        match word.state() {
            None | Some(State::Free) => Err(RingError::Corrupt("an entry has no known state")),
            Some(state) => Ok((word, state)),
        }
    }

    /// The header of the frame at `at`, RELEASED or being taken back.
    pub(super) fn header(&self, at: u64, granules: u32) -> Result<FrameHeader, RingError> {
        let mut bytes = [0; HEADER_BYTES];
        // SAFETY: only this producer writes frames, and it is here; it wrote this one itself.
        unsafe { self.memory.load(data_offset(at, self.capacity), &mut bytes) };
        checked_header(bytes, granules)
    }

    /// Granules that are pushed and not yet reclaimed.
    pub fn used(&self) -> u64 {
        self.write - self.head
    }
}
