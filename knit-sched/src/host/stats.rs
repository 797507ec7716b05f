//! What the host knows of its workers' work: figures, and who runs what.

use std::time::Duration;

use super::{Host, Lane};
use crate::clock;
use crate::counters::Counts;
use crate::error::Result;
use crate::stats::{Figures, PoolStats, Summary};

/// What a worker has claimed and not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// The number of the call; if several short ones were claimed together, of the first.
    pub call: u32,
    /// Its generation.
    pub generation: u32,
    /// How long ago it was claimed.
    pub since: Duration,
}

impl Lane {
    /// Calls that the place's workers have taken and that are neither answered nor known to be lost.
    pub(super) fn running(&self) -> u64 {
        self.running_of(&self.counters.counts())
    }

    fn running_of(&self, counts: &Counts) -> u64 {
        let over = counts.completed.wrapping_add(counts.failed);
        counts.taken.saturating_sub(over.wrapping_add(self.lost))
    }

    /// The place's worker is dead: what it ran is lost.
    pub(super) fn lose_running(&mut self) {
        self.lost = self.lost.wrapping_add(self.running());
        self.counters.end();
    }
}

impl Host {
    /// Figures of every worker and of the pool. Reads what the workers show: never waits for one.
    ///
    /// # Errors
    /// The memory is corrupt.
    pub fn stats(&mut self) -> Result<PoolStats> {
        let (mut waits, mut runs) = (Summary::new(), Summary::new());
        let mut workers = Vec::with_capacity(self.lanes.len());
        let mut pool = Figures {
            submitted: self.submitted,
            queued: self.queued()? as u64,
            removed: self.removed,
            ..Figures::default()
        };
        for lane in &mut self.lanes {
            let counts = lane.counters.counts();
            waits.add(&lane.waits);
            runs.add(&lane.runs);
            let figures = Figures {
                submitted: counts.taken,
                queued: lane.requests.unclaimed()? as u64,
                running: lane.running_of(&counts),
                completed: counts.completed,
                failed: counts.failed.wrapping_add(lane.lost),
                removed: 0,
                respawns: lane.begun.saturating_sub(1),
                bytes_in: counts.bytes_in,
                bytes_out: counts.bytes_out,
                wait: waits.take(),
                run: runs.take(),
            };
            // Wrapping: a worker may have written anything.
            let add = |sum: &mut u64, more: u64| *sum = sum.wrapping_add(more);
            add(&mut pool.running, figures.running);
            add(&mut pool.completed, figures.completed);
            add(&mut pool.failed, figures.failed);
            add(&mut pool.respawns, figures.respawns);
            add(&mut pool.bytes_in, figures.bytes_in);
            add(&mut pool.bytes_out, figures.bytes_out);
            workers.push(figures);
        }
        for lane in &self.lanes {
            waits.add(&lane.waits);
            runs.add(&lane.runs);
        }
        pool.wait = waits.take();
        pool.run = runs.take();
        Ok(PoolStats { pool, workers })
    }

    /// What a worker has claimed and not settled, by its own word. None if that is nothing: it sleeps, or it is between two turns, or its event loop runs
    /// what asynchronous tasks have left there.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn running(&self, worker: usize) -> Result<Option<Running>> {
        let current = self.lane(worker)?.counters.current();
        Ok(current.map(|current| Running {
            call: current.call,
            generation: current.generation,
            since: Duration::from_nanos(clock::now().saturating_sub(current.since)),
        }))
    }

    /// How many turns a worker has taken, wrapping. One that takes none after it was woken ([`Host::nudge`]) is kept from it by its own event loop.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn turns(&self, worker: usize) -> Result<u32> {
        Ok(self.lane(worker)?.counters.turns())
    }

    /// Wakes a worker if it sleeps, so that it takes a turn.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn nudge(&self, worker: usize) -> Result<()> {
        let lane = self.lane(worker)?;
        self.shared.rouse_worker(worker, &lane.cell);
        Ok(())
    }
}
