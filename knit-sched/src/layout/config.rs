//! The sizes that a pool is made with, and their limits.

use super::MAX_WORKERS;
use crate::error::{Result, SchedError};

/// Sizes of a pool, chosen by who creates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Workers, 1 to [`MAX_WORKERS`].
    pub workers: usize,
    /// Size of each request ring in granules of 32 bytes, a power of two.
    pub request_granules: u32,
    /// Size of each reply ring in granules of 32 bytes, a power of two.
    pub reply_granules: u32,
    /// Bytes of block heap for each participant (the host and every worker), and as many again, up to 1 GiB, for payloads that are lent; pages
    /// that are never used take no memory.
    pub arena_bytes: u32,
    /// How many abort-aware calls can be in flight.
    pub abort_slots: u32,
    /// Bytes of the host's shape table.
    pub host_shape_bytes: u32,
    /// Bytes of each worker's shape table.
    pub worker_shape_bytes: u32,
}

impl Default for Config {
    /// One worker, rings of 256 KiB, 64 MiB of block heap a participant.
    fn default() -> Self {
        Self {
            workers: 1,
            request_granules: 8192,
            reply_granules: 8192,
            arena_bytes: 64 * 1024 * 1024,
            abort_slots: 258,
            host_shape_bytes: 64 * 1024,
            worker_shape_bytes: 32 * 1024,
        }
    }
}

impl Config {
    /// Checks each size by itself.
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MAX_WORKERS).contains(&self.workers) {
            return Err(SchedError::WorkerCount(self.workers));
        }
        for granules in [self.request_granules, self.reply_granules] {
            check(
                "ring granules",
                "a power of two from 64 to 65536",
                granules,
                |n| n.is_power_of_two() && (64..=65_536).contains(&n),
            )?;
        }
        check(
            "arena_bytes",
            "a multiple of 4096 from 65536 to 4294963200",
            self.arena_bytes,
            |n| n % 4096 == 0 && n >= 65_536,
        )?;
        check("abort_slots", "from 1 to 1048576", self.abort_slots, |n| {
            (1..=1_048_576).contains(&n)
        })?;
        for bytes in [self.host_shape_bytes, self.worker_shape_bytes] {
            check(
                "shape_bytes",
                "a multiple of 128 from 128 to 16777216",
                bytes,
                |n| n % 128 == 0 && (128..=16 * 1024 * 1024).contains(&n),
            )?;
        }
        Ok(())
    }
}

fn check(
    what: &'static str,
    expected: &'static str,
    value: u32,
    holds: impl Fn(u32) -> bool,
) -> Result<()> {
    if holds(value) {
        Ok(())
    } else {
        Err(SchedError::Config {
            what,
            expected,
            actual: u64::from(value),
        })
    }
}
