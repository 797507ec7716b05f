//! Where a block goes: best fit over the free extents, low addresses first.
//!
//! Private memory of the arena's owner; nothing a peer writes reaches it, so whatever happens in shared memory, no two blocks
//! ever overlap. Best fit keeps large extents whole; among equals, and within an extent, the lowest address wins, so that the same
//! pages are used again and those above stay untouched.
//!
//! It also knows which free granules are *backed*: their pages are there because a block used them. Only what is not backed must
//! be asked from the system before a block is written, and only what is backed can be given back.

use super::extents::{Extent, Extents};
use std::collections::BTreeSet;

/// The free part of an arena.
#[derive(Debug)]
pub(super) struct Space {
    free: Extents,
    /// The same extents as (length, start).
    by_len: BTreeSet<(u32, u32)>,
    /// Free granules whose pages are there. A subset of `free`.
    backed: Extents,
}

impl Space {
    /// `granules` free granules, none of them backed.
    pub(super) fn new(granules: u32) -> Self {
        Self::around(granules, 0, [])
    }

    /// Everything but `used` is free, and backed below granule `touched`. `used` ascends and does not overlap.
    pub(super) fn around(
        granules: u32,
        touched: u32,
        used: impl IntoIterator<Item = Extent>,
    ) -> Self {
        let mut space = Self {
            free: Extents::default(),
            by_len: BTreeSet::new(),
            backed: Extents::default(),
        };
        let mut from = 0;
        for extent in used {
            space.add_gap(from, extent.start, touched);
            from = extent.end();
        }
        space.add_gap(from, granules, touched);
        space
    }

    fn add_gap(&mut self, from: u32, to: u32, touched: u32) {
        if from < to {
            self.add_free(Extent::new(from, to - from));
            if from < touched {
                let backed = touched.min(to) - from;
                self.backed.insert(Extent::new(from, backed));
            }
        }
    }

    /// Free granules.
    pub(super) fn free(&self) -> u64 {
        self.free.total()
    }

    /// Free granules whose pages are there.
    pub(super) fn backed(&self) -> u64 {
        self.backed.total()
    }

    /// Takes `len` granules; the second value says how many of them were backed. `None`: no extent is long enough.
    pub(super) fn take(&mut self, len: u32) -> Option<(Extent, u64)> {
        let &(hole_len, start) = self.by_len.range((len, 0)..).next()?;
        let hole = Extent::new(start, hole_len);
        self.by_len.remove(&(hole_len, start));
        self.free.remove(hole);
        if hole_len > len {
            self.add_free(Extent::new(start + len, hole_len - len));
        }
        let taken = Extent::new(start, len);
        let mut backed = 0;
        self.backed
            .cut(taken, |piece| backed += u64::from(piece.len));
        Some((taken, backed))
    }

    /// Gives back granules that a block used: their pages are there.
    pub(super) fn put(&mut self, extent: Extent) {
        self.add_free(extent);
        self.backed.insert(extent);
    }

    /// Gives back a block of `len` granules.
    pub(super) fn put_block(&mut self, start: u32, len: u32) {
        self.put(Extent::new(start, len));
    }

    /// Gives back what a block of `before` granules has beyond its first `after`.
    pub(super) fn put_tail(&mut self, start: u32, after: u32, before: u32) {
        if after < before {
            self.put(Extent::new(start + after, before - after));
        }
    }

    /// Gives back granules that were taken and never written, because their pages could not be had.
    pub(super) fn put_unbacked(&mut self, extent: Extent) {
        self.add_free(extent);
    }

    /// From now on the free granules from `from` to `to` are backed.
    pub(super) fn back(&mut self, from: u32, to: u32) {
        if from < to {
            let extent = Extent::new(from, to - from);
            self.backed.cut(extent, |_| {});
            self.backed.insert(extent);
        }
    }

