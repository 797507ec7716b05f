//! A set of granules, kept as extents that never touch each other.
//!
//! Private memory of the arena's owner; nothing here is shared. Each operation costs the logarithm of the number of extents.

use std::collections::BTreeMap;

/// `len` granules from `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Extent {
    pub(super) const fn new(start: u32, len: u32) -> Self {
        Self { start, len }
    }

    /// The first granule after it. Arenas hold at most 2^31 granules, so this does not wrap.
    pub(super) const fn end(self) -> u32 {
        self.start + self.len
    }
}

/// What became of an extent that was put in.
pub(super) struct Merged {
    /// The neighbour below that it joined.
    pub(super) below: Option<Extent>,
    /// The neighbour above that it joined.
    pub(super) above: Option<Extent>,
    /// The extent that is there now.
    pub(super) whole: Extent,
}

/// The set.
#[derive(Debug, Default)]
pub(super) struct Extents {
    by_start: BTreeMap<u32, u32>,
    total: u64,
}

impl Extents {
    /// Granules in the set.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Puts in an extent of which no granule is in the set, and joins it with the neighbours it touches.
    pub(super) fn insert(&mut self, extent: Extent) -> Merged {
        let below = self
            .last_before(extent.start)
            .filter(|below| below.end() == extent.start);
        let above = self
            .by_start
            .get(&extent.end())
            .map(|&len| Extent::new(extent.end(), len));
        let start = below.map_or(extent.start, |below| below.start);
        let end = above.map_or(extent.end(), Extent::end);
        let whole = Extent::new(start, end - start);
        if let Some(above) = above {
            self.by_start.remove(&above.start);
        }
        self.by_start.insert(whole.start, whole.len);
        self.total += u64::from(extent.len);
        Merged {
            below,
            above,
            whole,
        }
    }

    /// Takes out a whole extent that is in the set.
    pub(super) fn remove(&mut self, extent: Extent) {
        let removed = self.by_start.remove(&extent.start);
        debug_assert_eq!(removed, Some(extent.len));
        self.total -= u64::from(extent.len);
    }

    /// Takes out whatever of `range` is in the set, and tells each piece taken.
    pub(super) fn cut(&mut self, range: Extent, mut on: impl FnMut(Extent)) {
        while let Some(hit) = self
            .last_before(range.end())
            .filter(|hit| hit.end() > range.start)
        {
            self.remove(hit);
            if hit.start < range.start {
                self.put_apart(Extent::new(hit.start, range.start - hit.start));
            }
            if hit.end() > range.end() {
                self.put_apart(Extent::new(range.end(), hit.end() - range.end()));
            }
            let start = hit.start.max(range.start);
            on(Extent::new(start, hit.end().min(range.end()) - start));
        }
    }

    /// The extent with the highest address.
    pub(super) fn last(&self) -> Option<Extent> {
        let (&start, &len) = self.by_start.last_key_value()?;
        Some(Extent::new(start, len))
    }

    /// Every extent, from low addresses to high ones.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = Extent> {
        self.by_start
            .iter()
            .map(|(&start, &len)| Extent::new(start, len))
    }

    /// The last extent that starts below `granule`.
    fn last_before(&self, granule: u32) -> Option<Extent> {
        let (&start, &len) = self.by_start.range(..granule).next_back()?;
        Some(Extent::new(start, len))
    }

    /// Puts in an extent that is known to touch no other.
    fn put_apart(&mut self, extent: Extent) {
        self.by_start.insert(extent.start, extent.len);
        self.total += u64::from(extent.len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: usize = 64;

    fn set_of(bits: &[bool; SIZE]) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::new();
        for (index, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
            let start = u32::try_from(index).expect("small");
            match extents.last_mut() {
                Some(last) if last.end() == start => last.len += 1,
                _ => extents.push(Extent::new(start, 1)),
            }
        }
        extents
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_the_set_of_granules_put_in_and_not_cut_out(
            steps in proptest::collection::vec((any::<bool>(), 0u32..SIZE as u32, 1u32..16), 1..80)
        ) {
            let mut bits = [false; SIZE];
            let mut extents = Extents::default();
            for (put, start, len) in steps {
                let len = len.min(SIZE as u32 - start);
                let range = start as usize..(start + len) as usize;
                if put {
                    if bits[range.clone()].iter().any(|bit| *bit) {
                        continue;
                    }
                    let merged = extents.insert(Extent::new(start, len));
                    bits[range.clone()].fill(true);
                    prop_assert!(set_of(&bits).contains(&merged.whole));
                    prop_assert_eq!(merged.below.is_some(), start > 0 && bits[range.start - 1]);
                    prop_assert_eq!(merged.above.is_some(), range.end < SIZE && bits[range.end]);
                } else {
                    let mut cut = 0;
                    extents.cut(Extent::new(start, len), |piece| cut += piece.len as usize);
                    prop_assert_eq!(cut, bits[range.clone()].iter().filter(|bit| **bit).count());
                    bits[range].fill(false);
                }
                prop_assert_eq!(extents.iter().collect::<Vec<_>>(), set_of(&bits));
                prop_assert_eq!(extents.total(), bits.iter().filter(|bit| **bit).count() as u64);
                prop_assert_eq!(extents.last(), set_of(&bits).last().copied());
            }
        }
    }
}
