//! What the producer gets back otherwise than through its consumers' releases: the frames of a dead one, frames that nobody has claimed; and how
//! many those are.

use super::{FrameProducer, Owner, Peek, State, Word, data_offset};
use crate::memory::FrameMemory;
use crate::sync::Ordering;
use crate::{FrameHeader, HEADER_BYTES, RingError};

/// Counts unclaimed frames, in private memory, from what the producer pushes and what it finds claimed.
///
/// Frames are claimed in order, so those that are ready are the last ones (but for those taken back in between, which are known). `seen` moves
/// over the others, once over each, so that a count costs what has changed since the last.
#[derive(Debug)]
pub(super) struct Unclaimed {
    /// What lies below was claimed or taken back, and is counted as such.
    seen: u64,
    /// Published frames at `seen` or beyond, without those taken back.
    published: usize,
    /// The same of unpublished ones.
    pushed: usize,
}

impl Unclaimed {
    /// An empty ring whose first frame is at this position.
    pub(super) fn from(first: u64) -> Self {
        Unclaimed {
            seen: first,
            published: 0,
            pushed: 0,
        }
    }

    #[inline]
    pub(super) fn push(&mut self) {
        self.pushed += 1;
    }

    #[inline]
    pub(super) fn publish(&mut self) {
        self.published += self.pushed;
        self.pushed = 0;
    }

    /// The frame at `at`, with that word, is not ready any more.
    #[inline]
    pub(super) fn pass(&mut self, at: u64, word: Word) {
        if at < self.seen {
            return;
        }
        self.seen = at + word.granules() as u64;
        let counted = word.state() != Some(State::Pad) && word.owner() != Owner::PRODUCER;
        // Saturating: consumers write the words, and may write anything.
        self.published = self.published.saturating_sub(usize::from(counted));
    }

    /// The producer has taken a frame back.
    fn take_back(&mut self, at: u64, tail: u64) {
        if at >= tail {
            self.pushed = self.pushed.saturating_sub(1);
        } else if at >= self.seen {
            self.published = self.published.saturating_sub(1);
        }
    }
}

impl<M: FrameMemory> FrameProducer<M> {
    /// After the death of `dead`: reports the frames between head and tail that it had claimed, whether or not it had
    /// released them, and releases them. Call it once per death, when `dead` can run no more instructions. Returns how
    /// many it reported. Frames that it had released and that were reclaimed since were reported by the reclaim.
    pub fn recover(
        &mut self,
        dead: Owner,
        mut on: impl FnMut(&FrameHeader),
    ) -> Result<usize, RingError> {
        let mut at = self.head;
        let mut reported = 0;
        while at < self.tail {
            let (word, state) = self.entry(at)?;
            let theirs = matches!(state, State::Claimed | State::Released);
            if theirs && word.owner() == dead {
                if state == State::Claimed {
                    let released = Word::released(at, word.granules(), dead).0;
                    // From the exact dead value. Relaxed: the dead one's reads ended with it, and we learnt of its death
                    // after them. A failure means that it was not dead: it has just released the frame itself.
                    let _ = self.memory.state(at).compare_exchange(
                        word.0,
                        released,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                }
                on(&self.header(at, word.granules())?);
                reported += 1;
            }
            at += word.granules() as u64;
        }
        Ok(reported)
    }

    /// How many published frames no one has claimed, as of now. Costs what was claimed since this was asked, or space was reclaimed, last.
    pub fn unclaimed(&mut self) -> Result<usize, RingError> {
        let mut at = self.unclaimed.seen;
        while at < self.tail {
            let (word, state) = self.entry(at)?;
            if state == State::Ready {
                break;
            }
            self.unclaimed.pass(at, word);
            at = self.unclaimed.seen;
        }
        Ok(self.unclaimed.published)
    }

    /// Whether any published frame is unclaimed, as of now.
    pub fn has_unclaimed(&mut self) -> Result<bool, RingError> {
        Ok(self.unclaimed()? > 0)
    }

    /// Takes back the frame that was pushed at `position`, published or not, if it is still there and no one has claimed it: no one will. Its
    /// space comes back like that of any released frame, under [`Owner::PRODUCER`]. Says whether it did.
    pub fn take_back(&mut self, position: u64) -> Result<bool, RingError> {
        if position < self.head || position >= self.write {
            return Ok(false);
        }
        let (word, state) = self.entry(position)?;
        Ok(state == State::Ready && self.release_unclaimed(position, word))
    }

    /// Makes a ready frame a released one of the producer's own. False if someone was faster.
    fn release_unclaimed(&mut self, at: u64, word: Word) -> bool {
        let released = Word::released(at, word.granules(), Owner::PRODUCER);
        // Straight to RELEASED: only we reclaim, so the bytes stay as they are while we read them. Relaxed: we wrote them
        // ourselves.
        let taken = self
            .memory
            .state(at)
            .compare_exchange(word.0, released.0, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if taken {
            self.unclaimed.take_back(at, self.tail);
        }
        taken
    }

    /// Takes frames back that no one has claimed, published or not: those that `wanted` wants. Each is given away with a
    /// private copy of its payload, and its space comes back like that of any released frame, under
    /// [`Owner::PRODUCER`]. Returns how many were taken.
    pub fn drain_unclaimed(
        &mut self,
        mut wanted: impl FnMut(&Peek) -> bool,
        mut on: impl FnMut(&FrameHeader, &[u8]),
    ) -> Result<usize, RingError> {
        let mut at = self.memory.cursor().load(Ordering::Relaxed).max(self.head);
        let mut taken = 0;
        let mut scratch = core::mem::take(&mut self.scratch);
        while at < self.write {
            let (word, state) = self.entry(at)?;
            let granules = word.granules();
            if state == State::Ready {
                let hint = self.memory.hint(at).load(Ordering::Relaxed);
                let take = wanted(&Peek::new(granules, hint)) && self.release_unclaimed(at, word);
                if take {
                    let header = self.header(at, granules)?;
                    scratch.resize(header.payload_len as usize, 0);
                    let offset = data_offset(at, self.capacity) + HEADER_BYTES;
                    // SAFETY: as in `header`.
                    unsafe { self.memory.load(offset, &mut scratch) };
                    on(&header, &scratch);
                    taken += 1;
                }
            }
            at += granules as u64;
        }
        self.scratch = scratch;
        Ok(taken)
    }
}