    /// The highest backed free granules above `floor`, at most `most` of them: from now on they count as not backed.
    pub(super) fn unback_highest(&mut self, most: u32, floor: u32) -> Option<Extent> {
        let top = self.backed.last()?;
        let len = top.end().saturating_sub(top.start.max(floor)).min(most);
        if len == 0 {
            return None;
        }
        let extent = Extent::new(top.end() - len, len);
        self.backed.cut(extent, |_| {});
        Some(extent)
    }

    /// Takes back what [`unback_highest`](Self::unback_highest) said.
    pub(super) fn back_again(&mut self, extent: Extent) {
        self.backed.insert(extent);
    }

    fn add_free(&mut self, extent: Extent) {
        let merged = self.free.insert(extent);
        for gone in [merged.below, merged.above].into_iter().flatten() {
            self.by_len.remove(&(gone.len, gone.start));
        }
        self.by_len.insert((merged.whole.len, merged.whole.start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(space: &mut Space, len: u32) -> Extent {
        space.take(len).expect("room").0
    }

    #[test]
    fn the_smallest_hole_that_fits_is_used() {
        let mut space = Space::new(100);
        let blocks: Vec<Extent> = [10, 1, 3, 1, 5, 1]
            .into_iter()
            .map(|len| take(&mut space, len))
            .collect();
        space.put(blocks[0]);
        space.put(blocks[2]);
        space.put(blocks[4]);
        assert_eq!(take(&mut space, 4), Extent::new(blocks[4].start, 4));
        assert_eq!(take(&mut space, 3), blocks[2]);
        assert_eq!(take(&mut space, 4), Extent::new(0, 4));
    }

    #[test]
    fn low_addresses_come_first() {
        let mut space = Space::new(30);
        let blocks: Vec<Extent> = (0..6).map(|_| take(&mut space, 5)).collect();
        space.put(blocks[4]);
        space.put(blocks[0]);
        space.put(blocks[2]);
        assert_eq!(take(&mut space, 5), blocks[0]);
        assert_eq!(take(&mut space, 5), blocks[2]);
        assert_eq!(take(&mut space, 5), blocks[4]);
    }

    #[test]
    fn neighbours_join_in_any_order() {
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut space = Space::new(30);
            let blocks = [
                take(&mut space, 10),
                take(&mut space, 10),
                take(&mut space, 10),
            ];
            assert!(space.take(1).is_none());
            for index in order {
                space.put(blocks[index]);
            }
            assert_eq!(take(&mut space, 30), Extent::new(0, 30));
        }
    }

    #[test]
    fn only_used_granules_are_backed() {
        let mut space = Space::new(100);
        let (first, backed) = space.take(10).expect("room");
        assert_eq!(backed, 0);
        space.put(first);
        assert_eq!(space.backed(), 10);
        let (second, backed) = space.take(15).expect("room");
        assert_eq!((second, backed), (Extent::new(0, 15), 10));
        space.put_unbacked(second);
        assert_eq!((space.backed(), space.free()), (0, 100));
    }

    #[test]
    fn the_highest_backed_granules_go_first() {
        let mut space = Space::new(100);
        let low = take(&mut space, 10);
        let high = take(&mut space, 20);
        space.put(low);
        space.put(high);
        assert_eq!(space.unback_highest(5, 0), Some(Extent::new(25, 5)));
        assert_eq!(space.unback_highest(100, 0), Some(Extent::new(0, 25)));
        assert_eq!(space.unback_highest(100, 0), None);
        space.back_again(Extent::new(0, 25));
        assert_eq!(space.backed(), 25);
        assert_eq!(space.free(), 100);
    }

    #[test]
    fn free_space_is_what_others_do_not_use() {
        let used = [
            Extent::new(0, 4),
            Extent::new(10, 10),
            Extent::new(20, 2),
            Extent::new(50, 10),
        ];
        let mut space = Space::around(60, 40, used);
        assert_eq!(space.free(), 60 - 26);
        assert_eq!(space.backed(), 6 + 18);
        assert_eq!(take(&mut space, 6), Extent::new(4, 6));
        assert_eq!(take(&mut space, 28), Extent::new(22, 28));
        assert!(space.take(1).is_none());
    }
}
