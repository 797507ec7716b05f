//! What a worker counts, and what it runs at the moment: words of its cell that only it writes.
//!
//! | bytes | content |
//! |---|---|
//! | 0..40 | [`Counts`]: one u64 each, since the pool was made, over all workers that the place has had |
//! | 40..48 | since when it runs what it has claimed, in ns of [`crate::clock`]; 0 if it runs nothing |
//! | 48..56 | the call that it claimed first of these: number, generation |
//! | 56..60 | how many turns it has taken, wrapping |
//!
//! Each word stands for itself: a reader may see some of a turn's words and not the others.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use knit_shm::Area;

/// What a worker counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that it has taken.
    pub(crate) taken: u64,
    /// Calls that it has answered with a result.
    pub(crate) completed: u64,
    /// Calls that it has answered with what was thrown.
    pub(crate) failed: u64,
    /// Bytes of the arguments that it was given.
    pub(crate) bytes_in: u64,
    /// Bytes of what it answered.
    pub(crate) bytes_out: u64,
}

const SINCE: usize = 40;
const CALL: usize = 48;
const GENERATION: usize = 52;
const TURNS: usize = 56;

/// A call that a worker runs, or the first of several short ones that it has claimed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) call: u32,
    pub(crate) generation: u32,
    /// When it was claimed, in ns.
    pub(crate) since: u64,
}

/// Access to them.
#[derive(Clone)]
pub(crate) struct Counters {
    line: Area,
}

impl Counters {
    pub(crate) fn new(line: Area) -> Self {
        Self { line }
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        self.line
            .atomic_u32(offset)
            .expect("the line holds the word")
    }

    fn wide(&self, offset: usize) -> &AtomicU64 {
        self.line
            .atomic_u64(offset)
            .expect("the line holds the word")
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |n: usize| self.wide(n * 8).load(Ordering::Relaxed);
        Counts {
            taken: read(0),
            completed: read(1),
            failed: read(2),
            bytes_in: read(3),
            bytes_out: read(4),
        }
    }

    /// Worker: shows its counts.
    pub(crate) fn show(&self, counts: &Counts) {
        let all = [
            counts.taken,
            counts.completed,
            counts.failed,
            counts.bytes_in,
            counts.bytes_out,
        ];
        for (n, count) in all.into_iter().enumerate() {
            self.wide(n * 8).store(count, Ordering::Relaxed);
        }
    }

    /// Worker: it runs this from now on.
    pub(crate) fn begin(&self, current: Current) {
        // Release fence: after the zero of `end`; pairs with the acquire fence in `current`.
        fence(Ordering::Release);
        self.word(CALL).store(current.call, Ordering::Relaxed);
        self.word(GENERATION)
            .store(current.generation, Ordering::Relaxed);
        // Release: pairs with the first acquire in `current`; whoever sees this time sees this call, or a later one.
        self.wide(SINCE).store(current.since, Ordering::Release);
    }

    /// Worker, or host when the worker is dead: it runs nothing.
    pub(crate) fn end(&self) {
        self.wide(SINCE).store(0, Ordering::Relaxed);
    }

    /// What the worker runs.
    pub(crate) fn current(&self) -> Option<Current> {
        // Acquire: pairs with `begin`.
        let since = self.wide(SINCE).load(Ordering::Acquire);
        let call = self.word(CALL).load(Ordering::Relaxed);
        let generation = self.word(GENERATION).load(Ordering::Relaxed);
        // Acquire fence: pairs with the release fence in `begin`. If the call read was a later claim's, the zero before it is seen here.
        fence(Ordering::Acquire);
        let same = self.wide(SINCE).load(Ordering::Relaxed) == since;
        (since != 0 && same).then_some(Current {
            call,
            generation,
            since,
        })
    }

    pub(crate) fn turns(&self) -> u32 {
        self.word(TURNS).load(Ordering::Relaxed)
    }

    /// Worker: one more turn.
    pub(crate) fn count_turn(&self) {
        let turns = self.turns();
        self.word(TURNS)
            .store(turns.wrapping_add(1), Ordering::Relaxed);
    }
}
