//! The side that claims: finds ready frames, makes them its own, gives them back.

use super::{Owner, Peek, State, Word, checked_header, data_offset};
use crate::memory::{DefaultMemory, FrameMemory};
use crate::sync::Ordering;
use crate::{FrameHeader, HEADER_BYTES, RingError};

/// A frame that its consumer has claimed. It ends with [`FrameConsumer::release`]; dropped without, its frame stays
/// claimed until the producer recovers its owner.
#[derive(Debug)]
#[must_use = "a claim that is not released keeps its space until its owner is recovered"]
pub struct Claim {
    position: u64,
    granules: u32,
    ring: usize,
    /// The frame's header, a private copy that was checked against the frame's real length.
    pub header: FrameHeader,
    /// Where the payload starts, in bytes from the start of the region.
    pub data_offset: usize,
}

impl Claim {
    /// Bytes of the payload.
    pub fn payload_len(&self) -> usize {
        self.header.payload_len as usize
    }

    /// The frame's position in its ring: grows from frame to frame.
    pub fn position(&self) -> u64 {
        self.position
    }
}

/// One consumer of a frame ring. Clones claim as the same owner: use them from where that owner runs.
#[derive(Clone)]
pub struct FrameConsumer<M: FrameMemory = DefaultMemory> {
    memory: M,
    capacity: u32,
    owner: Owner,
}

/// What a walk finds at a place.
enum Step {
    /// A frame that was ready, with its exact word.
    Ready(Word),
    /// Taken or a pad: go on there.
    Next(u64),
}

/// How often one walk may be overtaken by a producer that laps it, before it is taken for a hostile one.
const MAX_LAPS: u32 = 4096;

/// A walk over the published entries, from the cursor on.
struct Walk {
    at: u64,
    tail: u64,
    laps: u32,
    /// The ready frame that someone else was faster to take.
    lost: Option<u64>,
}

#[cfg(not(loom))]
mod attach {
    use super::*;
    use crate::layout::{self, FRAME_MAGIC, RingHeader};
    use crate::memory::Mapped;
    use knit_shm::Area;

    impl FrameConsumer<Mapped> {
        /// Attaches to the ring in `area` (which may be longer than the ring), after checking its header.
        pub fn attach(area: Area, owner: Owner) -> Result<Self, RingError> {
            let capacity = RingHeader::check(&area, FRAME_MAGIC, layout::frame_data_at)?;
            let memory = Mapped::new(area, capacity, layout::frame_data_at(capacity))?;
            Ok(Self::with_memory(memory, owner))
        }
    }
}

#[cfg(loom)]
impl FrameConsumer<crate::memory::Model> {
    /// A consumer of a ring in a model.
    pub fn attach_in(model: &crate::memory::Model, owner: Owner) -> Self {
        Self::with_memory(model.clone(), owner)
    }
}

impl<M: FrameMemory> FrameConsumer<M> {
    pub(crate) fn with_memory(memory: M, owner: Owner) -> Self {
        let capacity = memory.capacity();
        FrameConsumer {
            memory,
            capacity,
            owner,
        }
    }

