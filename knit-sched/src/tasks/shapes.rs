//! The host's shape table, in the pool's memory, as this worker has read it so far.

use std::sync::atomic::Ordering;

use knit_codec::{ShapeTable, Words};

use knit_shm::Area;

use crate::{SchedError, Shared};

/// The words of a table in shared memory.
struct Table(Area);

impl Words for Table {
    fn len(&self) -> usize {
        self.0.len() / 4
    }

    fn get(&self, index: usize) -> u32 {
        // Acquire: pairs with the host's publication of word 0, after the entries that it covers. Beyond the table nothing is ever asked for.
        self.0
            .atomic_u32(index * 4)
            .map_or(0, |word| word.load(Ordering::Acquire))
    }
}

pub(crate) struct HostShapes {
    words: Table,
    parsed: ShapeTable,
}

impl HostShapes {
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "workers are processes on Linux only")
    )]
    pub(crate) fn new(shared: &Shared) -> Result<Self, SchedError> {
        let (offset, bytes) = shared.layout().shapes(None)?;
        Ok(Self {
            words: Table(shared.region().area(offset, bytes)?),
            parsed: ShapeTable::default(),
        })
    }

    /// The shapes that are there now.
    pub(crate) fn current(&mut self) -> knit_codec::Result<&ShapeTable> {
        self.parsed.extend(&self.words)?;
        Ok(&self.parsed)
    }
}
