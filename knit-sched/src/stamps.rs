//! When each call was handed over: one u64 for each granule of a request ring, for the frame that starts there.
//!
//! The host writes a frame's stamp before it publishes the frame; whoever claims the frame reads it before it releases it. So the order is that of
//! the frame itself, and plain loads and stores do. A time is [`crate::clock`]'s.

use core::sync::atomic::Ordering;

use knit_shm::{Area, Region};

use crate::error::Result;
use crate::layout::Layout;

/// The stamps of one lane.
#[derive(Clone)]
pub(crate) struct Stamps {
    area: Area,
    /// Granules of the ring, less one.
    mask: u64,
}

impl Stamps {
    /// Bytes of the stamps of a ring of so many granules.
    pub(crate) const fn bytes(granules: u32) -> usize {
        granules as usize * 8
    }

    pub(crate) fn new(layout: &Layout, region: &Region, worker: usize) -> Result<Self> {
        Ok(Self {
            area: layout.stamps(region, worker)?,
            mask: u64::from(layout.config().request_granules) - 1,
        })
    }

    #[inline]
    fn word(&self, position: u64) -> &core::sync::atomic::AtomicU64 {
        self.area
            .atomic_u64((position & self.mask) as usize * 8)
            .expect("there is a stamp for every granule")
    }

    #[inline]
    pub(crate) fn set(&self, position: u64, time: u64) {
        // Relaxed: published with the frame.
        self.word(position).store(time, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self, position: u64) -> u64 {
        // Relaxed: the frame was claimed, which was published after its stamp.
        self.word(position).load(Ordering::Relaxed)
    }
}
