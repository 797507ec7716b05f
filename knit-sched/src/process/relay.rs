//! Event loops that are rung from other processes.
//!
//! A runtime's bell works within its process only, and an event loop cannot sleep on a futex. So each process whose participant has an event
//! loop has one thread, the *relay*, that sleeps on the participant's doorbell in its place and passes rings on. `knit_ring::doorbell` says why no wake
//! is lost by that; nothing is polled.
//!
//! The relay of a worker that was given up (its wrapper died, it did not) may still sleep there when a new worker has the place. It learns
//! of it whenever it wakes: it gives back what it has taken, tells its own loop, which ends, and leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use knit_ring::Doorbell;

use crate::bells::Shared;
use crate::cell::{Cell, HostWords};
use crate::error::{Result, SchedError};

/// A running relay. Dropping it ends it.
pub struct Relay {
    bell: Doorbell,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Passes on what other processes ring at the host, which is in this one.
    pub(super) fn of_host(shared: &Arc<Shared>) -> Result<Self> {
        let bell = HostWords::new(shared.region())?.bell().clone();
        Self::start(shared, bell, None, || false)
    }

    /// Passes on what other processes ring at this worker.
    pub(super) fn of_worker(shared: &Arc<Shared>, worker: usize, epoch: u32) -> Result<Self> {
        let cell = Cell::new(shared.layout(), shared.region(), worker)?;
        let bell = cell.bell().clone();
        Self::start(shared, bell, Some(worker), move || cell.is_lost(epoch))
    }

    fn start(
        shared: &Arc<Shared>,
        bell: Doorbell,
        participant: Option<usize>,
        is_lost: impl Fn() -> bool + Send + 'static,
    ) -> Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let run = {
            let (shared, bell, over) = (shared.clone(), bell.clone(), over.clone());
            move || {
                // An error says that the system cannot wait on memory: `Relay` is not made there.
                while let Ok(rung) = bell.relay() {
                    // Acquire: pairs with the release in `drop`.
                    if over.load(Ordering::Acquire) {
                        return;
                    }
                    let lost = is_lost();
                    if lost && rung {
                        bell.give_back_ring();
                    }
                    if lost || rung {
                        shared.ring_bell(participant);
                    }
                    if lost {
                        return;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("knit-relay".into())
            .spawn(run)
            .map_err(|source| SchedError::Io {
                what: "starting a thread",
                source,
            })?;
        Ok(Self {
            bell,
            over,
            thread: Some(thread),
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // Release: pairs with the acquire in the thread.
        self.over.store(true, Ordering::Release);
        // If the place has a new worker by now, it hears one ring for nothing.
        self.bell.retire();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