    /// The owner that it claims for.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Claims up to `max` frames, in order, and appends them to `out`. Stops early at the first that `accept` refuses:
    /// it stays for others. Returns how many were claimed.
    ///
    /// On an error, `out` has what was claimed before it, and a frame whose header was found wrong stays claimed. The
    /// ring is not to be used further.
    pub fn claim(
        &mut self,
        max: usize,
        mut accept: impl FnMut(&Peek) -> bool,
        out: &mut Vec<Claim>,
    ) -> Result<usize, RingError> {
        let mut walk = self.walk();
        let start = walk.at;
        let mut claimed = 0;
        let result = loop {
            if claimed == max {
                break Ok(());
            }
            let word = match self.next_ready(&mut walk) {
                Ok(Some(word)) => word,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            // Relaxed: if the exchange below succeeds, the frame was this one all the while, and its hint was stored
            // before the entry that the walk acquired. If it fails, the hint is not used.
            let hint = self.memory.hint(walk.at).load(Ordering::Relaxed);
            if !accept(&Peek::new(word.granules(), hint)) {
                break Ok(());
            }
            if !self.take(walk.at, word) {
                // The walk looks again and steps over it, unless it became ready again, which frames never do.
                if walk.lost.replace(walk.at) == Some(walk.at) {
                    break Err(RingError::Corrupt("a taken frame became ready again"));
                }
                continue;
            }
            match self.open(walk.at, word.granules()) {
                Ok(claim) => out.push(claim),
                Err(error) => break Err(error),
            }
            claimed += 1;
            walk.at += word.granules() as u64;
        };
        if walk.at > start {
            // Relaxed: a hint. Nothing below is ready, and nothing there can become so.
            self.memory.cursor().fetch_max(walk.at, Ordering::Relaxed);
        }
        result.map(|()| claimed)
    }

    /// Copies a claimed frame's payload to the end of `out`.
    pub fn payload(&self, claim: &Claim, out: &mut Vec<u8>) -> Result<(), RingError> {
        if claim.ring != self.ring() {
            return Err(RingError::ForeignClaim);
        }
        let start = out.len();
        out.resize(start + claim.payload_len(), 0);
        let offset = data_offset(claim.position, self.capacity) + HEADER_BYTES;
        // SAFETY: the claim exists, so it was not released by us; nobody else writes a claimed frame. (A producer that
        // took us for dead may: then these bytes are rubbish, as the module says, and the release will say so.)
        unsafe { self.memory.load(offset, &mut out[start..]) };
        Ok(())
    }

    /// Gives a frame's space back. `ClaimLost` if the producer has recovered the frame because it took us for dead: what
    /// was read of it may be of a later frame.
    pub fn release(&mut self, claim: Claim) -> Result<(), RingError> {
        if claim.ring != self.ring() {
            return Err(RingError::ForeignClaim);
        }
        let from = Word::claimed(claim.position, claim.granules, self.owner);
        let to = Word::released(claim.position, claim.granules, self.owner);
        // Release: pairs with the producer's Acquire of the entry; our reads come before its next writes there.
        // An exchange, not a store: if we were taken for dead, the entry may be another frame's by now.
        self.memory
            .state(claim.position)
            .compare_exchange(from.0, to.0, Ordering::Release, Ordering::Relaxed)
            .map(drop)
            .map_err(|_| RingError::ClaimLost)
    }

    /// Whether no published frame is ready, as of now.
    pub fn is_empty(&self) -> Result<bool, RingError> {
        Ok(self.peek()?.is_none())
    }

    /// The first ready frame, as of now: someone else may claim it meanwhile.
    pub fn peek(&self) -> Result<Option<Peek>, RingError> {
        Ok(self.peek_at()?.map(|(_, peek)| peek))
    }

    /// The same, and its position.
    pub fn peek_at(&self) -> Result<Option<(u64, Peek)>, RingError> {
        let mut walk = self.walk();
        let start = walk.at;
        let word = self.next_ready(&mut walk)?;
        if walk.at > start {
            // Relaxed: as in `claim`.
            self.memory.cursor().fetch_max(walk.at, Ordering::Relaxed);
        }
        Ok(word.map(|word| {
            let hint = self.memory.hint(walk.at).load(Ordering::Relaxed);
            (walk.at, Peek::new(word.granules(), hint))
        }))
    }

    /// Which ring this is: no two that live at once are at the same place of the same mapping.
    fn ring(&self) -> usize {
        core::ptr::from_ref(self.memory.tail()).addr()
    }

    fn walk(&self) -> Walk {
        // Acquire: pairs with the producer's Release in `publish`. First the tail, then the cursor: the producer has
        // seen the cursor at or beyond `tail - capacity` before it stored this tail, so we do not see it older.
        let tail = self.memory.tail().load(Ordering::Acquire);
        let at = self.memory.cursor().load(Ordering::Relaxed);
        Walk {
            at,
            tail,
            laps: 0,
            lost: None,
        }
    }

    /// Steps to the first ready frame, at `walk.at` then. Each turn of the loop moves `at` upwards.
    fn next_ready(&self, walk: &mut Walk) -> Result<Option<Word>, RingError> {
        while walk.at < walk.tail {
            match self.step(walk)? {
                Step::Ready(word) => return Ok(Some(word)),
                Step::Next(at) => walk.at = at,
            }
        }
        Ok(None)
    }

    fn step(&self, walk: &mut Walk) -> Result<Step, RingError> {
        if walk.tail - walk.at > self.capacity as u64 {
            return Err(RingError::Corrupt(
                "cursor and tail are further apart than the ring is long",
            ));
        }
        // Acquire: pairs with the producer's Release of entries; see `overtaken`.
        let word = Word(self.memory.state(walk.at).load(Ordering::Acquire));
        if !word.is_at(walk.at) {
            return self.overtaken(walk).map(Step::Next);
        }
        let granules = word.granules() as u64;
        if granules == 0 || granules > walk.tail - walk.at {
            return Err(RingError::Corrupt(
                "an entry is longer than what is published",
            ));
        }
        match word.state() {
            Some(State::Ready) => Ok(Step::Ready(word)),
            Some(State::Claimed | State::Released | State::Pad) => {
                Ok(Step::Next(walk.at + granules))
            }
            Some(State::Free) | None => Err(RingError::Corrupt("an entry has no known state")),
        }
    }

    /// The slot holds another round's entry: everything here was taken, released and reclaimed while we looked. The
    /// producer stored `head` beyond this place before it wrote that entry, and we acquired the entry, so we see it.
    #[cold]
    fn overtaken(&self, walk: &mut Walk) -> Result<u64, RingError> {
        walk.laps += 1;
        // Acquire: pairs with the producer's Release of `head`, so that the tail and cursor are at least as new.
        // No claim rests on it: with an older tail the walk would only end early.
        let head = self.memory.head().load(Ordering::Acquire);
        if head <= walk.at || walk.laps > MAX_LAPS {
            return Err(RingError::Corrupt(
                "an entry between head and tail is not its frame's",
            ));
        }
        // Acquire: as in `walk`.
        walk.tail = self.memory.tail().load(Ordering::Acquire);
        Ok(self.memory.cursor().load(Ordering::Relaxed).max(head))
    }

    /// Makes a ready frame ours, if it still is as it was seen.
    fn take(&self, at: u64, word: Word) -> bool {
        let claimed = Word::claimed(at, word.granules(), self.owner);
        // Relaxed: the bytes were published by the tail that the walk acquired, and cannot have changed since if the
        // entry has not. The claim itself tells others only to keep off.
        self.memory
            .state(at)
            .compare_exchange(word.0, claimed.0, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Reads the header of a frame that was just claimed.
    fn open(&self, at: u64, granules: u32) -> Result<Claim, RingError> {
        let offset = data_offset(at, self.capacity);
        let mut bytes = [0; HEADER_BYTES];
        // SAFETY: the frame is claimed by us, so nobody writes it; it lies below the acquired tail.
        unsafe { self.memory.load(offset, &mut bytes) };
        let header = checked_header(bytes, granules)?;
        Ok(Claim {
            position: at,
            granules,
            ring: self.ring(),
            header,
            data_offset: self.memory.base() + offset + HEADER_BYTES,
        })
    }
}
